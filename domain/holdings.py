"""What the leader holds by the orders that are known, and what the copies of them built."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.built import Built
from domain.copies import Copy
from domain.exits import Stake, leaving
from domain.instruments import InstrumentKey
from domain.lone import Trade, lone_shares
from domain.orders import Order, Product, Side
from domain.sessions import IST
from domain.sizing import Exit, Sizing
from domain.slices import within_reach

_Holding = tuple[InstrumentKey, Product]


@dataclass(slots=True)
class _Shares:
    """Shares, signed: what the leader has traded, what the copies have, and what they will have
    once they have caught up with what the leader has."""

    leader: int = 0
    mine: int = 0
    due: int = 0

    def add(self, other: "_Shares", sign: int) -> None:
        self.leader += sign * other.leader
        self.mine += sign * other.mine
        self.due += sign * other.due


@dataclass(frozen=True, slots=True)
class _Open:
    """What an order of the leader that is open will still trade, on the leader's `side`, of it
    and of its copy, and whether that is placed."""

    side: Side
    leader: int
    mine: int
    placed: bool


_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Way:
    """How the copies of a holding were built: whether the one that was placed last, at `since`, is
    `mirrored`, and the leader's orders (their ids) whose copies are `at_work`."""

    mirrored: bool = False
    since: datetime = _EVER
    at_work: set[str] = field(default_factory=set)


_NOTHING = _Shares()


class Holdings:
    """Positions by instrument and the leader's product, as orders and copies build them.

    What was last heard of an order before the day that began counts as the end of it. What is
    INTRADAY, of the leader's or of the follower's, the broker has squared off by then.
    """

    def __init__(self) -> None:
        self._totals: dict[_Holding, _Shares] = defaultdict(_Shares)
        self._noted: dict[str, tuple[Order, Copy | None]] = {}
        self._shares: dict[str, _Shares] = {}
        self._open: dict[_Holding, dict[str, _Open]] = defaultdict(dict)
        self._with_lone: dict[_Holding, None] = {}
        self._ways: dict[_Holding, _Way] = {}
        self._began = self._over = _EVER

    def carry(self, built: Built) -> None:
        """Add what was built before anything that is noted here."""
        shares = _Shares(built.leader, built.mine, built.mine)
        self._totals[built.instrument, built.product].add(shares, 1)

    def at(self, now: datetime) -> None:
        """Begin another day (in India), if it is one."""
        if now < self._over:
            return
        local = now.astimezone(IST)
        self._began = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self._over = self._began + timedelta(days=1)
        for order, copy in list(self._noted.values()):
            if self._ended(order):
                self.note(order, copy, lot=1)

    def note(self, order: Order, copy: Copy | None, lot: int) -> None:
        """Bring the position up to date with an order and its copy, None where there is none."""
        holding = (order.instrument, order.product)
        before, ended = self._shares.get(order.order_id, _NOTHING), self._ended(order)
        reach = 0 if copy is None or ended else within_reach(order, copy, lot)
        now = _left(order, copy) if ended else _built(order, copy, reach, lot)
        total = self._totals[holding]
        total.add(before, -1)
        total.add(now, 1)
        self._shares[order.order_id] = now
        self._noted[order.order_id] = order, copy
        if copy is not None and copy.lone:
            self._with_lone[holding] = None
        if copy is not None and copy.attempts and not order.flattening:
            way = self._ways.setdefault(holding, _Way())
            at_work = copy.standing is not None or reach > copy.filled
            self._go(way, order, copy, not ended and at_work)
        if ended or order.status.terminal or order.flattening:
            self._open[holding].pop(order.order_id, None)
        else:
            self._open[holding][order.order_id] = _rest(order, copy, abs(now.due), lot)

    def position(self, instrument: InstrumentKey, product: Product) -> int:
        """The net position (shares, signed) that the copies built."""
        total = self._totals.get((instrument, product))
        return 0 if total is None else total.mine

    def mirrored(self, instrument: InstrumentKey, product: Product) -> bool | None:
        """Whether the copies are on the other side than the leader; None where they hold nothing
        and none is at work.

        What is there goes on as it was built, so that an exit of the leader exits it.
        """
        mine, way = self.position(instrument, product), self._ways.get((instrument, product))
        if way is None and mine:
            way = self._way_of_old((instrument, product), mine)
        return way.mirrored if way is not None and (mine or way.at_work) else None

    def positions(self) -> dict[tuple[InstrumentKey, Product], int]:
        """What the copies hold (shares, signed), by instrument and the leader's product."""
        return {holding: total.mine for holding, total in self._totals.items() if total.mine}

    def lone(self) -> dict[tuple[InstrumentKey, Product], int]:
        """What is held (shares, signed) of legs that are to be left."""
        held = {holding: self._lone(holding) for holding in self._with_lone}
        return {holding: shares for holding, shares in held.items() if shares}

    @property
    def knows_lone(self) -> bool:
        """Whether there are, or were, any such legs."""
        return bool(self._with_lone)

    def began(self, now: datetime) -> datetime:
        """When the day began (in India) that it is."""
        self.at(now)
        return self._began

    def held(self) -> set[InstrumentKey]:
        """The instruments in which the copies hold something."""
        return {key for (key, _), total in self._totals.items() if total.mine}

    def sizing(self, order: Order, entry: Sizing) -> Sizing:
        """The sizing of the copy of an order: that of an exit, where the leader holds something
        to leave, else that of an `entry`."""
        total = self._totals.get((order.instrument, order.product))
        if total is None:
            return entry
        own = self._shares.get(order.order_id, _NOTHING)
        free = total.due - self._lone((order.instrument, order.product))
        held = _sign(order.leaders_side.other) * (total.leader - own.leader)
        due = _sign(order.side.other) * (free - own.due)
        if held < 1:
            return entry
        others = self._others(order)
        leader = Stake(held, sum(one.leader for one in others))
        mine = Stake(due, sum(one.mine for one in others))
        return leaving(order.terms.quantity, leader, mine, entry)

    def beside(self, order: Order) -> list[str]:
        """The other open orders in the same holding, whose copies may be sized by this one."""
        open_ = self._open[order.instrument, order.product]
        return [one for one, rest in open_.items() if one != order.order_id and not rest.placed]

    def _lone(self, holding: _Holding) -> int:
        """What is held of legs in one holding that are to be left, which no exit of the leader's
        is about any more."""
        if holding not in self._with_lone:
            return 0
        copied = [
            (copy.attempts[0].sent_at, order, copy.lone and not isinstance(copy.sizing, Exit))
            for order, copy in self._noted.values()
            if copy is not None and copy.attempts and (order.instrument, order.product) == holding
        ]
        copied.sort(key=lambda one: one[0])
        trades = [
            Trade(self._shares[order.order_id].mine, lone or order.leaves_legs)
            for _, order, lone in copied
        ]
        return lone_shares(self.position(*holding) - sum(one.shares for one in trades), trades)

    def _way_of_old(self, holding: _Holding, mine: int) -> _Way | None:
        """How a position was built of which no copy is known any more: by what the leader had
        before the day began."""
        todays = sum(
            self._shares[order_id].leader
            for order_id, (order, _) in self._noted.items()
            if (order.instrument, order.product) == holding and not self._ended(order)
        )
        had = self._totals[holding].leader - todays
        if not had:
            return None
        return self._ways.setdefault(holding, _Way((had > 0) is not (mine > 0)))

    def _go(self, way: _Way, order: Order, copy: Copy, at_work: bool) -> None:
        """Note the way that a copy goes which was placed."""
        since = copy.attempts[0].sent_at
        if since >= way.since:
            way.mirrored, way.since = order.mirrored, since
        (way.at_work.add if at_work else way.at_work.discard)(order.order_id)

    def _ended(self, order: Order) -> bool:
        return order.stamp.updated_at < self._began

    def _others(self, order: Order) -> list[_Open]:
        """The open orders on the same side that come first: those that the leader placed before,
        and those whose copies are placed."""
        others, earlier = [], True
        for order_id, one in self._open[order.instrument, order.product].items():
            if order_id == order.order_id:
                earlier = False
            elif one.side is order.leaders_side and (earlier or one.placed):
                others.append(one)
        return others


