"""Realistic lives of one order, as its broker tells them: by the feed, and by order books.

Hypothesis draws numbers; what they mean is spelled here, which is ten times as fast as drawing
each choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from domain.orders import Order, OrderType, Product, Side, Source, Stamp, Status, Terms, Validity
from tests.domain.builders import KEY, LEADER, LEADER_ORDER, NOON, after

_Value = TypeVar("_Value")

_ENDS = (Status.CANCELLED, Status.EXPIRED, Status.REJECTED)
_REASONS = ("", "RMS: margin short", "cancelled by user")
_EVENTS = ("modify", "fill", "modify", "fill", "again", "end")


class _Digits:
    """A number as a series of choices."""

    def __init__(self, number: int) -> None:
        self._left = number

    def pick(self, values: Sequence[_Value]) -> _Value:
        """One of the values, by what is left of the number."""
        self._left, place = divmod(self._left, len(values))
        return values[place]


@dataclass(frozen=True, slots=True)
class Life:
    """What truly became of an order: each of its states, as the feed tells it, in the order in
    which they happened."""

    told: tuple[Order, ...]

    @property
    def last(self) -> Order:
        """The order as it truly is in the end."""
        return self.told[-1]

    def book(self, heard: int) -> Order:
        """The row of an order book that was asked for at the end."""
        return replace(self.last, stamp=Stamp(self.last.stamp.updated_at, Source.BOOK, heard))

    def delivered(self, seed: int, complete: bool = True) -> list[Order]:
        """The life's events as they may come in: in any order, doubled, some in words nobody
        knows, and (unless `complete`) not all of them. Each is heard when it comes."""
        chance = Random(seed)
        events = [event for event in self.told if complete or chance.random() < 0.5]
        events += chance.choices(self.told, k=chance.randrange(5))
        chance.shuffle(events)
        return [
            replace(
                event,
                stamp=replace(event.stamp, heard=1000 + number),
                status=_garbled(event.status, chance),
            )
            for number, event in enumerate(events)
        ]


def _garbled(status: Status, chance: Random) -> Status:
    return Status.UNREADABLE if not status.terminal and chance.random() < 0.1 else status


def truth(order: Order) -> tuple[object, ...]:
    """What matters of an order, whoever told it and when."""
    return (
        order.terms,
        order.status,
        order.reason,
        order.filled,
        order.traded_value,
        order.side,
        order.product,
        order.stamp.updated_at,
    )


def _terms(kind: OrderType, digits: _Digits, least: int = 0) -> Terms:
    return Terms(
        quantity=max(least, 50 * digits.pick(range(1, 9))),
        order_type=kind,
        price=digits.pick((9_900, 10_000, 10_050)) if kind.has_price else 0,
        trigger=digits.pick((9_950, 9_955)) if kind.has_trigger else 0,
        validity=digits.pick(tuple(Validity)),
    )


def _next(order: Order, digits: _Digits) -> Order:
    """One thing that can happen to an open order."""
    what = digits.pick(_EVENTS)
    if order.status is Status.TRANSIT and what != "end":
        return replace(order, status=Status.PENDING)
    if what == "modify":
        kind = digits.pick((order.terms.order_type, OrderType.LIMIT))
        return replace(order, terms=_terms(kind, digits, least=order.filled + 50))
    if what == "fill":
        filled = min(order.terms.quantity, order.filled + 50 * digits.pick(range(1, 5)))
        cost = (filled - order.filled) * digits.pick((9_900, 10_000, 10_005))
        whole = filled == order.terms.quantity
        status = Status.TRADED if whole else Status.PART_TRADED
        return replace(order, status=status, filled=filled, traded_value=order.traded_value + cost)
    if what == "end":
        status = digits.pick(_ENDS if not order.filled else _ENDS[:2])
        return replace(order, status=status, reason=digits.pick(_REASONS))
    return order


def _life(numbers: Sequence[int]) -> Life:
    """TRANSIT, then whatever an exchange admits, often several things within one second."""
    digits, at = _Digits(numbers[0]), NOON
    order = Order(
        order_id=LEADER_ORDER,
        client_id=LEADER,
        instrument=KEY,
        side=digits.pick(tuple(Side)),
        product=Product.INTRADAY,
        terms=_terms(digits.pick(tuple(OrderType)), digits),
        status=Status.TRANSIT,
        stamp=Stamp(NOON, Source.FEED, 0),
        placed_at=NOON,
        symbol="NIFTY",
    )
    told = [order]
    for heard, number in enumerate(numbers[1:], start=1):
        if order.status.terminal:
            break
        digits = _Digits(number)
        at += timedelta(seconds=digits.pick((0, 0, 1, 7)))
        order = replace(_next(order, digits), stamp=Stamp(at, Source.FEED, heard))
        told.append(order)
    return Life(tuple(told))


def _piece(number: int) -> Order:
    digits = _Digits(number)
    pick, few = digits.pick, range(3)
    return Order(
        order_id=LEADER_ORDER,
        client_id=LEADER,
        instrument=KEY,
        side=pick(tuple(Side)),
        product=pick((Product.CNC, Product.INTRADAY)),
        terms=Terms(pick(few), pick(tuple(OrderType)), price=pick(few)),
        status=pick(tuple(Status)),
        stamp=Stamp(after(pick(few)), pick(tuple(Source)), pick(few)),
        filled=pick(few),
        traded_value=pick(few),
        correlation_id=pick((None, "", "a", "b")),
        symbol=pick(("", "NIFTY", "NIFTY 25000 CE")),
        reason=pick(_REASONS),
        placed_at=pick((None, after(0), after(1))),
        platform=pick(("", "FAST", "API")),
        after_market=pick((False, True)),
        leg=pick((1, 2, 3)),
        parent_id=pick((None, "1", "2")),
        exact=pick((False, True)),
    )


lives = st.lists(st.integers(0, 2**24), min_size=1, max_size=9).map(_life)
"""Lives of up to nine states."""

pieces = st.integers(0, 2 * 10**13).map(_piece)
"""Any piece of knowledge of one order, consistent with the others or not."""

seeds = st.integers(0, 2**32)
