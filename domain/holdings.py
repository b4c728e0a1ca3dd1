"""What the leader holds by the orders that are known, and what the copies of them built."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
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
from domain.tape import Shares, Tape

_Holding = tuple[InstrumentKey, Product]


@dataclass(frozen=True, slots=True)
class _Open:
    """What an order of the leader that is open will still trade, on the leader's `side`, of it
    and of its copy, by what is there now and by what is due, and whether that is placed."""

    side: Side
    leader: int
    there: int
    due: int
    placed: bool


_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Way:
    """How the copies of a holding were built: whether the one that was placed last, at `since`, is
    `mirrored`, and the leader's orders (their ids) whose copies are `at_work`."""

    mirrored: bool = False
    since: datetime = _EVER
    at_work: set[str] = field(default_factory=set)


class Holdings:
    """Positions by instrument and the leader's product, as orders and copies build them.

    What was last heard of an order before the day that began counts as the end of it. What is
    INTRADAY, of the leader's or of the follower's, the broker has squared off by then.
    """

    def __init__(self) -> None:
        self._tapes: dict[_Holding, Tape] = defaultdict(Tape)
        self._noted: dict[str, tuple[Order, Copy | None, int, int | None]] = {}
        self._open: dict[_Holding, dict[str, _Open]] = defaultdict(dict)
        self._with_lone: dict[_Holding, None] = {}
        self._ways: dict[_Holding, _Way] = {}
        self._stirred: dict[_Holding, None] = {}
        self._began = self._over = _EVER

    def carry(self, built: Built) -> None:
        """Add what was built before anything that is noted here."""
        shares = Shares(built.leader, built.mine, built.mine, built.mine)
        self._tapes[built.instrument, built.product].total.add(shares, 1)

    def at(self, now: datetime) -> None:
        """Begin another day (in India), if it is one."""
        if now < self._over:
            return
        local = now.astimezone(IST)
        self._began = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self._over = self._began + timedelta(days=1)
        for order, copy, lot, most in list(self._noted.values()):
            if self._ended(order):
                self._note(order, copy, lot, most)

    def note(self, order: Order, copy: Copy | None, lot: int, most: int | None) -> None:
        """Bring the position up to date with an order and its copy, None where there is none, the
        lot of its instrument and the most that the exchange takes in one order of it, in shares,
        None where there is no such limit."""
        if self._noted.get(order.order_id) != (order, copy, lot, most):
            self._note(order, copy, lot, most)

    def _note(self, order: Order, copy: Copy | None, lot: int, most: int | None) -> None:
        holding = (order.instrument, order.product)
        ended = self._ended(order)
        reach = 0 if copy is None or ended else within_reach(order, _eventual(copy), lot, most)
        now = _left(order, copy) if ended else _built(order, copy, reach, lot)
        if self._tapes[holding].note(order, copy, now, ended, reach):
            self._stirred[holding] = None
        self._noted[order.order_id] = order, copy, lot, most
        if copy is not None and copy.lone:
            self._with_lone[holding] = None
        if copy is not None and copy.attempts and not order.flattening:
            way = self._ways.setdefault(holding, _Way())
            at_work = copy.standing is not None or reach > copy.filled
            self._go(way, order, copy, not ended and at_work)
        if ended or order.status.terminal or order.flattening:
            self._open[holding].pop(order.order_id, None)
        else:
            self._open[holding][order.order_id] = _rest(order, copy, now, lot)

    def stirred(self) -> list[str]:
        """The orders whose copies depend on others in a holding that has changed since this was
        asked last: exits that wait for their entries, and entries that an exit may overtake."""
        holdings, self._stirred = self._stirred, {}
        return [one for holding in holdings for one in self._tapes[holding].dependent()]

    def settle(self, order: Order) -> None:
        """Let the copy of an order depend on no other any more."""
        self._tapes[order.instrument, order.product].settle(order.order_id)

    def overtaken(self, order: Order, copy: Copy) -> bool:
        """Whether a copy still stands in the market of what the leader entered and left again."""
        if copy.standing is None or not order.status.terminal or isinstance(copy.sizing, Exit):
            return False
        tape = self._tapes.get((order.instrument, order.product))
        return tape is not None and not order.flattening and tape.overtaken(order)

    def position(self, instrument: InstrumentKey, product: Product) -> int:
        """The net position (shares, signed) that the copies built."""
        tape = self._tapes.get((instrument, product))
        return 0 if tape is None else tape.total.mine

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
        held = ((holding, tape.total.mine) for holding, tape in self._tapes.items())
        return {holding: mine for holding, mine in held if mine}

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
        return {key for (key, _), tape in self._tapes.items() if tape.total.mine}

    def sizing(self, order: Order, entry: Sizing) -> Sizing:
        """The sizing of the copy of an order: that of an exit, where the leader holds something
        to leave, else that of an `entry`."""
        tape = self._tapes.get((order.instrument, order.product))
        if tape is None:
            return entry
        before, left = tape.before(order)
        held = order.leaders_side.other.sign * before.leader
        if held < 1 or tape.opens(order):
            return entry
        lone, sign = self._lone((order.instrument, order.product)), order.side.other.sign
        others = self._others(order)
        leader = Stake(held, sum(one.leader for one in others))
        there = Stake(sign * (before.there - lone), sum(one.there for one in others))
        due = Stake(sign * (before.due - lone), sum(one.due for one in others))
        rest = max(0, sign * (left.there - lone))
        sized = leaving(order.terms.quantity, leader, there, due, entry)
        if not isinstance(sized, Exit):
            return entry
        return sized.within(rest, order.filled if order.cut_short else order.terms.quantity)

    def left_over(self, order: Order) -> bool:
        """Whether the order is the leader's last in its holding, an exit from all of it, and the
        copies still hold something, as one of their entries came late."""
        tape = self._tapes.get((order.instrument, order.product))
        return tape is not None and not self._ended(order) and tape.left_over(order)

    def room(self, order: Order, copy: Copy, lot: int, most: int | None) -> int | None:
        """The most (shares) that the copy of an exit may come to: no more than what is held, or
        was before it, and no other exit in the market asks for. None for any other order, for one
        that asks for nothing more, and where the leader's own exits ask for more than the leader
        has, as a target and a stop do. `lot` and `most` are as for `note`."""
        if not isinstance(copy.sizing, Exit) or order.flattening:
            return None
        if _settled(order, copy, lot, most):
            return None
        holding = (order.instrument, order.product)
        leaders, mine = self._tapes[holding].free(order)
        if leaders < (order.filled if order.cut_short else order.terms.quantity):
            return None
        return max(0, mine - order.side.other.sign * self._lone(holding))

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
            for order, copy, *_ in self._noted.values()
            if copy is not None and copy.attempts and (order.instrument, order.product) == holding
        ]
        copied.sort(key=lambda one: one[0])
        trades = [
            Trade(self._tapes[holding].shares(order.order_id).mine, lone or order.leaves_legs)
            for _, order, lone in copied
        ]
        return lone_shares(self.position(*holding) - sum(one.shares for one in trades), trades)

    def _way_of_old(self, holding: _Holding, mine: int) -> _Way | None:
        """How a position was built of which no copy is known any more: by what the leader had
        before the day began."""
        tape = self._tapes[holding]
        todays = sum(
            tape.shares(order_id).leader
            for order_id, (order, *_) in self._noted.items()
            if (order.instrument, order.product) == holding and not self._ended(order)
        )
        had = tape.total.leader - todays
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