def _left(order: Order, copy: Copy | None) -> _Shares:
    """What an order and its copy left behind at the end of their day."""
    if order.product is Product.INTRADAY:
        return _NOTHING
    attempts = copy.attempts if copy else ()
    kept = [one.filled for one in attempts if one.ticket.product is not Product.INTRADAY]
    mine = _sign(order.side) * sum(kept)
    return _Shares(_sign(order.leaders_side) * order.filled, mine, mine)


def _built(order: Order, copy: Copy | None, reach: int, lot: int) -> _Shares:
    """What an order and its copy have built, and will have; `reach` is the most that the copy may
    come to."""
    leader, sign = _sign(order.leaders_side) * order.filled, _sign(order.side)
    if copy is None:
        return _Shares(leader)
    filled, due = copy.filled, copy.filled
    if not copy.lone:
        part = copy.sizing.part(order.filled, order.terms.quantity, lot)
        due = max(due, min(part, reach))
    return _Shares(leader, sign * filled, sign * due)


def _sign(side: Side) -> int:
    return 1 if side is Side.BUY else -1


def _rest(order: Order, copy: Copy | None, due: int, lot: int) -> _Open:
    rest = order.terms.quantity - order.filled
    if copy is None:
        return _Open(order.leaders_side, rest, 0, placed=False)
    mine = 0 if copy.left_out or copy.lone else copy.sizing.size(order.terms.quantity, lot) - due
    return _Open(order.leaders_side, rest, max(0, mine), bool(copy.attempts))
