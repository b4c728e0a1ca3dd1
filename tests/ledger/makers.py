"""Entries as the actors make them, with sensible values where a test does not care."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from domain.attempts import Change, Withdrawal
from domain.copies import Copy, CopyState
from domain.correlation import correlation_id
from domain.instruments import InstrumentKey, Segment
from domain.messages import Answered, CopyChanged, CopyReport, Intent
from domain.orders import Order, OrderType, Product, Side, Source, Stamp, Status, Terms
from domain.outcomes import Accepted, Outcome
from domain.sizing import Multiplier
from domain.steps import Cancel, Modify, Place, Request
from domain.tickets import Ticket

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=5)
KEY = InstrumentKey(Segment.NSE_EQ, "1333")
HALF = Multiplier(Fraction(1, 2))
TERMS = Terms(10, OrderType.LIMIT, 10_000)


def place(leader_order_id: str = "1001", number: int = 0, terms: Terms = TERMS) -> Place:
    """A placement."""
    name = correlation_id(leader_order_id, 0, number)
    return Place(Ticket(name, KEY, Side.BUY, Product.CNC, terms), number)


def modify(order_id: str = "9001", terms: Terms = TERMS) -> Modify:
    """A modification."""
    return Modify(order_id, terms)


def cancel(order_id: str = "9001") -> Cancel:
    """A cancel."""
    return Cancel(order_id, Withdrawal.LEADER)


def intent(
    request: Request | None = None,
    follower: str = "asha",
    leader_order_id: str = "1001",
    number: int = 0,
    at: datetime = NOW,
    planned_ns: int = 1_000,
) -> Intent:
    """The intent of a request, a placement where none is named."""
    request = request or place(leader_order_id, number)
    change = None
    if not isinstance(request, Place):
        change = Change.MODIFY if isinstance(request, Modify) else Change.CANCEL
    return Intent(
        follower=follower,
        client_id=f"client of {follower}",
        leader_order_id=leader_order_id,
        correlation_id=correlation_id(leader_order_id, 0, number),
        slice_number=0,
        number=number,
        change=change,
        request=request,
        order_id="" if isinstance(request, Place) else request.order_id,
        sizing=HALF.text,
        born=NOW,
        intended_at=at,
        heard_ns=planned_ns - 500,
        planned_ns=planned_ns,
    )


def answered(to: Intent, outcome: Outcome | None = None, took_us: int = 20_000) -> Answered:
    """The answer to an intent, accepted where nothing else is said."""
    return Answered(
        intent=to,
        outcome=outcome or Accepted("9001", "PENDING"),
        committed_ns=to.planned_ns + 1_000_000,
        written_ns=to.planned_ns + 2_000_000,
        answered_ns=to.planned_ns + took_us * 1_000,
        http_status=200,
    )


def order(
    order_id: str = "9001",
    client_id: str = "client of asha",
    filled: int = 0,
    value: int = 0,
    status: Status = Status.PENDING,
    second: int = 0,
    source: Source = Source.FEED,
    heard: int = 1,
    correlation: str | None = None,
) -> Order:
    """What is known of an order, changed so many seconds after `NOW`."""
    return Order(
        order_id=order_id,
        client_id=client_id,
        instrument=KEY,
        side=Side.BUY,
        product=Product.CNC,
        terms=TERMS,
        status=status,
        stamp=Stamp(NOW + timedelta(seconds=second), source, heard),
        filled=filled,
        traded_value=value,
        correlation_id=correlation,
        symbol="HDFCBANK",
        placed_at=NOW,
    )


def unheard(known: Order) -> Order:
    """The order as the ledger gives it back: when it was heard is not kept."""
    return replace(known, stamp=replace(known.stamp, heard=0))


def changed(
    follower: str = "asha",
    leader_order_id: str = "1001",
    at: datetime = NOW,
    state: CopyState = CopyState.OPEN,
    dispatch_us: int | None = 900,
) -> CopyChanged:
    """A copy that has something to tell."""
    report = CopyReport(
        leader_order_id=leader_order_id,
        follower=follower,
        state=state,
        reason="",
        order_ids=("9001",),
        correlation_ids=(correlation_id(leader_order_id, 0, 0),),
        symbol="HDFCBANK",
        side=Side.BUY,
        quantity=10,
        filled=4,
        traded_value=40_200,
        leader_filled=8,
        leader_value=80_000,
        slippage_paise=200,
        slippage_bps=50.0,
        dispatch_us=dispatch_us,
        in_step=True,
        sizing=HALF.text,
        at=at,
    )
    return CopyChanged(report, Copy(leader_order_id, follower, HALF, NOW))
