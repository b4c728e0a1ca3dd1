"""The RecoveryActor: reads the leader's order book, because the feed's silence proves nothing.

At start, at every reconnect, every few seconds, and whenever somebody asks. What a sweep finds
is told as the same message as the feed's, so that nobody else knows the difference. After it the
leader's trades are read where they may say more: what exactly was traded, and for how much.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from actors.answers import telling
from actors.capital import FundsAnswered, LeaderCapitalWanted, LeaderPurse
from actors.clock_watch import ClockWatch
from actors.floor import Floor, FloorActor
from actors.leader_trades import LeaderTrades, TradesAnswered
from actors.ledger import LeaderRestored, Record, RestoreLeader
from actors.post import BOARD, FEED, LEDGER, RECOVERY, TOKENS, follower_name
from actors.upkeep import BoardRestarted
from dhan.addresses import AccountAddress
from dhan.codec.orderbook import OrderBook
from dhan.codec.values import Unreadable
from dhan.dates import broker_time
from dhan.outcomes import outcome_of
from dhan.requests import Kind, Requests
from dhan.wire import Answer, Call, Line
from domain.leaders import LeaderOrders
from domain.messages import (
    Alert,
    FeedLive,
    FeedLost,
    LeaderOrder,
    Level,
    OrderSeen,
    SweepWanted,
    Tick,
    TokenRefused,
)
from domain.orders import Order
from domain.outcomes import Refusal, Refused
from domain.sessions import IST
from ledger.entries import OrderKnown, Setting
from ledger.leaders import WATERMARK

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
        self._book = OrderBook(leader.client_id)
        self._line: Line
        self._orders = LeaderOrders()
        self._asked_ns: int | None = None
        self._again = False
        self._failing = ""
        self._curious: set[str] = set()
        self._outrun = False
        self._watermark: datetime | None = None
        self._clock = ClockWatch(floor)
        self._trades: LeaderTrades
        self._purse: LeaderPurse

    def begin(self) -> None:
        self._line = self.floor.wire.open(self._leader)
        self._trades = LeaderTrades(self.floor, self._line, self._leader.client_id)
        self._purse = LeaderPurse(self.floor, self._line, self._leader.client_id)
        self.floor.post.tell(LEDGER, RestoreLeader())
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
                    self._asked_ns = None
                else:
                    self.later(self._every, Tick(_SWEEP))
                self._sweep()
            case SweepWanted(_, follower):
                self._wanted(follower)
            case FeedLive() | FeedLost():
                self._trades.wanted = True
                self._asked_ns = None  # an answer to what was asked before may hang, or say nothing
                self._sweep()
            case _Swept():
                self._swept(message)
            case LeaderCapitalWanted(follower):
                self._purse.wanted(follower)
            case FundsAnswered():
                self._purse.told(message)
            case TradesAnswered():
                self._traded(message)
            case LeaderRestored(orders, until):
                self._orders.restore(orders)
                if until is not None:
                    logger.info("What the leader did until %s is in the ledger", until)
            case BoardRestarted():
                for seen in self._orders.heard():
                    self.floor.post.tell(BOARD, LeaderOrder(seen.order))
            case _:
                super().receive(message)
        return None

    def _wanted(self, follower: str | None) -> None:
        if follower is not None:
            self._curious.add(follower)
            for seen in self._orders.heard():
                self.floor.post.tell(follower_name(follower), seen)
        self._sweep()

    def _note(self, seen: OrderSeen) -> None:
        """Keep what the feed told, and ask the book where the feed leaves a doubt."""
        if self._orders.unclear(seen):
            self._sweep()
        self._keep(seen)

    def _keep(self, seen: OrderSeen) -> None:
        order = self._orders.tell(seen)
        if order is not None:
            self.floor.post.tell(BOARD, LeaderOrder(order))

    def _tell(self, seen: OrderSeen) -> None:
        self.floor.post.tell_followers(seen)
        self.floor.post.tell(LEDGER, Record(OrderKnown("leader", seen.order)))

    # The order book

    def _sweep(self) -> None:
        if self._asked_ns is not None:
            self._again = True
            return
        post, asked_ns = self.floor.post, self.floor.clock.ns()
        self._asked_ns, self._again = asked_ns, False
        call = Call(
            line=self._line,
            request=self._requests.orders(),
            timeout=_READ_TIMEOUT,
            deliver=telling(post, RECOVERY, lambda answer: _Swept(answer, asked_ns)),
            urgency=_READ_URGENCY,
        )
        self.floor.wire.dispatch([call])

    def _swept(self, swept: _Swept) -> None:
        answer = swept.answer
        self._clock.heard(answer)
        try:
            if answer.status != 200:
                raise Unreadable(self._trouble(answer))
            read = self._book.read(answer.body, swept.asked_ns)
        except Unreadable as trouble:
            self._failed(str(trouble))
        else:
            self._succeeded()
            date = broker_time(answer)
            for skipped in read.junk:
                logger.warning("Skipped a row of the leader's order book: %s", skipped.reason)
            rows = read.orders if self._curious or self._outrun else read.news
            self._outrun = False
            # As they were placed, so that what an order leaves is known before it.
            for row in sorted(rows, key=attrgetter("began")):
                if self._orders.outrun(row, swept.asked_ns):
                    self._outrun = self._again = True
                else:
                    self._row(row, answer.answered_at, date)
            self._curious.clear()
            if not read.junk:
                self._complete({row.order_id for row in read.orders}, swept.asked_ns, date)
            self._trades.look(self._orders.unpriced())
        if swept.asked_ns != self._asked_ns:
            return
        if self._again:
            self.later(_GAP_SECONDS, Tick(_AGAIN))
        else:
            self._asked_ns = None

    def _trouble(self, answer: Answer) -> str:
        came = outcome_of(Kind.READ, answer)
        if isinstance(came, Refusal) and came.kind is Refused.TOKEN:
            self.floor.post.tell(TOKENS, TokenRefused(FEED))
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
                    "check token (python run.py login leader) and network; it is asked again all "
                    "the time",
                ),
            )

    def _succeeded(self) -> None:
        if self._failing:
            self._failing = ""
            logger.warning("The leader's order book can be read again")

    def _row(self, row: Order, heard_ns: int, date: datetime | None) -> None:
        """Tell what a row of the book says beyond what is known."""
        seen, weighs = self._orders.row(row, heard_ns, self._born(row, date))
        if weighs:
            self._tell(seen)
        else:
            for follower in self._curious:
                self.floor.post.tell(follower_name(follower), seen)
        self._keep(seen)

    def _born(self, row: Order, date: datetime | None) -> datetime | None:
        """When the order was placed by this process's clock: its age by the broker's own clock,
        counted back from now, so that the clocks need not agree."""
        if row.placed_at is None or date is None:
            return row.placed_at
        now = self.floor.clock.now()
        return now - max(date - row.placed_at, timedelta(0))

    def _complete(self, shown: Collection[str], asked_ns: int, date: datetime | None) -> None:
        """Learn from a book, every row of which could be read, also what it does not show."""
        self._mark()
        if date is not None:
            for order in self._orders.over(shown, date.astimezone(IST).date()):
                logger.info("Leader order %s has expired with its day", order.order_id)
                self.floor.post.tell(LEDGER, Record(OrderKnown("leader", order)))
        missing = self._orders.missing(shown, asked_ns)
        if missing:
            named = ", ".join(order.order_id for order in missing)
            what = f"leader orders that were open are not in the order book any more: {named}"
            logger.warning("%s", what)
            fix = "look for them in the leader's account; their copies are left as they are"
            alert = Alert(Level.WARNING, what, "leader", fix)
            self.floor.post.tell(BOARD, alert)
            self.floor.post.tell(LEDGER, Record(alert))

    def _traded(self, told: TradesAnswered) -> None:
        """Tell what the trades say beyond what is known."""
        self._clock.heard(told.answer)
        for order_id, (filled, value) in self._trades.read(told).items():
            seen = self._orders.traded(order_id, filled, value, told.answer.answered_at)
            if seen is not None:
                self._tell(seen)
                self._keep(seen)

    def _mark(self) -> None:
        """Note until when, by the broker's clock, everything that the leader did is known."""
        newest = self._orders.newest
        if newest is not None and (self._watermark is None or newest > self._watermark):
            self._watermark = newest
            mark = Setting(WATERMARK, str(int(newest.timestamp())))
            self.floor.post.tell(LEDGER, Record(mark))
