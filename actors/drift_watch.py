"""Watches that a follower's account has what its copies imply, and tells what does not."""

import logging
from datetime import datetime, timedelta

from actors.account import Account, BookAnswered, PositionsAnswered
from actors.answers import Answers
from actors.clock import Clock
from actors.standing import Standing
from dhan.codec.positions import positions
from dhan.codec.rest import book
from dhan.codec.values import Unreadable
from domain.copybook import CopyBook
from domain.differences import Difference, Kind, Position, Shown, proposal
from domain.drift import differences
from domain.messages import Level
from domain.sessions import IST

logger = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=5)
_ASK = "compare with: python run.py drift"


class DriftWatch:
    """Reads the positions every so often, then the order book, and compares both with the copies.

    A difference is told once, when it stands in two comparisons in a row, and again only after it
    was gone. A copy that rests behind the leader's is left to the follower's own rule.
    """

    def __init__(
        self, clock: Clock, account: Account, copies: CopyBook, standing: Standing, every: timedelta
    ) -> None:
        self._clock, self._account, self._copies = clock, account, copies
        self._standing, self._every = standing, every
        self._next: datetime | None = None
        self._held: tuple[tuple[Position, ...], datetime] | None = None
        self._seen: set[Difference] = set()
        self._told: set[Difference] = set()
        follower = copies.rules.follower
        self._answers = Answers(logger, f"The positions of {follower} cannot be read")

    def look(self, now: datetime) -> None:
        """Begin a comparison if one is due."""
        if self._next is None or now >= self._next:
            self._next = now + self._every
            self._account.read_positions()

    def positions(self, told: PositionsAnswered) -> None:
        """Keep the positions for the next order book, and have it read."""
        held = self._answers.read(told.answer, positions)
        if held is not None:
            self._held = held, told.asked_at
            self._account.read_book()

    def book(self, told: BookAnswered) -> None:
        """Compare, if this order book was asked for after the positions and all of it can be
        read."""
        if self._held is None or told.asked_at < self._held[1] or told.answer.status != 200:
            return
        (held, _), self._held = self._held, None
        try:
            rows, junk = book(told.answer.body, told.asked_ns, self._account.client_id)
        except Unreadable:
            return
        if not junk:
            self._compare(Shown(rows, held))

    def _compare(self, shown: Shown) -> None:
        found = differences(
            self._copies.rules.follower,
            self._copies.followed(),
            shown,
            working=True,
            today=self._clock.wall().astimezone(IST).date(),
        )
        now = {one for one in found if one.kind is not Kind.BEHIND}
        for one in found:
            if one in now & self._seen - self._told:
                self._tell(one)
        self._told = now & (self._told | self._seen)
        self._seen = now
        if now - self._told:
            self._next = self._clock.now() + min(_AGAIN, self._every)

    def _tell(self, one: Difference) -> None:
        concerned = ", ".join(one.leader_order_ids) or one.order_id
        what = f"drift in {one.symbol or 'an instrument'}: {one.what} ({concerned})"
        self._standing.alert(what, proposal(one) or _ASK, Level.WARNING)
