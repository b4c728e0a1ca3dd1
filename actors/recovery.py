"""The RecoveryActor: reads the leader's order book, because the feed's silence proves nothing.

At start, at every reconnect, every few seconds, and whenever somebody asks. What a sweep finds
is told as the same message as the feed's, so that nobody else knows the difference.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import BOARD, LEDGER, RECOVERY, Post, follower_name
from actors.upkeep import BoardRestarted
from dhan.codec.rest import book
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome
from dhan.requests import Kind, Requests
from dhan.wire import AccountAddress, Answer, Call, Line
from domain.merge import adds, ambiguous, merge, outweighs
from domain.messages import (
    Alert,
    FeedLive,
    FeedLost,
    LeaderOrder,
    Level,
    OrderSeen,
    SweepWanted,
    Tick,
)
from domain.orders import Order, Status
from domain.outcomes import Refusal, Refused
from ledger.entries import OrderKnown

logger = logging.getLogger(__name__)

_SWEEP, _AGAIN = "sweep", "again"
_GAP_SECONDS = 0.2
_READ_TIMEOUT = 10.0
_READ_URGENCY = 3


@dataclass(frozen=True, slots=True)
class _Swept:
    """The answer to a request for the leader's order book."""

    answer: Answer
    asked_ns: int


class RecoveryActor(FloorActor):
    """Keeps the leader's orders of the day and tells what changed in them."""

    def __init__(self, floor: Floor, leader: AccountAddress, sweep_seconds: float) -> None:
        super().__init__(RECOVERY, floor)
        self._leader = leader
        self._every = sweep_seconds
        self._requests = Requests(leader.client_id)
        self._line: Line
        self._orders: dict[str, OrderSeen] = {}
        self._asking = False
        self._again = False
        self._failing = ""
        self._curious: set[str] = set()

    def begin(self) -> None:
        self._line = self.floor.wire.open(self._leader)
        self._sweep()
        self.later(self._every, Tick(_SWEEP))

    def end(self) -> None:
        self.floor.wire.close(self._line)

    def receive(self, message: object) -> object:
        match message:
            case OrderSeen():
                self._note(message)
            case Tick(name):
                if name == _AGAIN:
                    self._asking = False
                else:
                    self.later(self._every, Tick(_SWEEP))
                self._sweep()
            case SweepWanted(_, follower):
                self._wanted(follower)
            case FeedLive() | FeedLost():
                self._sweep()
            case _Swept():
                self._swept(message)
            case BoardRestarted():
                for seen in self._orders.values():
                    self.floor.post.tell(BOARD, LeaderOrder(seen.order))
            case _:
                super().receive(message)
        return None

    def _wanted(self, follower: str | None) -> None:
        if follower is not None:
            self._curious.add(follower)
            for seen in self._orders.values():
                self.floor.post.tell(follower_name(follower), seen)
        self._sweep()

    def _sweep(self) -> None:
        if self._asking:
            self._again = True
            return
        self._asking, self._again = True, False
        post, asked_ns = self.floor.post, self.floor.clock.ns()
        call = Call(
            line=self._line,
            request=self._requests.orders(),
            timeout=_READ_TIMEOUT,
            deliver=_sweeping(post, asked_ns),
            urgency=_READ_URGENCY,
        )
        self.floor.wire.dispatch([call])

    def _swept(self, swept: _Swept) -> None:
        answer = swept.answer
        try:
            if answer.status != 200:
                raise Unreadable(self._trouble(answer))
            rows, junk = book(answer.body, swept.asked_ns, self._leader.client_id)
        except Unreadable as trouble:
            self._failed(str(trouble))
        else:
            self._succeeded()
            date = _broker_time(answer)
            for skipped in junk:
                logger.warning("Skipped a row of the leader's order book: %s", skipped.reason)
            for row in rows:
                self._row(row, answer.answered_at, date)
            self._curious.clear()
        if self._again:
            self.later(_GAP_SECONDS, Tick(_AGAIN))
        else:
            self._asking = False

    def _trouble(self, answer: Answer) -> str:
        came = outcome(Kind.READ, answer.status, answer.body, answer.error, answer.written_at)
        if isinstance(came, Refusal) and came.kind is Refused.TOKEN:
            return f"Dhan refused the leader's token: {came.message}"
        return f"{answer.error or answer.status}"

    def _failed(self, why: str) -> None:
        if why != self._failing:
            self._failing = why
            logger.error("The leader's order book cannot be read: %s", why)
            self.floor.post.tell(
                BOARD,
                Alert(
                    Level.ERROR,
                    f"the leader's order book cannot be read: {why}",
                    "leader",
                    "check token and network; it is asked again all the time",
                ),
            )

    def _succeeded(self) -> None:
        if self._failing:
            self._failing = ""
            logger.warning("The leader's order book can be read again")

    def _note(self, seen: OrderSeen) -> None:
        """Keep what the feed told, and ask the book where the feed leaves a doubt."""
        known = self._orders.get(seen.order.order_id)
        unclear = known is not None and ambiguous(known.order, seen.order)
        if unclear or seen.order.status is Status.UNREADABLE:
            self._sweep()
        self._keep(seen, known)

    def _row(self, row: Order, heard_ns: int, date: datetime | None) -> None:
        """Tell what a row of the book says beyond what is known."""
        known = self._orders.get(row.order_id)
        merged = merge(known.order, row) if known else row
        born = known.born if known else self._born(row, date)
        seen = OrderSeen(row, born, heard_ns)
        post = self.floor.post
        if outweighs(known.order if known else None, merged):
            post.tell_followers(seen)
            post.tell(LEDGER, Record(OrderKnown("leader", row)))
        else:
            for follower in self._curious:
                post.tell(follower_name(follower), seen)
        self._keep(seen, known)

    def _born(self, row: Order, date: datetime | None) -> datetime | None:
        """When the order was placed by this process's clock: its age by the broker's own clock,
        counted back from now, so that the clocks need not agree."""
        if row.placed_at is None or date is None:
            return row.placed_at
        now = self.floor.clock.now()
        return now - max(date - row.placed_at, timedelta(0))

    def _keep(self, seen: OrderSeen, known: OrderSeen | None) -> None:
        order = merge(known.order, seen.order) if known else seen.order
        born = known.born if known else seen.born
        hint = seen.hint or (known.hint if known else None)
        ltp = seen.ltp or (known.ltp if known else None)
        self._orders[order.order_id] = OrderSeen(order, born, seen.heard_ns, hint, ltp)
        if adds(known.order if known else None, order):
            self.floor.post.tell(BOARD, LeaderOrder(order))


def _broker_time(answer: Answer) -> datetime | None:
    """The broker's clock by the answer's Date header, None where it says none."""
    try:
        date = parsedate_to_datetime(answer.date or "")
    except ValueError:
        return None
    return date if date.tzinfo else None


def _sweeping(post: Post, asked_ns: int) -> Callable[[Answer], None]:
    def deliver(answer: Answer) -> None:
        post.tell(RECOVERY, _Swept(answer, asked_ns))

    return deliver
