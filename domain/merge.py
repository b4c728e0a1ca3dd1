"""Joining two pieces of knowledge of the same order.

`merge` is a join: commutative, associative and idempotent, so late, doubled, lost and reordered
events need no code of their own (scenarios 7.3 and 7.4). Filled quantity only grows, a terminal
status absorbs, every other field follows the newest stamp.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from domain.orders import Order, Stamp, Status, Terms

_FINALITY = {
    Status.REJECTED: 1,
    Status.EXPIRED: 2,
    Status.CANCELLED: 3,
    Status.TRADED: 4,
}

_Ranked = tuple[object, ...]
_Text = TypeVar("_Text", bound=str)


def merge(one: Order, other: Order) -> Order:
    """What is known of the order from both.

    Raises ValueError when they are not the same order of the same account.
    """
    if (one.order_id, one.client_id) != (other.order_id, other.client_id):
        raise ValueError(f"orders {one.order_id} and {other.order_id} are not the same order")
    if one == other:
        return one
    newest = max(one, other, key=_recency)
    final = max(one, other, key=_finality)
    fills = max(one, other, key=_fills)
    return replace(
        newest,
        status=final.status,
        reason=final.reason,
        filled=fills.filled,
        traded_value=fills.traded_value,
        placed_at=_earliest(one.placed_at, other.placed_at),
        correlation_id=_largest(one.correlation_id, other.correlation_id),
        parent_id=_largest(one.parent_id, other.parent_id),
        platform=max(one.platform, other.platform),
        symbol=max(one.symbol, other.symbol, key=lambda name: (len(name), name)),
        after_market=one.after_market or other.after_market,
        amo_time=_largest(one.amo_time, other.amo_time),
    )


def ambiguous(known: Order, told: Order) -> bool:
    """Whether the two cannot be put in order by time, so that the book should be asked again.

    Dhan's times have whole seconds: two different modifications within one second look equally
    new, and which one is in force only the order book can tell.
    """
    return (
        known.stamp.updated_at == told.stamp.updated_at
        and known.terms != told.terms
        and not known.status.terminal
    )


def _recency(order: Order) -> _Ranked:
    key = order.instrument
    return (
        _age(order.stamp),
        *_terms(order.terms),
        order.product,
        order.leg,
        order.side,
        key.segment,
        key.security_id,
    )


def _finality(order: Order) -> _Ranked:
    rank = _FINALITY.get(order.status, 0)
    if rank:
        return (rank, order.reason)
    return (rank, _age(order.stamp), order.status, order.reason)


def _fills(order: Order) -> _Ranked:
    return (order.filled, order.traded_value)


def _age(stamp: Stamp) -> tuple[datetime, int, int]:
    return (stamp.updated_at, stamp.source, stamp.heard)


def _terms(terms: Terms) -> _Ranked:
    return (
        terms.quantity,
        terms.order_type,
        terms.price,
        terms.trigger,
        terms.validity,
        terms.disclosed,
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _largest(one: _Text | None, other: _Text | None) -> _Text | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
