"""Joining two pieces of knowledge of the same order.

`merge` is a join: commutative, associative and idempotent, so late, doubled, lost and reordered
events need no code of their own (scenarios 7.3 and 7.4). Filled quantity only grows, a terminal
status absorbs, every other field follows the newest stamp, that of the end before all others.
"""

from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from domain.orders import Order, Status, Terms

_HOW_FAR = {
    Status.UNREADABLE: 0,
    Status.TRANSIT: 1,
    Status.PENDING: 2,
    Status.PART_TRADED: 3,
    Status.REJECTED: 4,
    Status.EXPIRED: 5,
    Status.CANCELLED: 6,
    Status.TRADED: 7,
}
_JOINED = (
    "status",
    "reason",
    "filled",
    "traded_value",
    "exact",
    "placed_at",
    "correlation_id",
    "parent_id",
    "amo_time",
    "platform",
    "symbol",
    "after_market",
)
_joined = attrgetter(*_JOINED)
_said = attrgetter(*_JOINED, "terms", "side", "product", "instrument", "leg")

_Ranked = tuple[object, ...]
_Text = TypeVar("_Text", bound=str)


def merge(one: Order, other: Order) -> Order:
    """What is known of the order from both: the newer of the two itself, where the older adds
    nothing to it.

    Raises ValueError when they are not the same order of the same account.
    """
    if one.order_id != other.order_id or one.client_id != other.client_id:
        raise ValueError(f"orders {one.order_id} and {other.order_id} are not the same order")
    new, old = (one, other) if _newer(one, other) else (other, one)
    furthest = max(new, old, key=_progress)
    fills = max(new, old, key=_fills)
    joined = (
        furthest.status,
        furthest.reason,
        fills.filled,
        fills.traded_value,
        fills.exact,
        _earliest(new.placed_at, old.placed_at),
        _largest(new.correlation_id, old.correlation_id),
        _largest(new.parent_id, old.parent_id),
        _largest(new.amo_time, old.amo_time),
        max(new.platform, old.platform),
        max(new.symbol, old.symbol, key=_length),
        new.after_market or old.after_market,
    )
    if joined == _joined(new):
        return new
    changes: dict[str, Any] = dict(zip(_JOINED, joined, strict=True))
    return replace(new, **changes)


def adds(known: Order | None, merged: Order) -> bool:
    """Whether `merged` says more than `known` did, beyond who told it last and when."""
    return known is None or (merged is not known and _said(merged) != _said(known))


def outweighs(known: Order | None, merged: Order) -> bool:
    """Whether `merged` says more than `known` did, or the same with more weight.

    Whoever passes knowledge on must pass on the weight too: one that was told the same terms by
    the feed only would believe a stale event of the same second, against the order book.
    """
    if known is None or adds(known, merged):
        return True
    before, after = known.stamp, merged.stamp
    return (before.updated_at, before.source) != (after.updated_at, after.source)


def ambiguous(known: Order, told: Order) -> bool:
    """Whether the two cannot be put in order by time, so that the book should be asked again.

    Dhan's times have whole seconds: two different modifications within one second look equally
    new, and which one is in force only the order book can tell.
    """
    return (
        known.stamp.updated_at == told.stamp.updated_at
        and known.terms != told.terms
        and not (known.status.terminal or told.status.terminal)
    )


def _newer(one: Order, other: Order) -> bool:
    """Whether `one` is the later word: nothing is told later than that an order ended."""
    if one.status.terminal != other.status.terminal:
        return one.status.terminal
    if one.stamp != other.stamp:
        return one.stamp > other.stamp
    return _wording(one) >= _wording(other)


def _wording(order: Order) -> _Ranked:
    """Everything that follows the newest stamp, to choose between two of the very same one."""
    key = order.instrument
    return (
        *_terms(order.terms),
        order.product,
        order.leg,
        order.side,
        key.segment,
        key.security_id,
    )


def _terms(terms: Terms) -> _Ranked:
    return (
        terms.quantity,
        terms.order_type,
        terms.price,
        terms.trigger,
        terms.validity,
        terms.disclosed,
    )


def _progress(order: Order) -> _Ranked:
    """How far the order has come: a terminal status absorbs, else the newest status counts.

    Within one second it is the later one of an order's life, whoever told it and when it was
    heard: a doubled TRANSIT that arrives after the PENDING of its second is no news.
    """
    how_far = _HOW_FAR[order.status]
    if order.status.terminal:
        return (True, how_far, order.reason)
    return (False, order.stamp.updated_at, how_far, order.reason)


def _fills(order: Order) -> tuple[int, bool, int]:
    """More fills outweigh fewer, and of the same ones what the exchange's trades cost outweighs
    what a rounded average makes of them."""
    return (order.filled, order.exact, order.traded_value)


def _length(name: str) -> tuple[int, str]:
    return (len(name), name)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _largest(one: _Text | None, other: _Text | None) -> _Text | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
