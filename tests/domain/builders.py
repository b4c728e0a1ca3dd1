"""Orders, copies and instants for the tests of the domain, with sensible defaults."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from actors.hands import Timing
from actors.intents import intent as made
from domain.copies import Copy
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.messages import Intent
from domain.orders import (
    Order,
    OrderType,
    Product,
    Side,
    Source,
    Stamp,
    Status,
    Terms,
    Validity,
)
from domain.rules import Rules
from domain.sizing import Multiplier
from domain.steps import Request

NOON = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
LEADER, FOLLOWER = "1000000001", "1000000002"
LEADER_ORDER = "102261125000001"
LOT = 50
KEY = InstrumentKey(Segment.NSE_FNO, "43512")
CONTRACT = Instrument(KEY, lot=LOT, tick=5, symbol="NIFTY 26 NOV 25000 CALL")
SHARE = Instrument(InstrumentKey(Segment.NSE_EQ, "1333"), lot=1, tick=5, symbol="HDFCBANK")
HALF = Multiplier(Fraction(1, 2))
RULES = Rules("asha", sizing=HALF)


def after(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def terms(
    quantity: int = 200,
    order_type: OrderType = OrderType.LIMIT,
    price: int = 10_000,
    trigger: int = 0,
    validity: Validity = Validity.DAY,
    disclosed: int = 0,
) -> Terms:
    """Terms of a leader's order: 200 at 100 rupees, unless said otherwise."""
    return Terms(quantity, order_type, price, trigger, validity, disclosed)


MARKET = terms(order_type=OrderType.MARKET, price=0)


def stamp(seconds: int = 0, source: Source = Source.FEED, heard: int = 0) -> Stamp:
    """Knowledge of so many seconds after noon."""
    return Stamp(after(seconds), source, heard)


def leader_order(**said: Any) -> Order:
    """A pending order of the leader, told by the feed at noon, unless said otherwise."""
    asked: Terms = said.pop("terms", terms())
    known = Order(
        order_id=LEADER_ORDER,
        client_id=LEADER,
        instrument=KEY,
        side=Side.BUY,
        product=Product.INTRADAY,
        terms=asked,
        status=Status.PENDING,
        stamp=stamp(),
        platform="FAST",
    )
    return replace(known, **said)


def filled(order: Order, quantity: int, price: int = 10_000, **said: Any) -> Order:
    """The order with so much of it traded at a price in paise."""
    whole = quantity >= order.terms.quantity
    status = Status.TRADED if whole else Status.PART_TRADED
    said.setdefault("status", status)
    return replace(order, filled=quantity, traded_value=quantity * price, **said)


def new_copy(**said: Any) -> Copy:
    """A copy of the leader's order that was born at noon and not placed yet."""
    return replace(Copy(LEADER_ORDER, "asha", HALF, NOON), **said)


def intent(copy: Copy, step: Request, now: datetime, planned_ns: int = 2_000) -> Intent:
    """The intent of a step, as a follower would have it recorded."""
    return made(copy.follower, FOLLOWER, copy, step, Timing(1_000), now, planned_ns)