def _settled(order: Order, copy: Copy, lot: int, most: int | None) -> bool:
    """Whether there is nothing to place or to raise for the copy, as far as is known."""
    if copy.standing is not None:
        return False
    if copy.skipped is not None:
        return copy.skipped.lasting
    return within_reach(order, copy, lot, most) <= copy.filled


def _left(order: Order, copy: Copy | None) -> Shares:
    """What an order and its copy left behind at the end of their day."""
    if order.product is Product.INTRADAY:
        return Shares()
    attempts = copy.attempts if copy else ()
    kept = [one.filled for one in attempts if one.ticket.product is not Product.INTRADAY]
    mine = order.side.sign * sum(kept)
    return Shares(order.leaders_side.sign * order.filled, mine, mine, mine)


def _eventual(copy: Copy) -> Copy:
    """The copy once its entries have got all that they may get, if it is an exit."""
    sizing = copy.sizing
    if not isinstance(sizing, Exit) or not sizing.to_come:
        return copy
    return replace(copy, sizing=sizing.eventual)


def _built(order: Order, copy: Copy | None, reach: int, lot: int) -> Shares:
    """What an order and its copy have built, and will have; `reach` is the most that the copy may
    come to."""
    leader, sign = order.leaders_side.sign * order.filled, order.side.sign
    if copy is None:
        return Shares(leader)
    filled = due = there = copy.filled
    if not copy.lone:
        part = _eventual(copy).sizing.part(order.filled, order.terms.quantity, lot)
        due = max(due, min(part, reach))
        if isinstance(copy.sizing, Exit):
            if order.cut_short:
                due = filled
            leaves = copy.sizing.leaves(min(order.filled, order.terms.quantity), lot)
            there = max(there, min(leaves, reach))
            if order.status.terminal:
                there = max(there, filled + copy.rest)
    return Shares(leader, sign * filled, sign * due, sign * there)


def _rest(order: Order, copy: Copy | None, now: Shares, lot: int) -> _Open:
    asked = order.terms.quantity
    rest = asked - order.filled
    if copy is None:
        return _Open(order.leaders_side, rest, 0, 0, placed=False)
    there = due = 0
    if not copy.left_out and not copy.lone:
        sizing, eventual = copy.sizing, _eventual(copy).sizing
        wanted = sizing.size(asked, lot)
        most = wanted if eventual is sizing else eventual.size(asked, lot)
        due = max(0, most - abs(now.due))
        there = max(0, wanted - abs(now.there))
        there = max(there, copy.filled + copy.rest - abs(now.there))
    return _Open(order.leaders_side, rest, there, due, bool(copy.attempts))
