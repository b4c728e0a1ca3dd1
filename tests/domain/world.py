"""A leader, one follower's `CopyBook` and a toy broker between them, driven one thing at a time.

Everything that the world does to a copy is a method here; what must hold of every request, and of
the state in which it all ends, is asserted here too. Hypothesis chooses what happens.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from domain.copies import Attempt, Change, Copy, Stage
from domain.copybook import CopyBook
from domain.instruments import Instrument
from domain.messages import Answered, Intent, OrderSeen
from domain.orders import Order, OrderType, Product, Side, Status, Terms, Validity
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)
from domain.rules import Mood, Rules
from domain.sizing import Multiplier
from domain.steps import Cancel, Hold, Modify, Place, Request, Skip, Step
from tests.domain.builders import CONTRACT, FOLLOWER, KEY, LEADER, LOT, NOON
from tests.domain.exchange import Exchange, TrueOrder

WIRE_TIMEOUT = timedelta(seconds=7)
NEVER_ANSWERED = WIRE_TIMEOUT + timedelta(seconds=10)
LEAST_PAUSE = timedelta(milliseconds=250)
CAP = 4  # of modifications: few, so that it is reached
REST = timedelta(seconds=60)
PRICE = 10_000


class Fate(StrEnum):
    """What becomes of a request."""

    CARRIED_OUT = "carried out"
    REFUSED = "refused"
    TOO_EARLY = "refused for a reason that passes"
    THROTTLED = "throttled"
    NOT_SENT = "not sent"
    UNKNOWN_ACTED = "unclear, but carried out"
    UNKNOWN_IDLE = "unclear, and not carried out"
    LOST_ACTED = "never answered, but carried out"
    LOST_IDLE = "never answered, and not carried out"


_ACTING = frozenset({Fate.CARRIED_OUT, Fate.UNKNOWN_ACTED, Fate.LOST_ACTED})
_UNCLEAR = frozenset({Fate.UNKNOWN_ACTED, Fate.UNKNOWN_IDLE})
_LOST = frozenset({Fate.LOST_ACTED, Fate.LOST_IDLE})


@dataclass(slots=True)
class Asked:
    """The last request for a copy: when it was clearly or unclearly answered, and whether
    anything was heard since it left."""

    request: Request
    at: datetime
    answered_at: datetime | None = None
    outcome: Outcome | None = None
    news: bool = False


class World:
    """One leader order and its copy. Times move only when told to."""

    def __init__(
        self, asked: Terms, max_age: timedelta = timedelta(hours=1), factor: Fraction = Fraction(1)
    ) -> None:
        self.now = NOON
        self._ns = 0
        self.rules = Rules("asha", sizing=Multiplier(factor), max_age=max_age, modification_cap=CAP)
        self.mood, self.open, self.ltp = Mood.ACTIVE, True, PRICE
        self.leaders = Exchange(LEADER, lambda: self.now, self.ns)
        self.account = Exchange(FOLLOWER, lambda: self.now, self.ns, cap=CAP)
        self.book = self._new_book()
        self.line: deque[Intent] = deque()
        self.answers: list[tuple[Intent, Outcome]] = []
        self.books: list[tuple[datetime, tuple[Order, ...]]] = []
        self.asked: Asked | None = None
        self.requests = 0
        self.step: Step | None = None
        self.leader = self.leaders.place(KEY, Side.BUY, Product.INTRADAY, asked)
        self.most = self._share(asked.quantity)

    def ns(self) -> int:
        """A monotonic clock that never stands still."""
        self._ns += 1
        return self._ns

    def _new_book(self) -> CopyBook:
        book = CopyBook(self.rules)
        book.master({KEY: CONTRACT})
        return book

    def _share(self, quantity: int) -> int:
        return self.rules.sizing.size(quantity, LOT)

    @property
    def copy(self) -> Copy | None:
        return self.book.copies.get(self.leader.order_id)

    # The leader

    def leader_confirms(self) -> None:
        self.leaders.confirm(self.leader)

    def leader_fills(self, lots: int) -> None:
        self.leaders.fill(self.leader, lots, LOT, PRICE)

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
            intent = self.line.popleft()
            outcome = self._carry_out(intent, fate, hidden)
            if fate not in _LOST:
                self.answers.append((intent, outcome))

    def _carry_out(self, intent: Intent, fate: Fate, hidden: float) -> Outcome:
        request = intent.request
        if fate in _ACTING:
            refusal = self._act(request, hidden)
            if refusal is not None and fate is Fate.CARRIED_OUT:
                return refusal
        if fate is Fate.CARRIED_OUT:
            return Accepted(self._placed_id(intent) if isinstance(request, Place) else "")
        if fate in _UNCLEAR or fate in _LOST:
            return Unknown("timeout")
        if fate is Fate.THROTTLED:
            return Throttled("429")
        if fate is Fate.NOT_SENT:
            return NotSent("no connection")
        kind = Refused.MARKET_CLOSED if fate is Fate.TOO_EARLY else Refused.MARGIN
        return Refusal(kind, "no")

    def _act(self, request: Request, hidden: float) -> Refusal | None:
        if isinstance(request, Place):
            ticket = request.ticket
            self.account.place(
                ticket.instrument,
                ticket.side,
                ticket.product,
                ticket.terms,
                ticket.correlation_id,
                hidden,
            )
            self._check_exposure()
            return None
        order = self.account.orders[request.order_id]
        if not order.open:
            return Refusal(Refused.GONE, "already traded")
        if isinstance(request, Cancel):
            if order.status is Status.TRANSIT:
                return Refusal(Refused.IN_TRANSIT, "transit state")
            order.cancelling = True
            return None
        if self.account.modify(order, request.terms):
            self._check_exposure()
            return None
        capped = order.modifications >= CAP
        return Refusal(Refused.MODIFICATIONS if capped else Refused.QUANTITY, "not so")

    def _placed_id(self, intent: Intent) -> str:
        return next(
            order.order_id
            for order in self.account.orders.values()
            if order.correlation_id == intent.correlation_id
        )

    def answer(self, which: int) -> None:
        """An answer comes in."""
        if not self.answers:
            return
        intent, outcome = self.answers.pop(which % len(self.answers))
        answered = Answered(intent, outcome, self.ns(), self.ns(), self.ns())
        if self.asked and intent.request is self.asked.request:
            self.asked.answered_at, self.asked.outcome = self.now, outcome
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

    # The host

    def tick(self, milliseconds: int) -> None:
        """Time passes; no request waits longer than the wire has patience, and what was never
        answered is doubted."""
        self.now += timedelta(milliseconds=milliseconds)
        while self.line and self.now - self.line[0].intended_at >= WIRE_TIMEOUT:
            self.line_acts(Fate.UNKNOWN_IDLE)
        self.book.overdue(list(self.book.copies), self.now - NEVER_ANSWERED)
        self.book.give_up(self.now)
        self.consider()

    def price(self, ltp: int) -> None:
        self.ltp = ltp
        self.book.price(KEY, ltp)
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
        if self.asked:
            self.asked.news = True

    # What the copier does

    def consider(self) -> None:
        """Ask for the next step, check that it may be asked for, and send it."""
        leader_id = self.leader.order_id
        if leader_id not in self.book.orders:
            return
        self.step = self.book.step(leader_id, self.mood, self.open, self.now)
        match self.step:
            case Place() | Modify() | Cancel():
                self._send(self.step)
            case Hold(_, until):
                assert until is None or until > self.now, "a hold that is over already"
            case Skip():
                self.book.skip(leader_id, self.step)
        assert self.book.report(leader_id, self.now) is not None

    def _send(self, request: Request) -> None:
        self._check_pace(request)
        copy, leader_id = self.copy, self.leader.order_id
        assert copy is not None
        if isinstance(request, Place):
            self._check_place(request, copy)
            number, change, order_id = request.number, None, ""
            correlation = request.ticket.correlation_id
        else:
            attempt = self._check_change(request, copy)
            number, order_id = attempt.number, request.order_id
            correlation = attempt.ticket.correlation_id
            change = Change.MODIFY if isinstance(request, Modify) else Change.CANCEL
        intent = Intent(
            follower="asha",
            client_id=FOLLOWER,
            leader_order_id=leader_id,
            correlation_id=correlation,
            slice_number=0,
            number=number,
            change=change,
            request=request,
            order_id=order_id,
            sizing=copy.sizing.text,
            born=copy.born,
            intended_at=self.now,
            heard_ns=0,
            planned_ns=self.ns(),
        )
        self.book.intended(leader_id, request, self.now)
        self.line.append(intent)
        self.asked = Asked(request, self.now)
        self.requests += 1

    def _check_place(self, request: Place, copy: Copy) -> None:
        assert all(attempt.ended for attempt in copy.attempts)
        assert all(attempt.stage is not Stage.PARKED for attempt in copy.attempts)
        assert not any(isinstance(intent.request, Place) for intent in self.line)
        assert not any(order.open for order in self.account.orders.values())
        assert request.number > max((a.number for a in copy.attempts), default=-1)
        known, ticket = self.book.orders[self.leader.order_id], request.ticket
        assert not (known.cut_short and not known.filled)
        assert self.open
        if known.terms.validity is Validity.IOC:
            assert ticket.terms.validity is Validity.IOC
        assert ticket.terms.order_type in (OrderType.LIMIT, OrderType.STOP_LOSS)
        names = {attempt.ticket.correlation_id for attempt in copy.attempts}
        assert ticket.correlation_id not in names

    def _check_change(self, request: Modify | Cancel, copy: Copy) -> Attempt:
        attempt = next(a for a in copy.attempts if a.order_id == request.order_id)
        assert not attempt.ended
        assert attempt.pending is None
        if isinstance(request, Modify):
            assert request.terms.quantity > attempt.filled
            assert attempt is copy.current
        return attempt

    def _check_exposure(self) -> None:
        exposed = sum(order.exposed for order in self.account.orders.values())
        assert exposed <= self.most, f"{exposed} shares open or traded, {self.most} at most wanted"
        assert sum(order.open for order in self.account.orders.values()) <= 1

    def _check_pace(self, request: Request) -> None:
        asked = self.asked
        if asked is None or asked.news:
            return
        assert asked.answered_at or self.now - asked.at >= NEVER_ANSWERED
        outcome, since = asked.outcome, asked.answered_at or asked.at
        if isinstance(outcome, Refusal) and outcome.kind is Refused.MODIFICATIONS:
            return
        if isinstance(outcome, Accepted):
            since = asked.at
        elif isinstance(asked.request, Modify) and _declined(outcome):
            assert request != asked.request, "refused terms are not asked for again"
            since = asked.at
        assert self.now - since >= LEAST_PAUSE, f"{request} right after {asked}"

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
        copy = self.copy
        assert copy is not None
        if any(attempt.stage is Stage.PARKED for attempt in copy.attempts):
            return
        orders = list(self.account.orders.values())
        standing = [order for order in orders if order.open]
        traded = sum(order.filled for order in orders)
        assert copy.filled == traded
        report = self.book.report(self.leader.order_id, self.now)
        assert report is not None
        if self.leader.status.terminal and self.leader.status is not Status.TRADED:
            assert not standing, "open, though the leader's order is closed"
            assert report.in_step == (copy.left_out or traded == self._share(self.leader.filled))
            return
        wants = self._share(self.leader.terms.quantity)
        if standing:
            self._check_standing(standing[0], wants - traded + standing[0].filled, copy)
        elif not copy.left_out:
            assert traded >= wants or not wants or _lost(copy, self.leader.terms), "a copy got lost"
        if report.in_step and not copy.left_out:
            assert standing or traded == wants

    def _check_standing(self, order: TrueOrder, quantity: int, copy: Copy) -> None:
        attempt = copy.current
        assert attempt is not None
        assert order.order_id == attempt.order_id
        if attempt.declined is not None:
            return
        asked, terms = self.leader.terms, order.terms
        assert terms.quantity == quantity
        assert terms.validity is asked.validity
        triggered = self.leader.status is Status.TRADED and asked.order_type.has_trigger
        if triggered and not terms.order_type.has_trigger:
            assert terms.order_type is OrderType.LIMIT
        elif asked.order_type.has_price:
            assert (terms.order_type, terms.price) == (asked.order_type, asked.price)
            assert terms.trigger == asked.trigger
        elif asked.order_type.has_trigger:
            assert terms.order_type is OrderType.STOP_LOSS
            assert terms.trigger == asked.trigger < terms.price
        else:
            assert terms.order_type is OrderType.LIMIT
            assert terms.price > 0


def _declined(outcome: Outcome | None) -> bool:
    """Whether the broker refused these terms, and not just this moment."""
    return isinstance(outcome, Refusal) and outcome.kind in (Refused.MARGIN, Refused.QUANTITY)


def _lost(copy: Copy, asked: Terms) -> bool:
    """Whether the copy ended by no doing of Lockstep's, so that it is not placed anew."""
    attempt = copy.current
    if attempt is None:
        return False
    if attempt.stage is Stage.REFUSED or attempt.status in (Status.REJECTED, Status.EXPIRED):
        return True
    ioc = attempt.order is not None and attempt.order.terms.validity is Validity.IOC
    return attempt.status is Status.CANCELLED and (ioc or asked.validity is Validity.IOC)


