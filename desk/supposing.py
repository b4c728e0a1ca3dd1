"""What other rules would have done with a recorded day.

The leader's orders, the market and the instruments are as recorded; the account is one that takes
every request at once and fills as the leader filled, in proportion and at the leader's average
price. So it tells quantities and what is skipped, not what the market would have given.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.intents import intent
from actors.post import Post
from desk.replaying import Day
from domain.copies import Copy
from domain.inputs import (
    Granted,
    Heard,
    Input,
    InstrumentsFound,
    InstrumentsMissed,
    Mandate,
    MarketFound,
    Rang,
    Restored,
)
from domain.messages import Answered, CopyReport, OrderHeard, OrderSeen
from domain.orders import Order, Source, Stamp, Status
from domain.outcomes import Accepted
from domain.steps import Cancel, Modify, Place, Request
from domain.wanted import part
from ledger.entries import Noted

_AS_RECORDED = (OrderSeen, MarketFound, InstrumentsFound, InstrumentsMissed)
_PERMITS = 1_000_000


class Supposed(HoldingNothing):
    """A follower that was not there, or followed by other rules, and its account."""

    def __init__(self, name: str, mandate: Mandate, day: Day) -> None:
        self._name, self._day = name, day
        self._following = Following(name, name, mandate, Post(), self)
        self._asked: list[tuple[Copy, Request, datetime]] = []
        self._alarms: list[tuple[datetime, int, str]] = []
        self._numbers = itertools.count(1)
        self._orders: dict[str, Order] = {}
        self._now = day.since

    def note(self, told: Input, now: datetime) -> None:
        """Nothing: this is not to be kept."""

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        self._asked.append((copy, step, now))

    def ring(self, leader_id: str, after: timedelta) -> None:
        heapq.heappush(self._alarms, (self._now + after, next(self._numbers), leader_id))

    def follow(self, notes: Iterable[Noted]) -> dict[str, CopyReport]:
        """The copies of the day's orders, by leader order id."""
        self._following.open(self._day.since)
        restored = False
        for one in notes:
            if isinstance(one.told, Restored) and not restored:
                restored = True
                self._take(self._before(one.told), one.at)
                self._take(Granted(_PERMITS), one.at)
            elif isinstance(one.told, _AS_RECORDED):
                self._ring_until(one.at)
                self._take(one.told, one.at)
                if isinstance(one.told, OrderSeen):
                    self._fill(one.told.order.order_id, one.at)
        self._ring_until(self._day.until)
        return self._reports()

    def _before(self, restored: Restored) -> Restored:
        """What earlier days left."""
        since = self._day.since
        earlier = tuple(c for c in restored.copies if c.born is None or c.born < since)
        orders = tuple(one for one in restored.orders if one.stamp.updated_at < since)
        return replace(restored, copies=earlier, orders=orders, halt=None)

    def _ring_until(self, now: datetime) -> None:
        while self._alarms and self._alarms[0][0] <= now:
            due, _, leader_id = heapq.heappop(self._alarms)
            self._take(Rang(leader_id), due)

    def _take(self, told: Input, now: datetime) -> None:
        self._now = now
        self._following.take(told, now)
        while self._asked:
            copy, step, at = self._asked.pop(0)
            self._answer(copy, step, at)

    def _answer(self, copy: Copy, step: Request, now: datetime) -> None:
        """Do what is asked, at once."""
        made = intent(self._name, self._name, copy, step, Timing(), now, next(self._numbers))
        order_id = f"supposed-{made.correlation_id}" if isinstance(step, Place) else step.order_id
        order = self._done(order_id, step, now)
        ns = made.planned_ns
        self._take(Answered(made, Accepted(order_id), ns, ns, ns), now)
        self._tell(order, now)
        self._fill(copy.leader_order_id, now)

    def _done(self, order_id: str, step: Request, now: datetime) -> Order:
        match step:
            case Place(ticket):
                return Order(
                    order_id=order_id,
                    client_id=self._name,
                    instrument=ticket.instrument,
                    side=ticket.side,
                    product=ticket.product,
                    terms=ticket.terms,
                    status=Status.PENDING,
                    stamp=self._stamp(now),
                    correlation_id=ticket.correlation_id,
                )
            case Modify(terms=terms):
                return replace(self._orders[order_id], terms=terms, stamp=self._stamp(now))
            case Cancel():
                order, stamp = self._orders[order_id], self._stamp(now)
                return replace(order, status=Status.CANCELLED, stamp=stamp)

    def _fill(self, leader_id: str, now: datetime) -> None:
        """Fill the copy's open order to its share of what the leader got."""
        leader = self._following.book.orders[leader_id]
        copy = self._following.book.copies[leader_id]
        instrument = self._following.book.listings.instrument(leader.instrument)
        for standing in copy.standings:
            if standing.order_id in self._orders and instrument is not None:
                rest = part(leader, copy, instrument.lot) - copy.filled
                self._fill_order(self._orders[standing.order_id], leader, rest, now)
                copy = self._following.book.copies[leader_id]

    def _fill_order(self, order: Order, leader: Order, rest: int, now: datetime) -> None:
        filled = min(order.terms.quantity, order.filled + rest)
        if filled <= order.filled or order.status.terminal:
            return
        status = Status.TRADED if filled == order.terms.quantity else Status.PART_TRADED
        value = round(filled * (leader.average_price or 0))
        stamp = self._stamp(now)
        self._tell(
            replace(order, filled=filled, traded_value=value, status=status, stamp=stamp), now
        )

    def _tell(self, order: Order, now: datetime) -> None:
        self._orders[order.order_id] = order
        self._take(Heard((OrderHeard(order),)), now)

    def _stamp(self, now: datetime) -> Stamp:
        return Stamp(now, Source.BOOK, next(self._numbers))

    def _reports(self) -> dict[str, CopyReport]:
        book, day, found = self._following.book, self._day, {}
        for leader_id, copy in book.copies.items():
            report = book.report(leader_id, day.until)
            if report is not None and copy.born is not None and day.has(copy.born):
                found[leader_id] = report
        return found
