"""Following a recorded day again: what each follower took, taken once more by the same code."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.post import Post
from domain.copies import Copy
from domain.inputs import Input, Opened
from domain.messages import CopyReport, Intent, NotRecorded
from domain.orders import Order, Terms
from domain.sessions import IST
from domain.steps import Cancel, Modify, Place, Request
from ledger.entries import Noted
from ledger.history import Requested, requests_of
from ledger.journal import noted, unsent
from ledger.reader import Reader

logger = logging.getLogger(__name__)


_LAST_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Day:
    """From one instant (inclusive) to another."""

    since: datetime
    until: datetime

    def has(self, at: datetime) -> bool:
        """Whether the instant is of this day."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Compared:
    """A follower's day, recorded and followed again: how much there was of it, and in plain words
    what came out differently."""

    follower: str
    inputs: int
    requests: int
    copies: int
    differences: tuple[str, ...]


@dataclass(slots=True)
class _Again(HoldingNothing):
    """What a follower decides when it takes its day once more."""

    follower: str
    planned: list[Requested] = field(default_factory=list)
    reports: dict[str, list[CopyReport]] = field(default_factory=dict)
    unsent: set[Requested] = field(default_factory=set)
    inputs: int = 0
    _by_last: list[Requested] = field(default_factory=list)
    _reported: dict[str, tuple[Order | None, Copy, int]] = field(default_factory=dict)

    def note(self, told: Input, now: datetime) -> None:
        """Nothing: it is noted already."""

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        self.planned.append(Requested(now, copy.leader_order_id, step))

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Nothing: when it rang is noted already."""

    def take_all(self, notes: Sequence[Noted], day: Day) -> None:
        """Follow the day, one life of the actor after the other."""
        self.inputs = sum(day.has(one.at) for one in notes)
        for life in _lives(notes):
            self._live(life, day)
            self._cut_off()
        self.planned = [one for one in self.planned if day.has(one.at)]

    def _live(self, life: Sequence[Noted], day: Day) -> None:
        """Follow one life. A crash ends it, as it did then.

        Of its last moment every report is kept, as a kill may have kept the last of them from
        being recorded; and none of the lives before, unless it ended too soon to tell anything.
        """
        following: Following | None = None
        tells = False
        for one in life:
            if isinstance(one.told, Opened):
                following = Following(self.follower, "", one.told.mandate, Post(), self)
                following.open(one.at)
            elif following is not None:
                following = self._take(following, one)
            if following is None or not following.ready:
                continue
            if not tells:
                tells = True
                self.reports.clear()
                self._reported.clear()
            if one.at >= life[-1].at - _LAST_MOMENT:
                self._report(following, day)

    def _take(self, following: Following, one: Noted) -> Following | None:
        """Take one more input; what goes on then."""
        if isinstance(one.told, NotRecorded):
            self.unsent.add(_requested(one.told.intent))
        before = len(self.planned)
        try:
            following.take(one.told, one.at)
        except Exception:
            logger.exception("%s crashed at what it took at %s", self.follower, one.at)
            return None
        finally:
            self._by_last = self.planned[before:]
        return following

    def _cut_off(self) -> None:
        """A life ended: of several requests that its last input led to, those after the first may
        not have been recorded. Every other one was recorded before what came after it."""
        self.unsent |= set(self._by_last)
        self._by_last = []

    def _report(self, following: Following, day: Day) -> None:
        """Report the copies that came out otherwise than when they were reported last."""
        book = following.book
        for leader_id, copy in book.copies.items():
            if copy.born is None or not day.has(copy.born):
                continue
            order = book.orders.get(leader_id)
            lot = 1 if order is None else book.listings.lot(order.instrument)
            before = self._reported.get(leader_id)
            if before and before[0] is order and before[1] is copy and before[2] == lot:
                continue
            self._reported[leader_id] = order, copy, lot
            report = book.report(leader_id, day.until)
            if report is not None:
                self.reports.setdefault(leader_id, []).append(report)


def _lives(notes: Iterable[Noted]) -> list[list[Noted]]:
    """What was noted in each life of the actor."""
    lives: list[list[Noted]] = [[]]
    for one in notes:
        if isinstance(one.told, Opened):
            lives.append([])
        lives[-1].append(one)
    return lives


def follow_again(reader: Reader, follower: str, day: Day) -> Compared:
    """Follow the day again and say what differs from what was recorded. Raises
    ledger.opening.LedgerUnusable, and ValueError where another version wrote the journal."""
    again = _Again(follower)
    with reader.standing_still():
        notes = list(noted(reader, follower, day.since, day.until))
        asked = requests_of(reader, follower, day.since, day.until)
        again.unsent |= {_requested(one) for one in unsent(reader, follower, day.since, day.until)}
        kept = {copy.leader_order_id: copy for copy in reader.copies(follower)}
    again.take_all(notes, day)
    differences = (*_requests(again, asked), *_copies(again.reports, kept, day))
    return Compared(follower, again.inputs, len(asked), len(again.reports), differences)


def _requests(again: "_Again", asked: Sequence[Requested]) -> Iterator[str]:
    """Requests that were made only once; but what could not be recorded, and so was not sent, is
    no difference."""
    then, now = set(asked), set(again.planned)
    for one in asked:
        if one not in now:
            yield f"{_words(one)} was asked for, and is not now"
    for one in again.planned:
        if one not in then and one not in again.unsent:
            yield f"{_words(one)} is asked for now, and was not"


def _copies(
    again: Mapping[str, Sequence[CopyReport]], then: Mapping[str, CopyReport], day: Day
) -> Iterator[str]:
    """Copies that ended differently, but for those that went on after the day."""
    for leader_id, copies in again.items():
        recorded = then.get(leader_id)
        if recorded is None:
            yield f"the copy of order {leader_id} was not recorded"
        elif recorded.at is None or recorded.at < day.until:
            before, after = _compared(recorded), [_compared(copy) for copy in copies]
            if before not in after:
                for name, was, now in zip(_COMPARED, before, after[-1], strict=True):
                    if was != now:
                        yield f"the copy of order {leader_id}: {name} was {was!r}, is {now!r} now"


_COMPARED = (
    "state",
    "reason",
    "order_ids",
    "correlation_ids",
    "quantity",
    "filled",
    "traded_value",
    "leader_filled",
    "leader_value",
    "in_step",
)
_compared = attrgetter(*_COMPARED)


def _requested(intent: Intent) -> Requested:
    return Requested(intent.intended_at, intent.leader_order_id, intent.request)


def _words(one: Requested) -> str:
    match one.request:
        case Place(ticket):
            asked = f"{ticket.side} {_terms(ticket.terms)} as {ticket.correlation_id}"
        case Modify(order_id, terms):
            asked = f"order {order_id} changed to {_terms(terms)}"
        case Cancel(order_id):
            asked = f"the cancel of order {order_id}"
    at = one.at.astimezone(IST).strftime("%H:%M:%S.%f")
    return f"{at}, for order {one.leader_order_id}: {asked}"


def _terms(terms: Terms) -> str:
    price = f" at {terms.price / 100:.2f}" if terms.price else ""
    return f"{terms.quantity} {terms.order_type}{price}"