_PRICES = (9_900, 10_000, 10_050, 10_200)
_FATES = tuple(Fate)
_ENDS = (Status.CANCELLED, Status.EXPIRED, Status.REJECTED)


def changed(asked: Terms, which: int) -> Terms:
    """Other terms that a leader may give an order, by number."""
    what, which = which % 7, which // 7
    if what in (0, 1, 2):
        return replace(asked, quantity=LOT * (1 + which % 8))
    if what in (3, 4) and asked.order_type.has_price:
        return replace(asked, price=_PRICES[which % 4])
    if what == 5 and which % 3 == 0:
        return replace(asked, validity=Validity.IOC)
    kind = tuple(OrderType)[which % 4]
    return Terms(
        asked.quantity,
        kind,
        price=_PRICES[which % 4] if kind.has_price else 0,
        trigger=9_950 + 5 * (which % 3) if kind.has_trigger else 0,
        validity=asked.validity,
    )


def _pause(world: World, which: int) -> None:
    world.mood = Mood.PAUSED if which % 3 == 0 else Mood.ACTIVE
    world.consider()


def _hurry(world: World, which: int) -> None:
    """A request goes through as it should."""
    world.line_acts(Fate.CARRIED_OUT)
    world.answer(0)


def _doubt(world: World, which: int) -> None:
    """A request is long on its way, its answer gets lost, and books are late to show it."""
    world.tick(1000 * (which % 6))
    world.line_acts(Fate.UNKNOWN_ACTED if which % 3 else Fate.UNKNOWN_IDLE, hidden=9)
    world.answer(-1)


