"""One follower's book: every leader order it knows, its copy of each, and what to do next.

The memory of a FollowerActor, without threads or I/O: it is told what happened, keeps the
copies, and is asked for the next step of one copy at a time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from domain import progress
from domain.copies import Copy, CopyState
from domain.instruments import Instrument, InstrumentKey
from domain.merge import merge
from domain.messages import Answered, CopyReport, Intent, OrderSeen
from domain.orders import Order, Product, Side
from domain.plan import plan
from domain.reports import report
from domain.rules import Account, Market, Mood, Rules
from domain.steps import Request, Skip, Step, Why

_Holding = tuple[InstrumentKey, Product]


class CopyBook:
    """The leader's orders and one follower's copies of them, by leader order id."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.orders: dict[str, Order] = {}
        self.copies: dict[str, Copy] = {}
        self._by_correlation: dict[str, str] = {}
        self._by_order: dict[str, str] = {}
        self._hints: dict[InstrumentKey, Instrument] = {}
        self._master: Mapping[InstrumentKey, Instrument] = {}
        self._prices: dict[InstrumentKey, int] = {}
        self._dispatch_us: dict[str, int] = {}
        self._positions: dict[_Holding, int] = {}
        self._counted: dict[str, int] = {}

    def restore(self, copies: Iterable[Copy], now: datetime) -> None:
        """Take over what the ledger kept; whatever was in flight then is unknown now."""
        for copy in copies:
            self._keep(progress.interrupted(copy, now, self.rules))

    def master(self, instruments: Mapping[InstrumentKey, Instrument]) -> None:
        """Believe the instrument master rather than what events say of lot and tick."""
        self._master = instruments

    def seen(self, told: OrderSeen) -> bool:
        """Note what was told of a leader order; False when it says nothing new."""
        order = told.order
        if told.hint is not None:
            self._hints[order.instrument] = told.hint
        self.price(order.instrument, told.ltp)
        known = self.orders.get(order.order_id)
        merged = order if known is None else merge(known, order)
        self.orders[order.order_id] = merged
        copy = self.copies.get(order.order_id)
        if copy is None:
            copy = Copy(order.order_id, self.rules.follower, self.rules.sizing, told.born)
            self.copies[order.order_id] = copy
        elif known is None:
            self._count(copy)
        return merged != known

    def price(self, instrument: InstrumentKey, ltp: int | None) -> None:
        """Note the last price of an instrument, in paise."""
        if ltp:
            self._prices[instrument] = ltp

    def heard(self, order: Order) -> str | None:
        """Note what the broker told of the follower's own order; the leader order it copies, or
        None for an order that Lockstep did not place."""
        leader_id = self._by_order.get(order.order_id)
        if leader_id is None and order.correlation_id:
            leader_id = self._by_correlation.get(order.correlation_id)
        if leader_id is None:
            return None
        self._keep(progress.heard(self.copies[leader_id], order))
        return leader_id

    def read(self, rows: Iterable[Order], asked_at: datetime) -> list[str]:
        """Note a complete order book of the follower's account; the copies it changed."""
        by_leader: dict[str, list[Order]] = {}
        for row in rows:
            leader_id = self.heard(row)
            if leader_id is not None:
                by_leader.setdefault(leader_id, []).append(row)
        changed = list(by_leader)
        for leader_id in self.unresolved():
            before = self.copies[leader_id]
            mine = by_leader.get(leader_id, ())
            after = progress.book_read(before, mine, asked_at, self.rules)
            if after != before:
                self._keep(after)
                if leader_id not in by_leader:
                    changed.append(leader_id)
        return changed

    def unresolved(self) -> list[str]:
        """The copies with a request whose outcome only an order book can tell."""
        return [leader_id for leader_id, copy in self.copies.items() if progress.doubtful(copy)]

    def known(self, order_id: str) -> Order | None:
        """What is known of one of the follower's own orders that Lockstep placed."""
        leader_id = self._by_order.get(order_id)
        if leader_id is None:
            return None
        attempts = self.copies[leader_id].attempts
        return next((a.order for a in attempts if a.order_id == order_id), None)

    def overdue(self, leader_ids: Iterable[str], since: datetime) -> list[str]:
        """Doubt every request sent before `since` that was never answered; the copies so
        touched."""
        doubted = []
        for leader_id in leader_ids:
            before = self.copies[leader_id]
            after = progress.overdue(before, since, self.rules)
            if after is not before:
                self._keep(after)
                doubted.append(leader_id)
        return doubted

    def give_up(self, now: datetime) -> list[str]:
        """Park what could not be resolved for too long; the copies that were parked."""
        parked = []
        for leader_id in self.unresolved():
            before = self.copies[leader_id]
            after = progress.given_up(before, now, self.rules)
            if after != before:
                self._keep(after)
                parked.append(leader_id)
        return parked

    def step(self, leader_id: str, mood: Mood, open_: bool, now: datetime) -> Step:
        """What to do next for the copy of a leader order; `open_` is whether its market takes
        orders now."""
        order, copy = self.orders[leader_id], self.copies[leader_id]
        market = Market(open_, self._prices.get(order.instrument))
        instrument = self.instrument(order.instrument)
        account = Account(mood, self.position(order.instrument, order.product))
        return plan(order, copy, self.rules, market, instrument, account, now)

    def intended(self, leader_id: str, step: Request, now: datetime) -> None:
        """Note that a step's intent is on its way to the ledger."""
        self._keep(progress.intended(self.copies[leader_id], step, now))

    def unrecorded(self, intent: Intent) -> None:
        """Take back a step whose intent could not be recorded."""
        copy = self.copies[intent.leader_order_id]
        self._keep(progress.unrecorded(copy, intent.request))

    def hold(self, leader_id: str, why: Why) -> None:
        """Keep for readers what a copy without an order waits for."""
        copy = self.copies[leader_id]
        if copy.state is CopyState.HELD and copy.detail != why:
            self.copies[leader_id] = replace(copy, detail=str(why))

    def skip(self, leader_id: str, step: Skip) -> None:
        """Keep the verdict that an order is not copied."""
        self._keep(progress.skipped(self.copies[leader_id], step))

    def answered(self, answer: Answered, now: datetime) -> None:
        """Note the broker's answer."""
        intent = answer.intent
        leader_id = intent.leader_order_id
        copy = progress.answered(
            self.copies[leader_id], intent.number, intent.change, answer.outcome, self.rules, now
        )
        if intent.change is None and answer.written_ns and leader_id not in self._dispatch_us:
            self._dispatch_us[leader_id] = (answer.written_ns - intent.heard_ns) // 1000
        self._keep(copy)

    def resize(self, rules: Rules) -> None:
        """Follow other rules from now on; copies that were placed keep their sizing."""
        self.rules = rules
        for leader_id, copy in self.copies.items():
            if not copy.attempts and not copy.skipped:
                self.copies[leader_id] = replace(copy, sizing=rules.sizing)

    def instrument(self, key: InstrumentKey) -> Instrument | None:
        """The instrument by the master, else by what events said, else (for shares, whose lot
        is 1) by default; None when its lot is not known."""
        known = self._master.get(key) or self._hints.get(key)
        if known is None and key.segment.cash:
            return Instrument(key, lot=1, tick=5)
        return known

    def position(self, instrument: InstrumentKey, product: Product) -> int:
        """The net position (shares, signed) that the copies built."""
        return self._positions.get((instrument, product), 0)

    def report(self, leader_id: str, now: datetime) -> CopyReport | None:
        """The copy as readers see it; None while the leader's order itself is not known."""
        order = self.orders.get(leader_id)
        if order is None:
            return None
        instrument = self.instrument(order.instrument)
        lot = instrument.lot if instrument else 1
        return report(order, self.copies[leader_id], lot, self._dispatch_us.get(leader_id), now)

    def _keep(self, copy: Copy) -> None:
        self.copies[copy.leader_order_id] = copy
        for attempt in copy.attempts:
            self._by_correlation[attempt.ticket.correlation_id] = copy.leader_order_id
            if attempt.order_id:
                self._by_order[attempt.order_id] = copy.leader_order_id
        self._count(copy)

    def _count(self, copy: Copy) -> None:
        """Bring the position up to date with the copy's fills."""
        order = self.orders.get(copy.leader_order_id)
        grown = copy.filled - self._counted.get(copy.leader_order_id, 0)
        if order is None or not grown:
            return
        self._counted[copy.leader_order_id] = copy.filled
        holding = (order.instrument, order.product)
        signed = grown if order.side is Side.BUY else -grown
        self._positions[holding] = self._positions.get(holding, 0) + signed
