"""One leader order and its copy, told and answered by hand."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.attempts import Attempt
from domain.copies import Copy, CopyState
from domain.copybook import CopyBook
from domain.messages import Answered, CopyReport, Intent, OrderSeen
from domain.orders import Order, Source, Stamp, Status, Terms
from domain.outcomes import Accepted, Outcome, Unknown
from domain.rules import Mood, Rules
from domain.steps import Cancel, Modify, Place, Request, Skip, Step
from tests.domain.builders import (
    CONTRACT,
    FOLLOWER,
    NOON,
    RULES,
    after,
    filled,
    intent,
    leader_order,
)

OWN = "2000{}"


class Pair:
    """A `CopyBook` that knows one leader order. Seconds are counted from noon."""

    def __init__(
        self, order: Order | None = None, rules: Rules = RULES, ltp: int | None = None
    ) -> None:
        self.leader = order or leader_order()
        self.book = CopyBook(rules)
        self.book.listings.learn((CONTRACT,))
        self.now = NOON
        self.mood, self.open = Mood.ACTIVE, True
        self.sent: list[Intent] = []
        self._heard = 0
        self.see(self.leader, ltp)

    @property
    def copy(self) -> Copy:
        return self.book.copies[self.leader.order_id]

    @property
    def attempt(self) -> Attempt:
        attempt = self.copy.current
        assert attempt is not None
        return attempt

    @property
    def report(self) -> CopyReport:
        report = self.book.report(self.leader.order_id, self.now)
        assert report is not None
        return report

    @property
    def state(self) -> CopyState:
        return self.copy.state

    def see(self, order: Order, ltp: int | None = None) -> None:
        """The leader's order is told."""
        self.book.seen(OrderSeen(order, NOON, order.stamp.heard, None, ltp))

    def lead(self, **changes: Any) -> None:
        """The leader's order changes, and that is heard."""
        self.leader = replace(self.leader, stamp=self._stamp(), **changes)
        self.see(self.leader)

    def at(self, seconds: float) -> "Pair":
        """So many seconds after noon."""
        self.now = after(seconds)
        return self

    def leader_trades(self, quantity: int = 200, price: int = 10_000) -> None:
        """So much of the leader's order has traded."""
        order = filled(self.leader, quantity, price)
        self.lead(status=order.status, filled=order.filled, traded_value=order.traded_value)

    def step(self) -> Step:
        """What is to be done now; a verdict is kept, as the actor does."""
        step = self.book.step(self.leader.order_id, self.mood, self.open, self.now)
        if isinstance(step, Skip):
            self.book.skip(self.leader.order_id, step)
        return step

    def send(self) -> Request:
        """Do what is to be done now: it must be a request."""
        step = self.step()
        assert isinstance(step, Place | Modify | Cancel), step
        sent = intent(self.copy, step, self.now)
        self.book.intended(self.leader.order_id, step, self.now)
        self.sent.append(sent)
        return step

    def answer(self, outcome: Outcome, to: int = -1) -> None:
        """The broker answers one of the requests that were sent."""
        answered = Answered(self.sent[to], outcome, 3_000, 5_000, 9_000)
        self.book.answered(answered, self.now)

    def place(self, status: Status | None = Status.PENDING) -> Place:
        """Place the copy; the broker takes it and tells where it stands."""
        step = self.send()
        assert isinstance(step, Place)
        self.answer(Accepted(OWN.format(step.number), "TRANSIT"))
        if status is not None:
            self.hear(status=status)
        return step

    def placed(self) -> Terms:
        """The terms that are placed now."""
        step = self.send()
        assert isinstance(step, Place)
        return step.ticket.terms

    def lose_answer(self) -> "Pair":
        """Place the copy; seven seconds later there is no answer but a timeout."""
        self.send()
        self.now += timedelta(seconds=7)
        self.answer(Unknown("timeout"))
        return self

    def modify(self) -> Modify:
        """Modify the copy; the broker takes it."""
        step = self.send()
        assert isinstance(step, Modify)
        self.answer(Accepted())
        return step

    def cancel(self, status: Status | None = Status.CANCELLED) -> Cancel:
        """Cancel the copy; the broker takes it and tells the end."""
        step = self.send()
        assert isinstance(step, Cancel)
        self.answer(Accepted())
        if status is not None:
            self.hear(status=status)
        return step

    def own(self, number: int | None = None, **changes: Any) -> Order:
        """The follower's own order as the broker tells it."""
        attempt = self.copy.attempts[-1 if number is None else number]
        ticket = attempt.ticket
        known = attempt.order or Order(
            order_id=OWN.format(attempt.number),
            client_id=FOLLOWER,
            instrument=ticket.instrument,
            side=ticket.side,
            product=ticket.product,
            terms=ticket.terms,
            status=Status.TRANSIT,
            stamp=self._stamp(),
            correlation_id=ticket.correlation_id,
        )
        terms = attempt.terms or known.terms
        return replace(known, **{"terms": terms, "stamp": self._stamp(), **changes})

    def hear(self, number: int | None = None, **changes: Any) -> None:
        """The broker tells of the follower's own order."""
        assert self.book.heard(self.own(number, **changes)) == self.leader.order_id

    def fill(self, quantity: int, price: int = 10_000, **changes: Any) -> None:
        """So much of the follower's own order has traded."""
        total = (self.attempt.terms or self.attempt.ticket.terms).quantity
        whole = quantity >= total
        changes.setdefault("status", Status.TRADED if whole else Status.PART_TRADED)
        self.hear(filled=quantity, traded_value=quantity * price, **changes)

    def read(self, *rows: Order, asked_at: datetime | None = None) -> None:
        """A complete order book of the follower's account is read."""
        self.book.read(rows, asked_at or self.now)

    def _stamp(self) -> Stamp:
        self._heard += 1
        return Stamp(self.now.replace(microsecond=0), Source.FEED, self._heard)
