"""A leader, one follower's `CopyBook` and a toy broker between them, driven one thing at a time.

Everything that the world does to a copy is a method here; `tests.domain.judge` says what must hold
of every request and of the state in which it all ends. Hypothesis chooses what happens.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from domain.copies import Copy
from domain.copybook import CopyBook
from domain.instructions import Instruction
from domain.instruments import Instrument
from domain.messages import Answered, Intent, OrderSeen
from domain.orders import Order, Product, Side, Status, Terms
from domain.outcomes import Outcome
from domain.rules import Mood, Rules
from domain.sizing import Multiplier
from domain.steps import Cancel, Hold, Modify, Place, Request, Skip, Step
from tests.domain import judge
from tests.domain.builders import CONTRACT, FOLLOWER, KEY, LEADER, LOT, NOON, intent
from tests.domain.exchange import Exchange, TrueOrder
from tests.domain.fates import LOST, Fate, carry_out

CAP = 4  # of modifications: few, so that it is reached
REST = timedelta(seconds=60)
PRICE = 10_000


class World:
    """One leader order and its copy. Times move only when told to."""

    def __init__(
        self,
        asked: Terms,
        max_age: timedelta = timedelta(hours=1),
        factor: Fraction = Fraction(1),
        contract: Instrument = CONTRACT,
        inverse: bool = False,
    ) -> None:
        self.now = NOON
        self._ns = 0
        self._sizing, self._contract = Multiplier(factor), contract
        self.rules = Rules(
            "asha", self._sizing, max_age=max_age, modification_cap=CAP, inverse=inverse
        )
        self.mood, self.open, self.ltp = Mood.ACTIVE, True, PRICE
        self.leaders = Exchange(LEADER, lambda: self.now, self.ns)
        self.account = Exchange(FOLLOWER, lambda: self.now, self.ns, cap=CAP)
        self.book = self._new_book()
        self.line: deque[Intent] = deque()
        self.answers: list[tuple[Intent, Outcome]] = []
        self.books: list[tuple[datetime, tuple[Order, ...]]] = []
        self.asked: dict[int, judge.Asked] = {}
        self.requests = 0
        self.step: Step | None = None
        self.leader = self.leaders.place(KEY, Side.BUY, Product.INTRADAY, asked)
        self.most = self._share(asked.quantity)
        self.got = 0

    def ns(self) -> int:
        """A monotonic clock that never stands still."""
        self._ns += 1
        return self._ns

    def _new_book(self) -> CopyBook:
        book = CopyBook(self.rules)
        book.listings.learn((self._contract,))
        return book

    def _share(self, quantity: int) -> int:
        return self._sizing.size(quantity, LOT)

    @property
    def copy(self) -> Copy | None:
        return self.book.copies.get(self.leader.order_id)

    # The leader

    def leader_confirms(self) -> None:
        self.leaders.confirm(self.leader)

    def leader_fills(self, lots: int) -> None:
        self.leaders.fill(self.leader, lots, LOT, PRICE)
        self.got = self._share(self.leader.filled)

    def leader_modifies(self, terms: Terms) -> None:
        if self.leader.status is not Status.TRANSIT and self.leaders.modify(self.leader, terms):
            self.most = max(self.most, self._share(terms.quantity))

    def leader_ends(self, status: Status) -> None:
        if status is Status.REJECTED and self.leader.filled:
            return
        self.leaders.end(self.leader, status)

    # What is heard of the leader

    def feed(self, which: int, keep: bool, garbled: bool = False) -> None:
        """Deliver one of the leader's events; kept, it will come again."""
        event = self._event(self.leaders, which, keep)
        if event is not None:
            self._see(replace(event, status=Status.UNREADABLE) if garbled else event)

    def lose(self, which: int) -> None:
        """An event of the leader's that nobody ever hears."""
        self._event(self.leaders, which, keep=False)

    def sweep(self) -> None:
        """The leader's order book is read."""
        for row in self.leaders.book(self.ns()):
            self._see(row)

    def _event(self, exchange: Exchange, which: int, keep: bool) -> Order | None:
        if not exchange.events:
            return None
        place = which % len(exchange.events)
        event = exchange.events[place] if keep else exchange.events.pop(place)
        return replace(event, stamp=replace(event.stamp, heard=self.ns()))

    def _see(self, order: Order) -> None:
        hint = Instrument(order.instrument, LOT, 5)
        if self.book.seen(OrderSeen(order, NOON, order.stamp.heard, hint, self.ltp)):
            self._hear_news()
        self.consider()

    # The follower's account

    def line_acts(self, fate: Fate, hidden: float = 0.0) -> None:
        """The oldest request arrives at the broker, or does not; it may be answered at once or
        later."""
        if self.line:
            sent = self.line.popleft()
            outcome = carry_out(self.account, sent, fate, hidden)
            inverse = any(order.side is Side.SELL for order in self.account.orders.values())
            most = self.got if inverse else self.most
            judge.never_too_much(self.account, most, bool(self._contract.most))
            if fate not in LOST:
                self.answers.append((sent, outcome))

    def answer(self, which: int) -> None:
        """An answer comes in."""
        if not self.answers:
            return
        sent, outcome = self.answers.pop(which % len(self.answers))
        answered = Answered(sent, outcome, self.ns(), self.ns(), self.ns())
        asked = self.asked[sent.slice_number]
        if sent.request is asked.request:
            asked.answered_at, asked.outcome = self.now, outcome
        self.book.answered(answered, self.now)
        self.consider()

    def account_settles(self, which: int) -> None:
        """The exchange confirms an order of the follower, carries out a cancel, ends an IOC."""
        if order := self._order(which):
            self.account.settle(order)

    def account_fills(self, which: int, lots: int) -> None:
        if order := self._order(which):
            self.account.fill(order, lots, LOT, PRICE + 5)

    def account_ends(self, which: int, status: Status) -> None:
        """The broker rejects an order in transit, or the day ends for one."""
        order = self._order(which)
        if order and (status is Status.EXPIRED or order.status is Status.TRANSIT):
            self.account.end(order, status)

    def _order(self, which: int) -> TrueOrder | None:
        orders = list(self.account.orders.values())
        return orders[which % len(orders)] if orders else None

    def hear(self, which: int, keep: bool) -> None:
        """Deliver one of the follower's own events."""
        event = self._event(self.account, which, keep)
        if event is not None:
            before = self.copy
            self.book.heard(event)
            if self.copy is not before:
                self._hear_news()
            self.consider()

    def miss(self, which: int) -> None:
        """An event of the follower's account that nobody ever hears."""
        self._event(self.account, which, keep=False)

    def ask_book(self) -> None:
        """The broker makes an order book, which arrives later."""
        self.books.append((self.now, self.account.book(self.ns())))

    def read_book(self, which: int) -> None:
        if not self.books:
            return
        asked_at, rows = self.books.pop(which % len(self.books))
        before = self.copy
        self.book.read(rows, asked_at)
        if self.copy is not before:
            self._hear_news()
        self.consider()

    def instruct(self, told: Instruction, shown: Order | None) -> None:
        """The operator settles a parked copy."""
        self.book.resolve(told, shown)
        self._hear_news()
        self.consider()

    # The host

    def turn(self, inverse: bool) -> None:
        """The follower is to take the other side of the leader, or no more."""
        self.rules = replace(self.rules, inverse=inverse)
        self.book.resize(self.rules)
        self._hear_news()
        self.consider()

    def tick(self, milliseconds: int) -> None:
        """Time passes; no request waits longer than the wire has patience, and what was never
        answered is doubted."""
        self.now += timedelta(milliseconds=milliseconds)
        while self.line and self.now - self.line[0].intended_at >= judge.WIRE_TIMEOUT:
            self.line_acts(Fate.UNKNOWN_IDLE)
        self.book.overdue(list(self.book.copies), self.now - judge.NEVER_ANSWERED)
        self.book.give_up(self.now)
        self.consider()

    def price(self, ltp: int) -> None:
        self.ltp = ltp
        self.book.listings.price(KEY, ltp, self.now)
        self.consider()

    def market(self, is_open: bool) -> None:
        self.open = is_open
        self.consider()

    def unrecorded(self) -> None:
        """The ledger could not keep the newest intent, so that nothing is sent."""
        if self.line:
            self.book.unrecorded(self.line.pop())
            self._hear_news()

    def restart(self) -> None:
        """The process dies and comes again: answers on their way are lost, events too."""
        self.line.clear()
        self.answers.clear()
        self.books.clear()
        kept = [copy for copy in self.book.copies.values() if copy.attempts or copy.skipped]
        self.book = self._new_book()
        self.book.restore(kept, self.now)
        self._hear_news()
        self.sweep()

    def _hear_news(self) -> None:
        for asked in self.asked.values():
            asked.news = True

    # What the copier does

    def consider(self) -> None:
        """Ask for the next step, check that it may be asked for, and send it."""
        leader_id = self.leader.order_id
        if leader_id not in self.book.orders:
            return
        self.step = self.book.step(leader_id, self.mood, self.open, self.now)
        while isinstance(self.step, Place | Modify | Cancel):
            self._send(self.step)
            if not self.book.in_slices(leader_id):
                break
            self.step = self.book.step(leader_id, self.mood, self.open, self.now)
        match self.step:
            case Hold(_, until):
                assert until is None or until > self.now, "a hold that is over already"
            case Skip():
                self.book.skip(leader_id, self.step)
        assert self.book.report(leader_id, self.now) is not None

    def _send(self, request: Request) -> None:
        copy, leader_id = self.copy, self.leader.order_id
        assert copy is not None
        sent = intent(copy, request, self.now, planned_ns=self.ns())
        if asked := self.asked.get(sent.slice_number):
            asked.allows(request, self.now)
        if isinstance(request, Place):
            most = self._contract.most
            assert most is None or request.ticket.terms.quantity <= most
            assert self.open
            known, on_its_way = self.book.orders[leader_id], [sent.request for sent in self.line]
            judge.may_place(request, copy, known, self.account, on_its_way)
        else:
            judge.may_change(request, copy)
        self.line.append(sent)
        self.book.intended(leader_id, request, self.now)
        self.asked[sent.slice_number] = judge.Asked(request, self.now)
        self.requests += 1

    # The end

    def quiesce(self) -> None:
        """Nothing more goes wrong: everything is heard, answered and carried out, for long
        enough that every pause is over."""
        self.mood, self.open = Mood.ACTIVE, True
        self.leader_confirms()
        deadline, quiet = self.now + REST, 0
        while quiet < 5 or self.now < deadline or self.line:
            before = self.requests
            self._catch_up()
            self.tick(1000 if quiet < 5 or self.line else 10_000)
            quiet = quiet + 1 if self.requests == before else 0
            assert self.now < deadline + 5 * REST, f"it never comes to rest: {self.step}"

    def _catch_up(self) -> None:
        self.sweep()
        while self.line or self.answers:
            self.line_acts(Fate.CARRIED_OUT)
            self.answer(0)
        for which in range(len(self.account.orders)):
            self.account_settles(which)
        while self.account.events:
            self.hear(0, keep=False)
        self.ask_book()
        while self.books:
            self.read_book(0)

    def check_end(self) -> None:
        """The follower has what the rule says, whatever happened on the way."""
        copy, report = self.copy, self.book.report(self.leader.order_id, self.now)
        assert copy is not None
        assert report is not None
        if self.book.orders[self.leader.order_id].mirrored:
            judge.ended_mirrored(self.leader, copy, self.account, report)
        else:
            judge.ended_well(self.leader, copy, self.account, report)
