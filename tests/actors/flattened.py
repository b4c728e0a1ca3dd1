"""A follower with a toy broker, driven until it is flat: whatever its orders were, and whatever
became of its requests."""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.intents import intent
from actors.post import Post
from domain.copies import Copy
from domain.halts import HaltAsked, Word
from domain.inputs import (
    BookRead,
    Granted,
    Halted,
    Heard,
    Input,
    InstrumentsFound,
    Mandate,
    MarketFound,
    Rang,
    Restored,
)
from domain.messages import Answered, Intent, OrderHeard, OrderSeen
from domain.orders import Order, Product, Side
from domain.outcomes import Outcome
from domain.rules import Rules
from domain.schedules import Schedule
from domain.steps import Place, Request
from tests.domain.builders import CONTRACT, FOLLOWER, KEY, LEADER, LOT, NOON, terms
from tests.domain.exchange import Exchange, TrueOrder
from tests.domain.fates import LOST, Fate, carry_out

FLATTEN = HaltAsked("1", "asha", Word.FLATTEN, "operator", NOON)
_FATES = (Fate.CARRIED_OUT,) * 4 + tuple(Fate)
CALM = Rules("asha", settle=timedelta(seconds=10), park_after=timedelta(hours=1))


class Flattened(HoldingNothing):
    """One follower, its account, and the leader's. `chance` decides what happens; quantities from
    `freeze` (shares) on go in slices. It begins with so many `permits`."""

    permits = 1000

    def __init__(self, seed: int, freeze: int | None = None, rules: Rules = CALM) -> None:
        self._freeze, self._rules = freeze, rules
        self.chance = Random(seed)
        self.now: datetime = NOON
        self._ns = 0
        self.leaders = Exchange(LEADER, lambda: self.now, self.ns)
        self.account = Exchange(FOLLOWER, lambda: self.now, self.ns)
        self._line: deque[Intent] = deque()
        self._answers: list[tuple[Intent, Outcome]] = []
        self._alarms: list[tuple[datetime, str]] = []
        self._kept: dict[str, Order] = {}
        self.halt: HaltAsked | None = None
        self.following = self._begin(Restored(()))

    def ns(self) -> int:
        self._ns += 1
        return self._ns

    # Hands

    def note(self, told: Input, now: datetime) -> None:
        """Nothing: this is not to be kept."""

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        made = intent("asha", FOLLOWER, copy, step, timing, now, self.ns())
        self._line.append(made)

    def ring(self, leader_id: str, after: timedelta) -> None:
        self._alarms.append((self.now + after, leader_id))

    # The follower

    def _begin(self, kept: Restored) -> Following:
        self.following = Following("asha", FOLLOWER, Mandate(self._rules), Post(), self)
        self.following.open(self.now)
        for told in (
            MarketFound(Schedule.NSE_FNO, takes=True),
            InstrumentsFound((replace(CONTRACT, freeze=self._freeze),)),
            Granted(self.permits),
            kept,
        ):
            self.following.take(told, self.now)
        return self.following

    def take(self, told: Input) -> None:
        self.following.take(told, self.now)

    def restart(self) -> None:
        """The process dies, and comes again with what the ledger kept."""
        while self._line:
            self._arrives(self.chance.choice((Fate.LOST_ACTED, Fate.LOST_IDLE)))
        self._answers.clear()
        self._alarms.clear()
        self.account.events.clear()
        book = self.following.book
        self._kept |= {one.order_id: one for one in reversed(list(book.known_orders()))}
        placed = {key for key, copy in book.copies.items() if copy.attempts}
        orders = tuple(one for key, one in self._kept.items() if key in placed)
        self._begin(Restored(tuple(book.copies.values()), orders, halt=self.halt))

    def flatten(self) -> None:
        self.halt = FLATTEN
        self.take(Halted(FLATTEN))

    # What happens

    def leads(self) -> None:
        """The leader places an order, or one of them goes on."""
        if self.chance.random() < 0.6 or not self.leaders.orders:
            side = self.chance.choice((Side.BUY, Side.BUY, Side.SELL))
            asked = terms(LOT * self.chance.randint(2, 6))
            self.leaders.place(KEY, side, Product.INTRADAY, asked)
        one = self._any(self.leaders)
        assert one is not None
        self.leaders.confirm(one)
        self.leaders.fill(one, self.chance.randint(0, 3), LOT, 10_000)
        for order in self.leaders.book(self.ns()):
            self.take(OrderSeen(order, NOON, self.ns(), ltp=10_000))

    def acts(self) -> None:
        """One thing happens between the follower and its broker."""
        what = self.chance.choice(("line", "answer", "settle", "fill", "hear", "book", "time"))
        if what == "line" and self._line:
            self._arrives(self.chance.choice(_FATES))
        elif what == "answer" and self._answers:
            self._answer(self.chance.randrange(len(self._answers)))
        elif what == "settle" and (one := self._any(self.account)):
            self.account.settle(one)
        elif what == "fill" and (one := self._any(self.account)):
            self.account.fill(one, self.chance.randint(1, 3), LOT, 10_000)
        elif what == "hear" and self.account.events:
            which = self.chance.randrange(len(self.account.events))
            told = self.account.events.pop(which)
            if self.chance.random() < 0.7:
                self.take(Heard((OrderHeard(told),)))
        elif what == "book":
            self.reads()
        elif what == "time":
            self.passes(self.chance.choice((0.1, 1.0, 4.0)))

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        due = [leader_id for at, leader_id in self._alarms if at <= self.now]
        self._alarms = [one for one in self._alarms if one[0] > self.now]
        for leader_id in due:
            self.take(Rang(leader_id))
        self.following.look(self.now)
        self.take(Granted(10))

    def reads(self) -> None:
        """The account's order book is asked for, and comes a moment later."""
        asked_at, rows = self.now, self.account.book(self.ns())
        self.now += timedelta(milliseconds=20)
        self.take(BookRead(rows, asked_at, complete=True))

    def calms(self) -> None:
        """From now on all goes well, and whatever leaves a position trades."""
        for _ in range(200):
            self.arrives_all()
            for one in list(self.account.orders.values()):
                self.account.settle(one)
                if one.correlation_id and one.correlation_id.startswith("LSh"):
                    self.account.fill(one, 100, LOT, 10_000)
            self.account.events.clear()
            self.reads()
            self.passes(1.0)
            if self.following.flattening.flat:
                return

    def arrives_all(self) -> None:
        """Whatever is on its way arrives, and is answered."""
        while self._line:
            self._arrives(Fate.CARRIED_OUT)
        while self._answers:
            self._answer(0)

    def _arrives(self, fate: Fate) -> None:
        sent = self._line.popleft()
        outcome = carry_out(self.account, sent, fate, hidden=0.0)
        if fate not in LOST:
            self._answers.append((sent, outcome))

    def _answer(self, which: int) -> None:
        sent, outcome = self._answers.pop(which)
        self.take(Answered(sent, outcome, self.ns(), self.ns(), self.ns()))

    def _any(self, exchange: Exchange) -> TrueOrder | None:
        orders = list(exchange.orders.values())
        return self.chance.choice(orders) if orders else None

    # What is so

    @property
    def net(self) -> int:
        """The account's true position (shares, signed)."""
        return sum(signed(one, one.filled) for one in self.account.orders.values())

    @property
    def overshoot(self) -> int:
        """By how much the orders that leave positions may turn them round, with what is sent and
        has not arrived; it cannot be mended by whatever else trades."""
        rest = sum(
            signed(one, one.terms.quantity - one.filled)
            for one in self.account.orders.values()
            if one.open and (one.correlation_id or "").startswith("LSh")
        )
        for one in self._line:
            if isinstance(one.request, Place) and one.leader_order_id.startswith("FLAT-"):
                ticket = one.request.ticket
                rest += ticket.side.sign * ticket.terms.quantity
        left = self.net + rest
        if not rest or left * rest < 0 or not left:
            return 0
        return abs(left)

    @property
    def still_open(self) -> list[TrueOrder]:
        return [one for one in self.account.orders.values() if one.open]


def signed(order: TrueOrder, shares: int) -> int:
    return order.side.sign * shares
