"""How one follower follows: from each thing that it learns to the requests that it sends.

Without threads, sockets or clocks of its own: it takes one `domain.inputs` after another, each at
one instant, and what it wants done goes out through `Hands`. So a recorded day can be followed
again (`desk.replaying`), by the very same decisions.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from actors.deciding import Deciding
from domain.breaker import Breaker, Circuit
from domain.copies import Skipped
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
from domain.instruments import Instrument
from domain.limits import DayLoss
from domain.lone_legs import dropped
from domain.messages import (
    Answered,
    Intent,
    NotRecorded,
    OrderHeard,
    OrderSeen,
)
from domain.orders import Order
from domain.outcomes import Accepted, NotSent, Outcome, Refusal, Throttled, Unknown
from domain.rules import Mood
from domain.sessions import Session
from domain.steps import Cancel, Skip

_OVERDUE = timedelta(seconds=10)
_LEDGER_PAUSE = timedelta(seconds=1)


class Following(Deciding):
    """One follower, told one thing after another."""

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
        listings, key = self.book.listings, seen.order.instrument
        before = listings.instrument(key), listings.told(key)
        known = self.book.orders.get(order_id)
        news = self.book.seen(seen)
        if news:
            self._heard_ns[order_id] = seen.heard_ns
            if known is not None and _asks_otherwise(known, self.book.orders[order_id]):
                self._changed.add(order_id)
                self._hands.recall(order_id)
        elif before == (listings.instrument(key), listings.told(key)):
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
        if asked is not None:
            self._hands.recall()
        for leader_id in self.flattening.obey(asked, self._now):
            self.unread.heard(leader_id, self._now)

    def _drop(self, legs: Collection[str], why: str) -> None:
        """Leave legs that stand alone."""
        leader_ids = dropped(self.book, legs, self.live)
        for leader_id in leader_ids:
            self.book.skip(leader_id, Skip(Skipped.LONE_LEG, why))
            self._hands.recall(leader_id)
        self._consider_each(leader_ids)

    def _answered(self, answer: Answered) -> None:
        leader_id = answer.intent.leader_order_id
        if leader_id not in self.book.copies:
            return
        self.book.answered(answer, self._now)
        self._note_outcome(answer)
        if answer.written_ns is None:
            self.pace.put_back(answer.intent.intended_at)
            self._serve()
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
        if isinstance(came, Throttled) or self.breaker.holds or self.standing.mood is Mood.PARKED:
            self._hands.recall()

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
        self._serve()

    def _serve(self) -> None:
        """Give the permits in hand to what waits for them, the most urgent first."""
        for leader_id in self._by_urgency(self._waiting):
            if not self.pace.in_hand:
                break
            self._waiting.pop(leader_id, None)
            self._consider(leader_id)

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


def _asks_otherwise(known: Order, now: Order) -> bool:
    """Whether the leader changed or ended the order, so that what was decided for it is old."""
    return known.terms != now.terms or known.cut_short != now.cut_short
