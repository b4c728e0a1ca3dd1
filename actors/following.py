"""How one follower follows: from each thing that it learns to the requests that it sends.

Without threads, sockets or clocks of its own: it takes one `domain.inputs` after another, each at
one instant, and what it wants done goes out through `Hands`. So a recorded day can be followed
again (`desk.replaying`), by the very same decisions.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from actors.flattening import Flattening
from actors.hands import Hands
from actors.pace import Pace
from actors.post import Post
from actors.reporter import Reporter
from actors.standing import Standing
from domain.breaker import Breaker, Circuit
from domain.copies import Skipped
from domain.copybook import CopyBook
from domain.funds import FreeCash, MarginTold
from domain.halts import HaltAsked
from domain.inputs import (
    AddressTold,
    BookRead,
    BookRefused,
    CapitalFound,
    Drained,
    Granted,
    Halted,
    Heard,
    Input,
    Instructed,
    InstrumentsFound,
    InstrumentsMissed,
    LegsAlone,
    LimiterLost,
    Looked,
    Mandate,
    Mandated,
    MarketFound,
    Opened,
    Rang,
    Restored,
)
from domain.instruments import Instrument, InstrumentKey
from domain.legs import Legs, bought_first
from domain.limits import DayLoss
from domain.lone_legs import dropped
from domain.messages import (
    Answered,
    Intent,
    NotRecorded,
    OrderHeard,
    OrderSeen,
)
from domain.outcomes import Accepted, NotSent, Outcome, Refusal, Throttled, Unknown
from domain.schedules import Schedule
from domain.sessions import Session
from domain.steps import Cancel, Done, Hold, Modify, Place, Request, Skip, Step, Why
from domain.unread import Unread

logger = logging.getLogger(__name__)

_OVERDUE = timedelta(seconds=10)
_LEDGER_PAUSE = timedelta(seconds=1)
_RANK = {Cancel: 0, Modify: 1, Place: 2}


class Following:
    """One follower's decisions, with everything that they depend on."""

    def __init__(
        self, name: str, client_id: str, mandate: Mandate, post: Post, hands: Hands
    ) -> None:
        self.book = CopyBook(mandate.rules)
        self.pace = Pace(post, client_id, name)
        self.standing = Standing(post, name, mandate.paused)
        self.reporter = Reporter(post, self.book)
        self.flattening = Flattening(post, client_id, self.book, self.standing)
        self.ready = False
        self.drained = False
        self.breaker = Breaker()
        self.live: dict[str, None] = {}
        self.unread = Unread()
        self.legs = Legs(self.book)
        self._name = name
        self._mandate = mandate
        self._hands = hands
        self._now: datetime
        self._takes: dict[Schedule, bool] = {}
        self._waiting: dict[str, type[Request]] = {}
        self._waiting_since: dict[str, datetime] = {}
        self._heard_ns: dict[str, int] = {}
        self._alarms: dict[str, datetime] = {}

    def open(self, now: datetime) -> None:
        """Begin, with nothing to decide about until `Restored`."""
        self._hands.note(Opened(self._mandate), now)
        self.pace.open(self._mandate, now)
        self.legs.began(now)
        self.standing.tell()

    def look(self, now: datetime) -> None:
        """Do what only time asks for: doubt what was never answered, and give up what was looked
        for too long."""
        doubted = self.book.overdue(self.live, now - self._mandate.patience - _OVERDUE)
        parked = self.book.give_up(now)
        if not doubted and not parked:
            return
        self._hands.note(Looked(), now)
        self._now = now
        if doubted:
            self.pace.open(self._mandate, now)
            self.breaker = self.breaker.lost(now)
        self._consider_each(doubted)
        for leader_id in parked:
            self._gave_up(leader_id)
        if parked:
            self._consider_live(lambda key: True)
        self._consider_stirred()
        self._flatten()

    def take(self, told: Input, now: datetime) -> None:
        """Learn something, and do what follows."""
        if isinstance(told, Looked):
            self.look(now)
            return
        self._hands.note(told, now)
        self._now = now
        match told:
            case OrderSeen():
                self._seen(told)
            case Answered():
                self._answered(told)
            case Granted():
                self._permitted(told)
            case Heard(orders):
                self._heard(orders)
            case BookRead():
                self._book_read(told)
            case CapitalFound(mine, leaders):
                self.book.means.capital(mine, leaders)
                self._consider_live(lambda key: True)
            case FreeCash():
                self.book.funds.told(told, self.book.copies)
                self._consider_each(list(self.book.funds.waiting))
            case MarginTold():
                self.book.funds.margin(told)
                self._consider_each(list(self.book.funds.waiting))
            case Rang(leader_id):
                self._alarms.pop(leader_id, None)
                self._consider(leader_id)
            case MarketFound():
                self._market_found(told)
            case InstrumentsFound(instruments):
                self._found(instruments)
            case InstrumentsMissed(keys, listing):
                self.book.listings.miss(keys, listing)
                self._consider_in(keys)
            case _:
                self._take_rarer(told)
        self._consider_stirred()
        self._flatten()

    def _take_rarer(self, told: Input) -> None:
        match told:
            case NotRecorded(unsent):
                self._not_recorded(unsent)
            case Restored():
                self._restored(told)
            case BookRefused(refusal):
                self.standing.refused(refusal)
            case AddressTold(refusal):
                self._address_told(refusal)
            case Instructed(instruction, shown):
                self.book.resolve(instruction, shown)
                self._consider(instruction.leader_order_id)
            case Halted(asked):
                self._halted(asked)
                self._consider_all()
            case LegsAlone(leader_ids, why):
                self._drop(leader_ids, why)
            case Mandated(mandate):
                self._mandated(mandate)
            case DayLoss():
                self.book.means.lost(told)
                self._mind_loss()
            case LimiterLost():
                self.pace.open(self._mandate, self._now)
            case Drained():
                self.drained = True

    # What happened

    def _seen(self, seen: OrderSeen) -> None:
        order_id = seen.order.order_id
        self.unread.heard(order_id, self._now)
        news = self.book.seen(seen)
        if news:
            self._heard_ns[order_id] = seen.heard_ns
        elif seen.hint is None and seen.ltp is None:
            return  # what is known of the order has more weight now, and leads to no other step
        self._consider(order_id)
        if news and self.book.orders[order_id].filled:
            self._consider_each(self.book.holdings.beside(self.book.orders[order_id]))

    def _restored(self, kept: Restored) -> None:
        """Begin to decide, with what the ledger kept."""
        self.book.restore(kept.copies, self._now, kept.orders, kept.built)
        self.book.resize(self._mandate.rules, self._now)
        if kept.loss is not None:
            self.book.means.lost(kept.loss)
            self._mind_loss(told=True)
        self._halted(kept.halt)
        self._recall_exits(kept)
        self.ready = True
        self._consider_all()

    def _recall_exits(self, kept: Restored) -> None:
        """Go on with exits that waited when a former day ended: no order book of today's shows
        the leader's orders."""
        exits = self.book.former_exits(kept.waiting, self._now)
        for leader_id in self.book.recall(exits):
            self.unread.heard(leader_id, self._now)

    def _halted(self, asked: HaltAsked | None) -> None:
        """Take another of the operator's words, None for none."""
        for leader_id in self.flattening.obey(asked, self._now):
            self.unread.heard(leader_id, self._now)

    def _drop(self, legs: Collection[str], why: str) -> None:
        """Leave legs that stand alone."""
        leader_ids = dropped(self.book, legs, self.live)
        for leader_id in leader_ids:
            self.book.skip(leader_id, Skip(Skipped.LONE_LEG, why))
        self._consider_each(leader_ids)

    def _answered(self, answer: Answered) -> None:
        leader_id = answer.intent.leader_order_id
        if leader_id not in self.book.copies:
            return
        self.book.answered(answer, self._now)
        self._note_outcome(answer)
        if answer.written_ns is None:
            self.pace.put_back(answer.intent.intended_at)
        self.pace.want()
        self._consider_each([leader_id, *self.legs.held_with(leader_id)])

    def _note_outcome(self, answer: Answered) -> None:
        """Learn about the account from an answer."""
        came, asked_at = answer.outcome, answer.intent.intended_at
        self._note_circuit(self.breaker.answered(came, answer.http_status, self._now), came)
        if isinstance(came, Accepted):
            self.pace.went_through(asked_at)
        elif isinstance(came, Throttled):
            self.pace.throttled(asked_at, self._now)
        elif isinstance(came, Refusal):
            self.standing.refused(came)

    def _note_circuit(self, breaker: Breaker, came: Outcome) -> None:
        before, self.breaker = self.breaker, breaker
        why = came.why if isinstance(came, Unknown | NotSent) else ""
        self.standing.unheard(breaker, before, why)
        if before.circuit is not Circuit.CLOSED and not breaker.holds:
            self._consider_live(lambda key: True)

    def _heard(self, told: Iterable[OrderHeard]) -> None:
        for one in told:
            self.book.listings.price(one.order.instrument, one.ltp, one.order.stamp.updated_at)
            leader_id = self.book.heard(one.order)
            if leader_id is not None:
                self._consider_each([leader_id, *self.legs.held_with(leader_id)])

    def _market_found(self, told: MarketFound) -> None:
        schedule, listings = told.schedule, self.book.listings
        self._takes[schedule] = told.takes
        if told.phase is not None:
            listings.session(schedule, Session(told.phase, told.ago), self._now)
        live = self._live_in(lambda key: listings.schedule(key) is schedule)
        if told.takes:
            self.book.reopened(live)
        self._consider_each(self._most_urgent(live))

    def _found(self, instruments: Iterable[Instrument]) -> None:
        self.book.listings.learn(instruments)
        self._consider_in([instrument.key for instrument in instruments])

    def _permitted(self, grant: Granted) -> None:
        self.pace.granted(grant)
        for leader_id in self._by_urgency(self._waiting):
            if not self.pace.in_hand:
                break
            self._waiting.pop(leader_id, None)
            self._consider(leader_id)

    def _most_urgent(self, leader_ids: list[str]) -> list[str]:
        """Cancels before modifications before placements, of these bought legs before sold ones,
        else as they came; of a follower that is flattened, entries are cancelled before exits."""
        return self._by_urgency({one: type(self._step(one)) for one in leader_ids})

    def _by_urgency(self, steps: Mapping[str, type[Step]]) -> list[str]:
        last = self.book.exits if self.flattening.active else lambda leader_id: False
        urgent = sorted(steps, key=lambda one: (_RANK.get(steps[one], 3), last(one)))
        placed = [one for one in urgent if steps[one] is Place]
        ranks = {one: rank for one in placed if (rank := self.legs.rank(one)) is not None}
        return bought_first(urgent, ranks)

    def _book_read(self, told: BookRead) -> None:
        waited = self.unread.read(told.asked_at)
        if told.complete:
            self.flattening.read(told.asked_at)
        self.breaker = self.breaker.read(told.asked_at)
        touched = self.book.read(told.rows, told.asked_at, told.complete)
        if self.standing.token_refused:
            self.standing.accepted()
            self._consider_all()
        if self.breaker.circuit is Circuit.READY:
            self._try_again()
        self._consider_each(dict.fromkeys([*touched, *self._most_urgent(waited)]))

    def _try_again(self) -> None:
        """Try one request, a cancel or else an exit before all others."""
        urgent = self._most_urgent([one for one in self.live if one in self.book.orders])
        exits = [one for one in urgent if self.book.exits(one)]
        cancels = [one for one in urgent if isinstance(self._step(one), Cancel)]
        self._consider_each(dict.fromkeys([*cancels, *exits, *urgent]))

    def _address_told(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self.standing.refused(refusal)
        elif self.standing.address_refused:
            self.standing.accepted()
            self._consider_all()

    def _not_recorded(self, unsent: Intent) -> None:
        """Nothing was sent; ask again after a pause."""
        self.book.unrecorded(unsent)
        self.pace.put_back(unsent.intended_at)
        self.breaker = self.breaker.unsent()
        self._hands.ring(unsent.leader_order_id, _LEDGER_PAUSE)

    def _mandated(self, mandate: Mandate) -> None:
        self._mandate = mandate
        self.book.resize(mandate.rules, self._now)
        self.standing.configured(mandate.paused)
        self._mind_loss()
        self.pace.open(mandate, self._now)
        self._consider_all()

    def _mind_loss(self, *, told: bool = False) -> None:
        loss = self.book.means.day_loss(self._now)
        self.standing.down(loss, self.book.rules.limits, told=told)

    def _gave_up(self, leader_id: str) -> None:
        self.reporter.touch(leader_id)
        self.standing.alert(
            f"the outcome of a request for order {leader_id} could not be found out",
            "look at the account's order book, then say what is so: python run.py copies resolve "
            f"{leader_id} {self._name} placed --order-id ID (or: absent)",
        )

    # What follows

    def _flatten(self) -> None:
        """Leave what is to be left, as far as that is possible now."""
        if not self.flattening.needed or not self.ready or self.drained:
            return
        for leader_id in list(self.flattening.due(self.live, self._takes_orders, self._now)):
            self._consider(leader_id)
        for leader_id, until in self.flattening.waits.items():
            self._set_alarm(leader_id, until)

    def _takes_orders(self, key: InstrumentKey) -> bool:
        """Whether the instrument's market takes orders."""
        schedule = self.book.listings.schedule(key)
        return schedule is not None and self._takes.get(schedule, False)

    def _step(self, leader_id: str) -> Step:
        order = self.book.orders[leader_id]
        takes = self._takes_orders(order.instrument)
        if not order.flattening:
            self.legs.note(order)
        step = self.book.step(leader_id, self.standing.mood, takes, self._now)
        if self.unread.before(leader_id, step, bool(self.book.unresolved())):
            return Hold(Why.UNREAD)
        if isinstance(step, Skip) and step.reason is Skipped.HALTED and self.flattening.asked:
            return replace(step, detail=self.flattening.asked.words)
        if self.breaker.holds and isinstance(step, Place | Modify | Cancel):
            return Hold(Why.BROKER_DOWN)
        until = self.legs.wait(leader_id, self._now) if isinstance(step, Place) else None
        return step if until is None else Hold(Why.BOUGHT_LEG, until)

    def _consider(self, leader_id: str) -> None:
        """Take the next step of one copy."""
        if not self.ready or leader_id not in self.book.orders:
            return
        self.reporter.touch(leader_id)
        if self.drained:
            return
        step = self._step(leader_id)
        while isinstance(step, Place | Modify | Cancel):
            if not self._request(leader_id, step) or not self.book.in_slices(leader_id):
                break
            step = self._step(leader_id)
        if not isinstance(step, Place | Modify | Cancel):
            self._waiting_since.pop(leader_id, None)
        match step:
            case Skip():
                self.book.skip(leader_id, step)
            case Hold(why, until):
                self.book.hold(leader_id, why)
                if until is not None:
                    self._set_alarm(leader_id, until)
        if isinstance(step, Done | Skip):
            self.live.pop(leader_id, None)
            self._waiting.pop(leader_id, None)
        else:
            self.live[leader_id] = None

    def _consider_each(self, leader_ids: Iterable[str]) -> None:
        for leader_id in leader_ids:
            self._consider(leader_id)

    def _consider_live(self, concerned: Callable[[InstrumentKey], bool]) -> None:
        """Consider the copies that wait or rest, in the instruments that are concerned."""
        self._consider_each(self._most_urgent(self._live_in(concerned)))

    def _live_in(self, concerned: Callable[[InstrumentKey], bool]) -> list[str]:
        orders = self.book.orders
        return [one for one in self.live if one in orders and concerned(orders[one].instrument)]

    def _consider_stirred(self) -> None:
        """Consider the copies that depend on others, in the holdings that have changed, but for
        what is to be placed: it is decided anew when its permit comes."""
        if self.ready:
            stirred = self.book.stirred(self._now)
            self._consider_each(one for one in stirred if self._waiting.get(one) is not Place)

    def _consider_in(self, keys: Collection[InstrumentKey]) -> None:
        """Consider all orders in these instruments, also those that were not copied."""
        orders = self.book.orders.items()
        concerned = [leader_id for leader_id, order in orders if order.instrument in keys]
        self._consider_each(self._most_urgent(concerned) if self.ready else ())

    def _consider_all(self) -> None:
        self._consider_each(self._most_urgent(list(self.book.orders)) if self.ready else ())

    def _request(self, leader_id: str, step: Request) -> bool:
        """Send a step's request, as soon as there is a permit; whether there is one."""
        entry = not isinstance(step, Cancel) and not self.book.exits(leader_id)
        if not self.pace.take(entry=entry):
            self._waiting[leader_id] = type(step)
            self._waiting_since.setdefault(leader_id, self._now)
            return False
        copy = self.book.copies[leader_id]
        self.breaker = self.breaker.sent()
        self.book.intended(leader_id, step, self._now)
        waited = self._now - self._waiting_since.pop(leader_id, self._now)
        self._hands.send(copy, step, self._heard_ns.get(leader_id), self._now, waited)
        return True

    def _set_alarm(self, leader_id: str, until: datetime) -> None:
        now, set_for = self._now, self._alarms.get(leader_id)
        if set_for is None or until < set_for or set_for < now:
            self._alarms[leader_id] = until
            self._hands.ring(leader_id, until - now)
