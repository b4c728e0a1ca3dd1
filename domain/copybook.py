"""One follower's book: every leader order it knows, its copy of each, and what to do next.

The memory of a FollowerActor, without threads or I/O: it is told what happened, keeps the
copies, and is asked for the next step of one copy at a time.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from operator import attrgetter

from domain import progress
from domain.built import Built
from domain.copies import Copy, CopyState, Skipped
from domain.differences import Followed, Holding
from domain.instruments import InstrumentKey, one_order
from domain.kept import KeptCopies
from domain.lags import Laggards
from domain.means import Means
from domain.merge import adds, merge
from domain.messages import Answered, CopyReport, Intent, OrderSeen
from domain.mirror import filled_at, mirrored
from domain.missed import words
from domain.orders import Order, Product
from domain.plan import plan
from domain.reports import Shown, report
from domain.rules import Mood, Rules
from domain.sizing import Exit
from domain.slices import slices
from domain.steps import Place, Request, Skip, Step, Why
from domain.wanted import part


class CopyBook(KeptCopies):
    """The leader's orders, as this follower faces them, and its copies of them, by leader order
    id."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.orders: dict[str, Order] = {}
        self._told: dict[str, Order] = {}
        self.means = Means()
        self.listings = self.means.listings
        self.holdings = self.means.holdings
        self.funds = self.means.funds
        self._dispatch_us: dict[str, int] = {}
        self._former: dict[str, Order] = {}
        self._expected: dict[str, Copy] = {}
        self._laggards = Laggards()
        self._missed: list[str] = []

    def restore(
        self,
        copies: Iterable[Copy],
        now: datetime,
        orders: Iterable[Order] = (),
        built: Iterable[Built] = (),
    ) -> None:
        """Take over what the ledger kept; whatever was in flight then is unknown now.

        `orders` are the leader's as they were known then, and `built` is what others built. Both
        count for positions only: what to do about an order is asked when it is told. What a copy
        that was not begun yet will take of a position is counted on until then.
        """
        self.holdings.at(now)
        for one in built:
            self.holdings.carry(one)
        self._former = {order.order_id: order for order in orders}
        for copy in copies:
            self._keep(progress.interrupted(copy, now, self.rules))
            self._face_anew(copy.leader_order_id)
        for order in sorted(self._former.values(), key=attrgetter("began")):
            if order.flattening:
                self._learn(order)
            elif order.order_id not in self.copies:
                self._expected[order.order_id] = self._new_copy(self._faced(order), None)
            self._count(order.order_id)

    def recall(self, leader_ids: Iterable[str]) -> list[str]:
        """Take what the ledger kept of these leader orders for told; those that it kept."""
        found = [one for one in leader_ids if one in self._former and one not in self.orders]
        for leader_id in found:
            self._learn(self._former[leader_id])
        return found

    def former_exits(self, leader_ids: Collection[str], now: datetime) -> list[str]:
        """Which of these leader orders, as the ledger kept them, traded on a former day and leave
        what the copies hold."""
        began = self.holdings.began(now)
        return [
            leader_id
            for leader_id, order in self._former.items()
            if leader_id in leader_ids and order.filled and order.stamp.updated_at < began
            if self.means.exits(self._faced(order))
        ]

    def make(self, order: Order, now: datetime) -> None:
        """Note an order that Lockstep makes in the leader's place."""
        self.seen(OrderSeen(order, now, 0))

    def told(self, leader_id: str) -> Order | None:
        """The leader's order as it was told, whatever way this follower faces it."""
        return self._told.get(leader_id)

    def exits(self, leader_id: str) -> bool:
        """Whether the leader's order makes what the copies hold smaller."""
        return self.means.exits(self.orders[leader_id])

    def known_orders(self) -> Iterator[Order]:
        """The leader's orders that were told or kept."""
        return chain(self.orders.values(), self._former.values())

    def seen(self, told: OrderSeen) -> bool:
        """Note what was told of a leader order; False when it says nothing new."""
        order = told.order
        leader_id = order.order_id
        if told.hint is not None:
            self.listings.hint(told.hint)
        self.listings.price(order.instrument, told.ltp, told.ltp_at or order.stamp.updated_at)
        known, before = self._told.get(leader_id), self.orders.get(leader_id)
        merged = order if known is None else merge(known, order)
        faced, news = self._learn(merged), adds(known, merged)
        copy = self.copies.get(leader_id)
        if not news and copy is not None and before is not None and _as_before(before, faced):
            return False
        if copy is None:
            copy = self.copies[leader_id] = self._new_copy(faced, told.born)
        if faced.mirrored and not copy.attempts:
            self._date(told, faced, before)
        self._count(leader_id)
        self._watch(leader_id)
        return news

    def step(self, leader_id: str, mood: Mood, open_: bool, now: datetime) -> Step:
        """What to do next for the copy of a leader order; `open_` is whether its market takes
        orders now."""
        self.holdings.at(now)
        copy, order = self._resized(leader_id, now), self.orders[leader_id]
        if copy.born is None and order.mirrored and order.filled:
            copy = self.copies[leader_id] = replace(copy, born=now)
        market = self.listings.market(order.instrument, open_)
        instrument = self.listings.instrument(order.instrument)
        account = self.means.account(order, copy, self.copies.values(), self.rules, mood, now)
        if self.rules.limits.margin_check:
            account = replace(account, room=self.means.room(order, copy, self.rules, now))
        step = plan(order, copy, self.rules, market, instrument, account, now)
        self.funds.waits(leader_id, step, now)
        return step

    def in_slices(self, leader_id: str) -> bool:
        """Whether the copy of a leader order takes several orders."""
        order, copy = self.orders[leader_id], self.copies[leader_id]
        known = self.listings.instrument(order.instrument)
        return known is not None and len(slices(order, copy, known.lot, known.most)) > 1

    def intended(self, leader_id: str, step: Request, now: datetime) -> None:
        """Note that a step's intent is on its way to the ledger."""
        if isinstance(step, Place) and self.rules.limits.margin_check:
            self.means.claim(self.orders[leader_id], step.ticket, now)
        self._keep(progress.intended(self.copies[leader_id], step, now))

    def unrecorded(self, intent: Intent) -> None:
        """Take back a step whose intent could not be recorded."""
        copy = self.copies[intent.leader_order_id]
        self._keep(progress.unrecorded(copy, intent.request))
        if isinstance(intent.request, Place):
            self.funds.unclaim(intent.correlation_id)

    def reopened(self, leader_ids: Iterable[str]) -> None:
        """Note that the market of these takes orders again."""
        for leader_id in leader_ids:
            self._keep(progress.reopened(self.copies[leader_id]))

    def hold(self, leader_id: str, why: Why) -> None:
        """Keep for readers what a copy without an order waits for."""
        copy = self.copies[leader_id]
        if copy.state is CopyState.HELD and copy.detail != why:
            self.copies[leader_id] = replace(copy, detail=str(why))

    def skip(self, leader_id: str, step: Skip) -> None:
        """Keep the verdict that an order is not copied."""
        before, order = self.copies[leader_id], self.orders[leader_id]
        copy = progress.skipped(before, step, self.listings.told(order.instrument))
        if copy.missed is not None and before.missed is None:
            self._missed.append(words(order, copy.missed))
        self._keep(copy)

    def missed(self) -> list[str]:
        """The entries that came too late since this was asked last, in plain words."""
        told, self._missed = self._missed, []
        return told

    def answered(self, answer: Answered, now: datetime) -> None:
        """Note the broker's answer."""
        intent = answer.intent
        leader_id = intent.leader_order_id
        copy = progress.answered(
            self.copies[leader_id],
            intent.number,
            intent.change,
            answer.outcome,
            self.rules,
            now,
            intent.intended_at,
        )
        if intent.change is None and answer.written_ns and leader_id not in self._dispatch_us:
            self._dispatch_us[leader_id] = (answer.written_ns - intent.heard_ns) // 1000
        self._keep(copy)

    def lagging(self, now: datetime) -> list[tuple[str, str]]:
        """The copies that have fallen behind by now, with how, in plain words; each is told once
        (scenario 4.5)."""
        return self._laggards.behind(self.shown, self.rules, now)

    def resize(self, rules: Rules, now: datetime | None = None) -> None:
        """Follow other rules from now on; copies that were placed keep their sizing."""
        self.rules = rules
        for leader_id in self.orders:
            self._resized(leader_id, now)

    def position(self, instrument: InstrumentKey, product: Product) -> int:
        """The net position (shares, signed) that the copies built."""
        return self.holdings.position(instrument, product)

    def report(self, leader_id: str, now: datetime) -> CopyReport | None:
        """The copy as readers see it; None while the leader's order itself is not known."""
        shown = self.shown(leader_id)
        return None if shown is None else report(*shown, now)

    def shown(self, leader_id: str) -> Shown | None:
        """What a report of the copy is made of; None while the leader's order is not known."""
        order = self.orders.get(leader_id)
        if order is None:
            return None
        lot = self.listings.lot(order.instrument)
        return order, self.copies[leader_id], lot, self._dispatch_us.get(leader_id)

    def followed(self) -> list[Followed]:
        """Every copy that an account can be compared with."""
        found = []
        for leader_id, copy in self.copies.items():
            order = self.orders.get(leader_id)
            if copy.attempts:
                ticket = copy.attempts[-1].ticket
                holding = Holding(ticket.instrument, ticket.product)
            elif order is not None:
                holding = Holding(order.instrument, self.rules.product(order.product))
            else:
                continue
            known = self.listings.instrument(holding.instrument)
            found.append(Followed(copy, holding, order, known.lot if known else None))
        return found

    def _learn(self, told: Order) -> Order:
        """Keep a leader's order; as this follower faces it."""
        leader_id = told.order_id
        self._told[leader_id] = told
        faced = self.orders[leader_id] = self._faced(told)
        return faced

    def _faced(self, told: Order) -> Order:
        """The leader's order as it is to be copied: turned, where this follower takes the other
        side. Whatever was placed, in its holding too, goes on as it began."""
        if told.flattening:
            return told
        copy = self.copies.get(told.order_id)
        if copy is not None and copy.attempts:
            inverse = copy.attempts[0].ticket.side is not told.side
        else:
            built = self.holdings.mirrored(told.instrument, told.product)
            inverse = self.rules.inverse if built is None else built
        return mirrored(told) if inverse else told

    def _face_anew(self, leader_id: str) -> None:
        """Face an order that was told before its copy was known the way that the copy went."""
        if leader_id in self._told:
            self._learn(self._told[leader_id])
            self._count(leader_id)

    def _date(self, told: OrderSeen, faced: Order, before: Order | None) -> None:
        """Let the copy of a mirrored order be as old as the first fill that makes something of
        it."""
        copy, lot = self.copies[faced.order_id], self.listings.lot(faced.instrument)
        got, had = (before.filled, part(before, copy, lot)) if before else (0, 0)
        if faced.filled > got and not had:
            born = filled_at(told, faced, before)
            self.copies[faced.order_id] = replace(copy, born=born)

    def _new_copy(self, order: Order, born: datetime | None) -> Copy:
        return Copy(order.order_id, self.rules.follower, self.means.sized(order, self.rules), born)

    def _resized(self, leader_id: str, now: datetime | None = None) -> Copy:
        """The copy, sized anew as long as nothing was placed for it; an exit goes on to grow with
        its entries."""
        copy = self.copies[leader_id]
        if copy.attempts:
            return self._grown(copy)
        if copy.skipped and copy.skipped.lasting:
            return copy
        if now is not None and self._is_over(copy, now):
            return copy
        faced = self._learn(self._told[leader_id])
        sizing = self.means.sized(faced, self.rules)
        if sizing != copy.sizing:
            copy = self.copies[leader_id] = replace(copy, sizing=sizing)
        self._count(leader_id)
        return copy

    def _grown(self, copy: Copy) -> Copy:
        """The copy, with what is there by now of what it is to leave."""
        sizing, leader_id = copy.sizing, copy.leader_order_id
        if not isinstance(sizing, Exit):
            return copy
        order = self.orders[leader_id]
        if not sizing.to_come and not self.holdings.left_over(order):
            return copy
        now = self.holdings.sizing(order, sizing.beyond)
        if not isinstance(now, Exit) or now == sizing:
            return copy
        if now.leaders < min(order.terms.quantity, sizing.leaders):
            return copy
        copy = self.copies[leader_id] = replace(copy, sizing=now)
        self._watch(leader_id)
        self._count(leader_id)
        return copy

    def stirred(self, now: datetime) -> Iterator[str]:
        """The copies that depend on others, where those have changed since this was asked last."""
        for leader_id in self.holdings.stirred():
            if leader_id in self.orders and self._is_over(self.copies[leader_id], now):
                self.holdings.settle(self.orders[leader_id])
            elif leader_id in self.orders:
                yield leader_id

    def _is_over(self, copy: Copy, now: datetime) -> bool:
        """Whether an exit found nothing to leave, and every entry before it is too old by now:
        what it would leave was built since, and is not its own to leave."""
        nothing = copy.skipped is Skipped.UNDER_ONE_LOT and isinstance(copy.sizing, Exit)
        if not nothing or copy.born is None or now - copy.born <= self.rules.max_age:
            return False
        return self.orders[copy.leader_order_id].status.terminal

    def _changed(self, copy: Copy) -> None:
        self.funds.changed(copy)
        self._watch(copy.leader_order_id)
        self._count(copy.leader_order_id)

    def _watch(self, leader_id: str) -> None:
        order = self.orders.get(leader_id)
        if order is not None:
            self._laggards.watch(order, self.copies[leader_id])

    def _count(self, leader_id: str) -> None:
        """Bring the position up to date with what is known of the order and its copy."""
        order = self.orders.get(leader_id)
        if order is None and (former := self._former.get(leader_id)) is not None:
            order = self._faced(former)
        if order is not None:
            copy = self.copies.get(leader_id) or self._expected.get(leader_id)
            limits = one_order(self.listings.instrument(order.instrument))
            self.holdings.note(order, copy, *limits)


def _as_before(before: Order, faced: Order) -> bool:
    """Whether an order of which nothing new was told also counts for what it did."""
    same_way = before.mirrored is faced.mirrored
    return same_way and before.stamp.updated_at == faced.stamp.updated_at
