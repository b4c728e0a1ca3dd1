"""What led to one copy: the follower's day taken once more, by the same code and the rules of
that time, with an eye on a single leader order."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.post import Post
from domain.copies import Copy, CopyState
from domain.inputs import CapitalFound, Input, Opened
from domain.instruments import Instrument, Price
from domain.messages import OrderSeen
from domain.orders import Order
from domain.rules import Rules
from domain.steps import Request, Skip
from ledger.entries import Noted


@dataclass(frozen=True, slots=True)
class Telling:
    """News of the leader's order, as it was known once the follower had taken them, on the leader's
    side; `seen` is the message that brought them."""

    at: datetime
    seen: OrderSeen
    order: Order


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about the copy, and by what: the leader's order as the follower faces it,
    the copy before, the rules in force, the instrument, the last price told of it, the position
    (shares, signed) that the copies had built in it, and the capital that was known."""

    at: datetime
    step: Request | Skip
    order: Order
    copy: Copy
    rules: Rules
    instrument: Instrument | None
    price: Price | None
    position: int
    capital: CapitalFound | None


@dataclass(frozen=True, slots=True)
class Wait:
    """What the copy waited for since then, in plain words."""

    at: datetime
    why: str


@dataclass(slots=True)
class Story:
    """All that a follower learnt and decided about one leader order, as it happened."""

    tellings: list[Telling] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)


class _Onlooker(HoldingNothing):
    """Takes a follower's inputs once more and keeps what concerns one leader order."""

    def __init__(self, follower: str, leader_id: str) -> None:
        self.story = Story()
        self._follower = follower
        self._leader_id = leader_id
        self._following: Following | None = None
        self._capital: CapitalFound | None = None
        self._order: Order | None = None
        self._copy: Copy | None = None

    def note(self, told: Input, now: datetime) -> None:
        """Nothing: it is noted already."""

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Nothing: when it rang is noted already."""

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        if copy.leader_order_id == self._leader_id:
            self._decided(step, copy, now)

    def take(self, one: Noted) -> None:
        """Take an input. A crash ends an actor's life, as it did then."""
        if isinstance(one.told, Opened):
            self._following = Following(self._follower, "", one.told.mandate, Post(), self)
            self._following.open(one.at)
        elif self._following is not None:
            if isinstance(one.told, CapitalFound):
                self._capital = one.told
            try:
                self._following.take(one.told, one.at)
            except Exception:
                self._following = None
                return
            self._look(self._following, one)

    def _look(self, following: Following, one: Noted) -> None:
        """Keep what the input changed of the order and its copy."""
        order = following.book.told(self._leader_id)
        if isinstance(one.told, OrderSeen) and order is not None and not _same(order, self._order):
            self._order = order
            self.story.tellings.append(Telling(one.at, one.told, order))
        copy, before = following.book.copies.get(self._leader_id), self._copy
        if copy is None or copy is before:
            return
        self._copy = copy
        verdict = copy.skipped, copy.detail
        if before is not None and verdict == (before.skipped, before.detail):
            return
        if copy.skipped is not None:
            self._decided(Skip(copy.skipped, copy.detail), copy, one.at)
        elif copy.state is CopyState.HELD and copy.detail:
            self.story.waits.append(Wait(one.at, copy.detail))

    def _decided(self, step: Request | Skip, copy: Copy, now: datetime) -> None:
        if self._following is None:
            return
        book = self._following.book
        order = book.orders.get(self._leader_id)
        if order is None:
            return
        key = order.instrument
        self.story.decisions.append(
            Decision(
                at=now,
                step=step,
                order=order,
                copy=copy,
                rules=book.rules,
                instrument=book.listings.instrument(key),
                price=book.listings.told(key),
                position=book.position(key, order.product),
                capital=self._capital,
            )
        )


def story(follower: str, leader_id: str, notes: Iterable[Noted]) -> Story:
    """What a follower learnt and decided about a leader order. Raises what reading the notes
    raises."""
    onlooker = _Onlooker(follower, leader_id)
    with _silence():
        for one in notes:
            onlooker.take(one)
    return onlooker.story


@contextmanager
def _silence() -> Iterator[None]:
    """What was logged then is not logged again as if it happened now."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _same(order: Order, before: Order | None) -> bool:
    """Whether nothing but the time of hearing is new."""
    return before is not None and replace(order, stamp=before.stamp) == before
