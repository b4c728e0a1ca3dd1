"""What the leader holds by the orders that are known, and what the copies of them built."""

from collections import defaultdict
from dataclasses import dataclass

from domain.copies import Copy
from domain.exits import Stake, leaving
from domain.instruments import InstrumentKey
from domain.orders import Order, Product, Side
from domain.sizing import Sizing

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
    """What an order of the leader that is open will still trade, of it and of its copy, and
    whether that is placed."""

    side: Side
    leader: int
    mine: int
    placed: bool


_NOTHING = _Shares()


class Holdings:
    """Positions by instrument and the leader's product, as orders and copies build them."""

    def __init__(self) -> None:
        self._totals: dict[_Holding, _Shares] = defaultdict(_Shares)
        self._shares: dict[str, _Shares] = {}
        self._open: dict[_Holding, dict[str, _Open]] = defaultdict(dict)

    def carry(self, instrument: InstrumentKey, product: Product, leader: int, mine: int) -> None:
        """Add what was built before anything that is noted here."""
        self._totals[instrument, product].add(_Shares(leader, mine, mine), 1)

    def note(self, order: Order, copy: Copy, lot: int) -> None:
        """Bring the position up to date with an order and its copy."""
        holding = (order.instrument, order.product)
        before, now = self._shares.get(order.order_id, _NOTHING), _built(order, copy, lot)
        total = self._totals[holding]
        total.add(before, -1)
        total.add(now, 1)
        self._shares[order.order_id] = now
        if order.status.terminal:
            self._open[holding].pop(order.order_id, None)
        else:
            self._open[holding][order.order_id] = _rest(order, copy, abs(now.due), lot)

    def position(self, instrument: InstrumentKey, product: Product) -> int:
        """The net position (shares, signed) that the copies built."""
        total = self._totals.get((instrument, product))
        return 0 if total is None else total.mine

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
        sign = 1 if order.side is Side.SELL else -1
        held, due = sign * (total.leader - own.leader), sign * (total.due - own.due)
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

    def _others(self, order: Order) -> list[_Open]:
        """The open orders on the same side that come first: those that the leader placed before,
        and those whose copies are placed."""
        others, earlier = [], True
        for order_id, one in self._open[order.instrument, order.product].items():
            if order_id == order.order_id:
                earlier = False
            elif one.side is order.side and (earlier or one.placed):
                others.append(one)
        return others


def _built(order: Order, copy: Copy, lot: int) -> _Shares:
    sign = 1 if order.side is Side.BUY else -1
    filled, due = copy.filled, copy.filled
    ended = copy.attempts and copy.standing is None
    if not copy.left_out and not ended:
        due = max(due, copy.sizing.part(order.filled, order.terms.quantity, lot))
    return _Shares(sign * order.filled, sign * filled, sign * due)


def _rest(order: Order, copy: Copy, due: int, lot: int) -> _Open:
    mine = 0 if copy.left_out else copy.sizing.size(order.terms.quantity, lot) - due
    rest = order.terms.quantity - order.filled
    return _Open(order.side, rest, max(0, mine), bool(copy.attempts))
