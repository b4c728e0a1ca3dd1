"""What one decision takes, with every rule of a follower on: sizing by capital with bounds and an
override, filters, limits, product map and price protection.

`plan` is the pure function alone; `decision` is all that a follower computes for an order that it
is told: merging it in, its size, its positions and how the account stands by its limits, and then
that plan. The book holds a day's copies already, in several instruments. It is time of the
processor, as nothing is waited for: what else the host does is not of interest here.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from benchmarks.figures import p99
from domain.copies import Copy
from domain.copybook import CopyBook
from domain.funds import FreeCash, Room
from domain.instruments import Instrument, InstrumentKey, OptionType, Segment
from domain.limits import Filter, Limits, Standing
from domain.messages import OrderSeen
from domain.orders import Order, OrderType, Product, Side, Source, Stamp, Status, Terms
from domain.plan import plan
from domain.protection import Protection
from domain.rules import Account, Mood, Rules
from domain.sizes import Bounds, CapitalShare, Override
from domain.sizing import Fixed, Rounding
from domain.steps import Place

_NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
_COPIES = 200
_CONTRACTS = tuple(
    Instrument(
        InstrumentKey(Segment.NSE_FNO, str(40_000 + number)),
        lot=65,
        tick=5,
        symbol=f"NIFTY-Nov2026-{25_000 + 50 * number}-CE",
        underlying="NIFTY",
        kind="OPTIDX",
        freeze=1756,
        upper=100_000,
        lower=5,
        strike=2_500_000 + 5000 * number,
        option_type=OptionType.CALL,
    )
    for number in range(20)
)

EVERY_RULE = Rules(
    "all",
    sizing=CapitalShare(Rounding.NEAREST),
    bounds=Bounds(least=65, most=10_000, ceiling=Fraction(20)),
    overrides=(Override(Fixed(1), symbols=("BANKNIFTY*", "RELIANCE")),),
    filter=Filter(
        segments=(Segment.NSE_FNO,),
        products=(Product.INTRADAY, Product.MARGIN),
        symbols=("NIFTY*",),
        denied_symbols=("*-PE",),
    ),
    limits=Limits(
        order_value=10**10,
        quantity=100_000,
        open_positions=50,
        orders_a_day=100_000,
        moved_percent=Fraction(5),
        moved_ticks=1000,
        day_loss=10**8,
        margin_check=True,
    ),
    protection=Protection(),
    products=((Product.MARGIN, Product.INTRADAY),),
)


def run(count: int) -> dict[str, float]:
    """The median and p99 of so many plans and decisions, in microseconds of processor time."""
    book = _book()
    planned = _measured([_planned(book, number) for number in range(count)])
    decided = _measured([_decided(book, number) for number in range(count)])
    return {"count": count, "copies": _COPIES} | {
        f"{name}_{which}_us": value
        for name, (median, most) in {"plan": planned, "decision": decided}.items()
        for which, value in (("p50", median), ("p99", most))
    }


def _book() -> CopyBook:
    """A follower's book with the copies of a day in it."""
    book = CopyBook(EVERY_RULE)
    book.restore((), _NOW)
    book.listings.learn(_CONTRACTS)
    book.means.capital(20_000_000, 100_000_000)
    book.funds.told(FreeCash(10**12, _NOW), book.copies)
    for number in range(_COPIES):
        _decided(book, number - _COPIES, keep=True)
    return book


def _order(number: int) -> Order:
    contract = _CONTRACTS[number % len(_CONTRACTS)]
    return Order(
        order_id=f"1{number + 10**6:014}",
        client_id="1000000001",
        instrument=contract.key,
        side=Side.BUY,
        product=Product.MARGIN,
        terms=Terms(650, OrderType.MARKET),
        status=Status.PENDING,
        stamp=Stamp(_NOW, Source.FEED, number),
        symbol=contract.symbol,
        placed_at=_NOW,
    )


def _decided(book: CopyBook, number: int, keep: bool = False) -> int:
    """How long all takes for a new order, in nanoseconds."""
    order = _order(number)
    seen = OrderSeen(order, _NOW, 0, ltp=12_000)
    began = time.thread_time_ns()
    book.seen(seen)
    step = book.step(order.order_id, Mood.ACTIVE, True, _NOW)
    took = time.thread_time_ns() - began
    if not isinstance(step, Place):
        raise RuntimeError(f"not placed: {step}")
    if keep:
        book.intended(order.order_id, step, _NOW)
    else:
        _forget(book, order)
    return took


def _forget(book: CopyBook, order: Order) -> None:
    """Have the book as it was, for the next order."""
    stamp = Stamp(_NOW, Source.BOOK, 0)
    book.seen(OrderSeen(replace(order, status=Status.CANCELLED, stamp=stamp), _NOW, 0))
    del book.orders[order.order_id], book.copies[order.order_id]


def _planned(book: CopyBook, number: int) -> int:
    """How long the plan alone takes, in nanoseconds."""
    order = _order(number)
    contract = _CONTRACTS[number % len(_CONTRACTS)]
    copy = Copy(order.order_id, "all", next(iter(book.copies.values())).sizing, _NOW)
    market = book.listings.market(order.instrument, True)
    room = Room(FreeCash(10**12, _NOW))
    account = Account(Mood.ACTIVE, 0, Standing(20, False, _COPIES), room)
    began = time.thread_time_ns()
    step = plan(order, copy, EVERY_RULE, market, contract, account, _NOW)
    took = time.thread_time_ns() - began
    if not isinstance(step, Place):
        raise RuntimeError(f"not placed: {step}")
    return took


def _measured(times_ns: list[int]) -> tuple[float, float]:
    ordered = sorted(one / 1000 for one in times_ns)
    return ordered[len(ordered) // 2], p99(ordered)
