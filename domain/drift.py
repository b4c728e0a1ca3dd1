"""Drift: what a follower's account has, against what its copies imply.

Everything is of the broker's day, as its order book and its positions are. What the account does
by itself is its own business: orders without a name of ours are no difference, and what they
traded is taken off its position. Where a position is amiss, own trades may have mended it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from domain import correlation
from domain.copies import Copy, CopyState
from domain.differences import (
    Action,
    Difference,
    Followed,
    Holding,
    Kind,
    Repair,
    Shown,
)
from domain.implied import as_implied, implied
from domain.instruments import InstrumentKey
from domain.orders import Order, Side, Status
from domain.reports import drift
from domain.sessions import IST
from domain.slices import relevant
from domain.wanted import part, share


def differences(
    follower: str, followed: Iterable[Followed], shown: Shown, working: bool, today: date
) -> list[Difference]:
    """Where the account differs from what its copies imply. `working` is whether an engine runs:
    what it is still at work on is no difference then. `today` is the date in India.

    Book, positions and copies are never of one instant: believe only what stands twice.
    """
    return _Comparison(follower, tuple(followed), shown, working, today).all()


class _Comparison:
    """The account's orders sorted by whose they are, and the copies that matter today."""

    def __init__(
        self,
        follower: str,
        followed: Sequence[Followed],
        shown: Shown,
        working: bool,
        today: date,
    ) -> None:
        self._follower, self._working = follower, working
        self._positions = shown.positions
        self._shown = {order.order_id for order in shown.orders}
        self._everything = shown.orders
        named = set(_names(followed))
        copies = [order for order in shown.orders if _names_of(order) & named]
        known = {order.order_id for order in copies}
        others = [order for order in shown.orders if order.order_id not in known]
        self._orphans = [order for order in others if correlation.ours(order.correlation_id)]
        self._own = [order for order in others if not correlation.ours(order.correlation_id)]
        seen = {name for order in copies for name in _names_of(order)}
        self._todays = [
            one for one in followed if seen.intersection(_names([one])) or _of_day(one.order, today)
        ]

    def all(self) -> list[Difference]:
        """Orders first, then positions."""
        orders = (self._order(one) for one in self._todays)
        return [
            *self._open_orphans(),
            *(found for found in orders if found is not None),
            *self._unlike_positions(),
        ]

    def _open_orphans(self) -> Iterator[Difference]:
        for order in self._orphans:
            if order.status.terminal:
                continue
            rest = order.terms.quantity - order.filled
            yield Difference(
                self._follower,
                Kind.ORPHAN,
                f"{order.side} {rest} is open under a name of ours, but no copy knows it",
                order.symbol,
                Holding(order.instrument, order.product),
                order_id=order.order_id,
                repair=Repair(Action.CANCEL, order.order_id, quantity=rest),
            )

    def _order(self, one: Followed) -> Difference | None:
        """How the orders of one copy differ; what has ended on both sides shows as a position."""
        if one.order is None or one.lot is None:
            return None
        order, copy = one.order, relevant(one.order, one.copy, one.lot)
        standing = copy.standing
        if self._working and _at_work(copy):
            return None
        if standing is None and order.status.terminal:
            return None
        order_id, kind, repair = standing.order_id if standing else "", Kind.ORDER, None
        words = drift(order, copy, one.lot)
        lost = [one.order_id for one in copy.standings if one.order_id not in self._shown]
        if order_id and lost:
            order_id = lost[0]
            kind, words = Kind.MISSING, "its open order is not in the account's order book"
        elif not words:
            return None
        elif standing is None:
            repair = self._entry(one, order, one.lot)
            if repair is None:
                return None
        elif order_id and order.cut_short:
            repair = Repair(Action.CANCEL, order_id)
        elif order.status is Status.TRADED and copy.state in _RESTING:
            kind = Kind.BEHIND
        return Difference(
            self._follower,
            kind,
            words,
            order.symbol,
            one.holding,
            (order.order_id,),
            order_id,
            repair=repair,
        )

    def _entry(self, one: Followed, order: Order, lot: int) -> Repair | None:
        """What is wanted of an open leader order beyond what either side has traded; what the
        leader's fills imply shows as a position."""
        copy = one.copy
        traded = max(copy.filled, part(order, copy, lot))
        rest = share(order, copy, lot) - traded
        return self._trade(one.holding, order.side, rest, order.order_id) if rest > 0 else None

    def _unlike_positions(self) -> Iterator[Difference]:
        """Holdings whose fills of the day are outside what copies and own trades explain."""
        days: dict[Holding, int] = defaultdict(int)
        for position in self._positions:
            days[position.holding] += position.day
        own = _signed(self._own)
        for holding, moved in _converted(days, _signed(self._everything)).items():
            own[holding] += moved
        ours: dict[Holding, list[Followed]] = defaultdict(list)
        for one in self._todays:
            ours[one.holding].append(one)
        for order in self._orphans:
            ours.setdefault(Holding(order.instrument, order.product), [])
        for holding, copies in ours.items():
            if any(self._doubtful(one) for one in copies):
                continue
            found = self._position(holding, copies, days[holding], implied(copies), own[holding])
            if found is not None:
                yield found

    def _position(
        self,
        holding: Holding,
        copies: Sequence[Followed],
        day: int,
        bounds: tuple[int, int],
        own: int,
    ) -> Difference | None:
        low, high = bounds
        built = day - own
        excess = self._unmended(holding, built - min(max(built, low), high))
        if not excess:
            return None
        orders = [one.order for one in copies if one.order is not None]
        odd = [one for one in copies if not as_implied(one)] or copies
        named = next((order.symbol for order in (*orders, *self._orphans) if order.symbol), "")
        side = Side.SELL if excess > 0 else Side.BUY
        between = f"{low:+}" if low == high else f"{low:+} to {high:+}"
        mine = f", own trades are {own:+}" if own else ""
        return Difference(
            self._follower,
            Kind.POSITION,
            f"the day's position is {day:+}, the copies imply {between}{mine}",
            named,
            holding,
            tuple(one.copy.leader_order_id for one in odd),
            has=day,
            implied=day - excess,
            own=own,
            repair=self._trade(holding, side, abs(excess)),
        )

    def _unmended(self, holding: Holding, excess: int) -> int:
        """What own trades, the oldest first, left of it: one that takes from it and does not
        overshoot counts as made for its sake."""
        for order in sorted(self._own, key=lambda order: order.stamp):
            for one, shares in _signed([order]).items():
                if one == holding and abs(excess + shares) + abs(shares) == abs(excess):
                    excess += shares
        return excess

    def _doubtful(self, one: Followed) -> bool:
        """Whether what the copy will have is not known yet."""
        if one.order is None or one.lot is None:
            return True
        copy = relevant(one.order, one.copy, one.lot)
        if copy.state in _UNCLEAR:
            return True
        if any(standing.pending or standing.terms is None for standing in copy.standings):
            return True
        return self._working and _at_work(copy)

    def _trade(self, holding: Holding, side: Side, quantity: int, like: str = "") -> Repair:
        net = sum(one.net for one in self._positions if one.holding == holding)
        open_part = net if side is Side.SELL else -net
        action = Action.EXIT if open_part >= quantity else Action.ENTRY
        return Repair(action, "", side, quantity, like)