def _look(world: World, _: int) -> None:
    """A book is read, a few seconds after the last."""
    world.tick(2500)
    world.ask_book()
    world.read_book(-1)


def _scramble(world: World, which: int) -> None:
    """Two changes within one second, told in the wrong order."""
    world.leader_modifies(changed(world.leader.terms, which))
    world.leader_modifies(changed(world.leader.terms, which // 7))
    world.leader_fills(which % 3)
    while world.leaders.events:
        world.feed(-1, keep=False)


MOVES: dict[str, tuple[int, Callable[[World, int], None]]] = {
    "the leader's order reaches the market": (2, lambda w, n: w.leader_confirms()),
    "the leader's order trades": (2, lambda w, n: w.leader_fills(1 + n % 3)),
    "the leader modifies": (4, lambda w, n: w.leader_modifies(changed(w.leader.terms, n))),
    "the leader's order ends": (1, lambda w, n: w.leader_ends(_ENDS[n % 3])),
    "the feed tells": (2, lambda w, n: w.feed(n // 2, keep=n % 2 == 0)),
    "the feed tells in order": (4, lambda w, n: w.feed(0, keep=False)),
    "the feed tells in an unknown word": (1, lambda w, n: w.feed(n, keep=False, garbled=True)),
    "the feed loses": (1, lambda w, n: w.lose(n)),
    "the leader's book is read": (1, lambda w, n: w.sweep()),
    "a request arrives": (4, lambda w, n: w.line_acts(_FATES[n % 9], hidden=(n // 9) % 9)),
    "a request is carried out": (4, _hurry),
    "an answer comes": (4, lambda w, n: w.answer(n)),
    "the exchange works": (4, lambda w, n: w.account_settles(n)),
    "the copy trades": (3, lambda w, n: w.account_fills(n // 3, 1 + n % 3)),
    "the copy is ended": (1, lambda w, n: w.account_ends(n // 8, _ENDS[1 + (n % 8 < 4)])),
    "the account's feed tells": (2, lambda w, n: w.hear(n // 2, keep=n % 2 == 0)),
    "the account's feed tells in order": (4, lambda w, n: w.hear(0, keep=False)),
    "the account's feed loses": (1, lambda w, n: w.miss(n)),
    "a book is asked for": (2, lambda w, n: w.ask_book()),
    "a book comes": (2, lambda w, n: w.read_book(n)),
    "an answer gets lost": (3, _doubt),
    "the account is looked at": (4, _look),
    "changes come in the wrong order": (2, _scramble),
    "moments pass": (4, lambda w, n: w.tick(50 + 100 * (n % 10))),
    "seconds pass": (2, lambda w, n: w.tick(1000 + 1000 * (n % 6))),
    "the price moves": (1, lambda w, n: w.price(9_000 + 5 * (n % 400))),
    "the market opens or closes": (1, lambda w, n: w.market(n % 4 != 0)),
    "the owner pauses or resumes": (1, _pause),
    "the ledger fails": (1, lambda w, n: w.unrecorded()),
    "the process starts again": (1, lambda w, n: w.restart()),
}
CHOICES = tuple(name for name, (weight, _) in MOVES.items() for _ in range(weight))


def play(world: World, moves: Sequence[tuple[str, int]]) -> None:
    """Let things happen: what, by its name, and to which, by a number."""
    for name, which in moves:
        MOVES[name][1](world, which)


def begin(world: World) -> None:
    """The leader's order and its copy both stand in the market."""
    world.leader_confirms()
    world.feed(1, keep=False)
    _hurry(world, 0)
    world.account_settles(0)
    world.hear(0, keep=False)
