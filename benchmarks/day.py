"""What a long day costs: one follower's decisions when the leader goes in and out of one
instrument all day, what hearing all of its orders again takes after a restart, and what another
roster takes. It is time of the processor, without actors, ledger or broker.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.intents import intent
from actors.post import Post
from domain.copies import Copy
from domain.inputs import (
    Granted,
    Heard,
    Input,
    InstrumentsFound,
    Mandate,
    Mandated,
    MarketFound,
    Restored,
)
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.messages import Answered, Intent, OrderHeard, OrderSeen
from domain.orders import Order, OrderType, Product, Side, Source, Stamp, Status, Terms
from domain.outcomes import Accepted
from domain.rules import Rules
from domain.schedules import Schedule
from domain.steps import Request

SIZES = (100, 1000)

_BEGAN = datetime(2026, 11, 25, 3, 45, tzinfo=UTC)
_KEY = InstrumentKey(Segment.NSE_EQ, "2885")
_RELIANCE = Instrument(_KEY, lot=1, tick=5, symbol="RELIANCE")
_LEADER, _ACCOUNT = "1000000001", "1000000002"
_MANDATE = Mandate(Rules("asha"))
_EVERY = timedelta(seconds=20)


@dataclass
class _Hands(HoldingNothing):
    """Keeps what is to be sent."""

    sent: list[Intent] = field(default_factory=list)

    def note(self, told: Input, now: datetime) -> None: ...

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        self.sent.append(intent("asha", _ACCOUNT, copy, step, timing, now, 1))

    def ring(self, leader_id: str, after: timedelta) -> None: ...


def run(sizes: Sequence[int]) -> dict[str, Any]:
    """One row for each number of orders. Raises RuntimeError where not all of them were copied."""
    return {"rows": [_day(size) for size in sizes]}


def _day(size: int) -> dict[str, Any]:
    hands = _Hands()
    following, now = _began(hands, Restored(())), _BEGAN
    spent = []
    for number in range(size):
        now += _EVERY
        spent.append(_timed(partial(_copied, following, hands, number, now)))
    book, late = following.book, spent[-max(1, size // 5) :]
    if len(hands.sent) != size or book.position(_KEY, Product.INTRADAY):
        raise RuntimeError(f"{len(hands.sent)} of {size} orders were copied")
    orders = tuple(filter(None, map(book.told, book.orders)))
    another = _timed(lambda: _told(following, [Mandated(_MANDATE)], now))
    again = _began(_Hands(), Restored(tuple(book.copies.values()), orders))
    heard = _timed(lambda: _told(again, [OrderSeen(one, now, 1) for one in orders], now))
    return {
        "orders": size,
        "order_us": sum(late) / len(late) / 1e3,
        "again_ms": heard / 1e6,
        "roster_ms": another / 1e6,
    }


def _began(hands: _Hands, kept: Restored) -> Following:
    following = Following("asha", _ACCOUNT, _MANDATE, Post(), hands)
    following.open(_BEGAN)
    market = MarketFound(Schedule.NSE_EQ, takes=True)
    _told(following, (kept, market, InstrumentsFound((_RELIANCE,)), Granted(10**6)), _BEGAN)
    return following


def _told(following: Following, inputs: Iterable[Input], now: datetime) -> None:
    for one in inputs:
        following.take(one, now)


def _copied(following: Following, hands: _Hands, number: int, now: datetime) -> None:
    """An order of the leader's, from its first event until it and its copy have traded."""
    order = _order(f"1{number:013}", _LEADER, number, now)
    following.take(OrderSeen(order, now, 1), now)
    following.take(OrderSeen(_traded(order), now, 2), now)
    sent, own_id = hands.sent[-1], f"9{number:013}"
    following.take(Answered(sent, Accepted(own_id, "TRANSIT"), 1, 2, 3, 200), now)
    own = _order(own_id, _ACCOUNT, number, now)
    told = replace(_traded(own), correlation_id=sent.correlation_id)
    following.take(Heard((OrderHeard(told),)), now)


def _order(order_id: str, client_id: str, number: int, now: datetime) -> Order:
    return Order(
        order_id=order_id,
        client_id=client_id,
        instrument=_KEY,
        side=Side.SELL if number % 2 else Side.BUY,
        product=Product.INTRADAY,
        terms=Terms(10, OrderType.LIMIT, 130_000),
        status=Status.PENDING,
        stamp=Stamp(now, Source.FEED, 2 * number),
        symbol="RELIANCE",
        placed_at=now,
    )


def _traded(order: Order) -> Order:
    stamp = replace(order.stamp, heard=order.stamp.heard + 1)
    return replace(order, status=Status.TRADED, filled=10, traded_value=1_300_000, stamp=stamp)


def _timed(act: Callable[[], object]) -> int:
    """How long it takes, in nanoseconds."""
    began = time.thread_time_ns()
    act()
    return time.thread_time_ns() - began