_RESTING = frozenset({CopyState.OPEN, CopyState.PART_FILLED})
_UNCLEAR = frozenset({CopyState.PLACING, CopyState.UNKNOWN, CopyState.PARKED})
_AT_WORK = frozenset({CopyState.HELD, CopyState.PLACING, CopyState.UNKNOWN})


def _at_work(copy: Copy) -> bool:
    """Whether a running engine will do something about it."""
    changing = any(standing.pending is not None for standing in copy.standings)
    return copy.state in _AT_WORK or changing


def _names(followed: Iterable[Followed]) -> Iterator[str]:
    """Order and correlation ids of every attempt."""
    for one in followed:
        for attempt in one.copy.attempts:
            yield attempt.ticket.correlation_id
            if attempt.order_id:
                yield attempt.order_id


def _names_of(order: Order) -> set[str]:
    return {order.order_id, order.correlation_id or order.order_id}


def _of_day(order: Order | None, today: date) -> bool:
    return order is not None and order.stamp.updated_at.astimezone(IST).date() == today


def _signed(orders: Iterable[Order]) -> dict[Holding, int]:
    """What the orders bought less what they sold, in shares."""
    fills: dict[Holding, int] = defaultdict(int)
    for order in orders:
        fills[Holding(order.instrument, order.product)] += order.side.sign * order.filled
    return fills


def _converted(days: Mapping[Holding, int], fills: Mapping[Holding, int]) -> dict[Holding, int]:
    """What only changed its product, by the owner's hand: shares that no order explains, and that
    are missing under another product of the same instrument."""
    moved = {one: days.get(one, 0) - fills.get(one, 0) for one in {*days, *fills}}
    sums: dict[InstrumentKey, int] = defaultdict(int)
    for holding, shares in moved.items():
        sums[holding.instrument] += shares
    return {holding: shares for holding, shares in moved.items() if not sums[holding.instrument]}
