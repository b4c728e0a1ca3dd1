"""The position that the copies in one holding imply, by what the leader's orders have come to."""

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil, floor

from domain.copies import Copy
from domain.differences import Followed
from domain.orders import Order
from domain.sizing import Exit
from domain.wanted import part, share

_LAST = datetime.max.replace(tzinfo=UTC)


def implied(copies: Iterable[Followed]) -> tuple[int, int]:
    """The least and the most (shares, signed) that these copies of one holding should have built.

    An exit leaves its part of what is there. So of what the entries before it got beyond the rule,
    or had less, it leaves that part too: the leader's last exit leaves nothing amiss.
    """
    low = high = 0
    amiss = Fraction()
    for one in sorted(copies, key=_placed):
        least, most = _bounds(one)
        low, high = low + least, high + most
        if one.order is None or one.lot is None:
            continue
        sizing, built = one.copy.sizing, one.order.side.sign * one.copy.filled
        if not isinstance(sizing, Exit):
            amiss += built - min(max(built, least), most)
            continue
        left = amiss * Fraction(min(one.order.filled, sizing.leaders), sizing.leaders)
        low += floor(left / one.lot) * one.lot
        high += ceil(left / one.lot) * one.lot
        amiss -= left
    return low, high


def as_implied(one: Followed) -> bool:
    """Whether the copy by itself has traded what the leader's order implies."""
    if one.order is None or one.lot is None:
        return False
    least, most = _traded(one.order, one.copy, one.lot)
    return least <= one.copy.filled <= most


def _placed(one: Followed) -> tuple[datetime, int, str]:
    """Where the leader's order comes among the others; one that is not known implies nothing."""
    order_id = one.copy.leader_order_id
    if one.order is None:
        return _LAST, len(order_id), order_id
    return one.order.placed_at or one.order.stamp.updated_at, len(order_id), order_id


def _bounds(one: Followed) -> tuple[int, int]:
    """What one copy should have built, as a position."""
    if one.order is None or one.lot is None:
        return 0, 0
    least, most = _traded(one.order, one.copy, one.lot)
    return (least, most) if one.order.side.sign > 0 else (-most, -least)


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
