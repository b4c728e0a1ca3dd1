"""The position that the copies in one holding imply, by what the leader's orders have come to."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from domain.copies import Copy
from domain.differences import Followed
from domain.orders import Order
from domain.sizing import Exit
from domain.wanted import part, share


def implied(copies: Iterable[Followed]) -> tuple[int, int]:
    """The least and the most (shares, signed) that these copies of one holding should have built.

    An exit leaves its part of what is there. So of what the entries before it got beyond the rule,
    or had less, it leaves that part too: the leader's last exit leaves nothing amiss.
    """
    low = high = 0
    amiss = Fraction()
    for order, copy, lot in _in_order(copies):
        least, most = _built(order, copy, lot)
        low, high = low + least, high + most
        if not isinstance(copy.sizing, Exit):
            built = order.side.sign * copy.filled
            amiss += built - min(max(built, least), most)
            continue
        leaders = copy.sizing.leaders
        left = amiss * Fraction(min(order.filled, leaders), leaders)
        low += floor(left / lot) * lot
        high += ceil(left / lot) * lot
        amiss -= left
    return low, high


def as_implied(one: Followed) -> bool:
    """Whether the copy by itself has traded what the leader's order implies."""
    if one.order is None or one.lot is None:
        return False
    least, most = _traded(one.order, one.copy, one.lot)
    return least <= one.copy.filled <= most


def _in_order(copies: Iterable[Followed]) -> list[tuple[Order, Copy, int]]:
    """The copies of orders that are known, with these and their lots, as they were placed. Any
    other implies nothing."""
    known = [
        (one.order, one.copy, one.lot)
        for one in copies
        if one.order is not None and one.lot is not None
    ]
    return sorted(known, key=lambda one: one[0].place)


def _built(order: Order, copy: Copy, lot: int) -> tuple[int, int]:
    """What one copy should have built, as a position."""
    least, most = _traded(order, copy, lot)
    return (least, most) if order.side.sign > 0 else (-most, -least)


def _traded(order: Order, copy: Copy, lot: int) -> tuple[int, int]:
    """The least and the most (shares) that a copy should have traded: as much as the leader's
    order, less what can still trade of the copy, and no more than that order may come to."""
    if copy.left_out:
        return 0, 0
    if copy.given_up:
        return copy.filled, copy.filled
    got = part(order, copy, lot)
    resting = sum(one.terms.quantity - one.filled for one in copy.standings if one.terms)
    most = got if order.status.terminal else max(got, share(order, copy, lot))
    return max(0, got - max(0, resting)), most
