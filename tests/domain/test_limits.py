"""Limits and filters of entries: a verdict names the rule, the limit and the value (5.7, 8.5)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from domain.copies import Skipped
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.limits import DayLoss, Entry, Filter, Limits, Standing, refused
from domain.orders import Product, Side, Status
from domain.rules import Rules
from domain.sessions import IST
from domain.steps import Cancel, Done, Hold, Place, Skip
from tests.domain.builders import HALF, NOON, RULES, after, filled, leader_order
from tests.domain.pair import Pair

NIFTY = Instrument(
    InstrumentKey(Segment.NSE_FNO, "43512"),
    lot=65,
    tick=5,
    symbol="NIFTY-Nov2026-25000-CE",
    underlying="NIFTY",
    kind="OPTIDX",
    freeze=1756,
)
TCS = Instrument(InstrumentKey(Segment.NSE_EQ, "11536"), 1, 10, "TCS", "TCS", "EQUITY")


def entry(
    instrument: Instrument = NIFTY,
    quantity: int = 130,
    price: int = 12_000,
    last: int | None = None,
    side: Side = Side.BUY,
    product: Product = Product.INTRADAY,
    now: datetime = NOON,
) -> Entry:
    order = leader_order(instrument=instrument.key, symbol="", side=side, product=product)
    return Entry(order, instrument, quantity, price, last, product, now)


@pytest.mark.parametrize(
    ("wanted", "instrument", "words"),
    [
        (Filter(segments=(Segment.NSE_EQ,)), NIFTY, "segment NSE_FNO, allowed: NSE_EQ"),
        (Filter(products=(Product.CNC,)), TCS, "product INTRADAY, allowed: CNC"),
        (Filter(side=Side.SELL), TCS, "side BUY, allowed: SELL"),
        (Filter(options_only=True), TCS, "TCS is no option"),
        (
            Filter(symbols=("BANK*", "RELIANCE")),
            NIFTY,
            "symbol NIFTY-Nov2026-25000-CE, allowed: BANK*, RELIANCE",
        ),
        (
            Filter(denied_symbols=("*-CE",)),
            NIFTY,
            "symbol NIFTY-Nov2026-25000-CE, denied: *-CE",
        ),
        (
            Filter(symbols=("NIFTY",), denied_symbols=("NIFTY",)),
            NIFTY,
            "symbol NIFTY-Nov2026-25000-CE, denied: NIFTY",
        ),
    ],
)
def test_what_a_follower_does_not_copy(wanted: Filter, instrument: Instrument, words: str) -> None:
    verdict = refused(entry(instrument), wanted, Limits(), Standing())
    assert verdict == Skip(Skipped.FILTERED, words)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(segments=(Segment.NSE_FNO, Segment.NSE_EQ)),
        Filter(products=(Product.INTRADAY,)),
        Filter(symbols=("NIFTY",)),  # the underlying
        Filter(symbols=("NIFTY-*-CE",)),
        Filter(denied_symbols=("nifty*",)),  # as written
        Filter(side=Side.BUY, options_only=True),
    ],
)
def test_what_a_follower_copies(wanted: Filter) -> None:
    assert refused(entry(), wanted, Limits(), Standing()) is None


@pytest.mark.parametrize(
    ("limits", "standing", "words"),
    [
        (
            Limits(order_value=1_559_999),
            Standing(),
            "order value 15600.00, limit 15599.99",
        ),
        (Limits(quantity=129), Standing(), "quantity 130, limit 129"),
        (Limits(open_positions=3), Standing(3), "open positions 3, limit 3"),
        (Limits(orders_a_day=20), Standing(orders_today=20), "orders today 20, limit 20"),
        (
            Limits(day_loss=500_000),
            Standing(day_loss=500_005),
            "day's loss 5000.05, limit 5000.00",
        ),
    ],
)
def test_s5_7_a_limit_is_named_with_its_value(
    limits: Limits, standing: Standing, words: str
) -> None:
    assert refused(entry(), Filter(), limits, standing) == Skip(Skipped.LIMITED, words)


@pytest.mark.parametrize(
    ("limits", "standing"),
    [
        (Limits(order_value=1_560_000), Standing()),
        (Limits(quantity=130), Standing()),
        (Limits(open_positions=3), Standing(2)),
        (Limits(open_positions=3), Standing(3, holds=True)),
        (Limits(orders_a_day=20), Standing(orders_today=19)),
        (Limits(day_loss=500_000), Standing(day_loss=499_999)),
    ],
)
def test_up_to_a_limit_is_allowed(limits: Limits, standing: Standing) -> None:
    assert refused(entry(), Filter(), limits, standing) is None


@pytest.mark.parametrize(
    ("side", "last", "limits", "words"),
    [
        (Side.BUY, 12_121, Limits(moved_percent=Fraction(1)), "1.01 % from 120.00, limit 1 %"),
        (Side.BUY, 12_120, Limits(moved_percent=Fraction(1)), ""),
        (Side.BUY, 11_000, Limits(moved_percent=Fraction(1)), ""),  # better for the follower
        (Side.SELL, 11_879, Limits(moved_percent=Fraction(1)), "1.01 % from 120.00, limit 1 %"),
        (Side.SELL, 12_500, Limits(moved_percent=Fraction(1)), ""),
        (Side.BUY, 12_055, Limits(moved_ticks=10), "11 ticks from 120.00, limit 10"),
        (Side.BUY, 12_050, Limits(moved_ticks=10), ""),
        (Side.BUY, None, Limits(moved_ticks=1), ""),
    ],
)
def test_a_price_that_went_too_far_is_not_chased(
    side: Side, last: int | None, limits: Limits, words: str
) -> None:
    asked = entry(last=last, side=side)
    traded = replace(asked, order=filled(asked.order, 200, price=12_000))
    verdict = refused(traded, Filter(), limits, Standing())
    assert verdict == (Skip(Skipped.MOVED, f"price moved {words}") if words else None)
    assert refused(asked, Filter(), limits, Standing()) is None  # the leader has not traded


@pytest.mark.parametrize(
    ("day", "losses", "hours", "counted"),
    [
        (25, [100, 300, 200], 0, 300),  # that it recovers changes nothing
        (25, [100], 11.9, 100),  # 23:54 in India
        (25, [100], 12.1, 0),  # a new day there
        (24, [100], 0, 0),
    ],
)
def test_the_loss_of_a_day_is_its_largest(
    day: int, losses: list[int], hours: float, counted: int
) -> None:
    pair = Pair()
    for loss in losses:
        pair.book.means.lost(DayLoss(date(2026, 11, day), loss))
    pair.book.means.lost(DayLoss(date(2026, 11, 23), 999))  # said late
    assert pair.book.means.day_loss(after(hours * 3600)) == counted


STRICT = replace(RULES, limits=Limits(quantity=50), sizing=HALF)


def test_a_limited_entry_is_skipped_for_good() -> None:
    pair = Pair(rules=STRICT)
    verdict = pair.step()
    assert verdict == Skip(Skipped.LIMITED, "quantity 100, limit 50")
    pair.book.resize(replace(STRICT, limits=Limits()))
    assert pair.step() == Done()


def test_limits_hold_up_no_exit_no_change_and_no_cancel() -> None:
    pair = Pair()
    pair.place()
    pair.book.resize(replace(STRICT, filter=Filter(segments=(Segment.NSE_EQ,))))
    pair.lead(terms=replace(pair.leader.terms, price=9_900))
    assert not isinstance(pair.step(), Skip | Hold)
    pair.lead(status=Status.CANCELLED)
    assert isinstance(pair.step(), Cancel)


def test_an_exit_is_placed_whatever_the_limits_are() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    pair.leader_trades()
    strict = Rules("asha", limits=Limits(quantity=1, orders_a_day=1, open_positions=1, day_loss=1))
    pair.book.resize(strict)
    pair.book.means.lost(DayLoss(NOON.date(), 10_000_000))
    sale = leader_order(order_id="7", side=Side.SELL)
    pair.see(sale)
    step = pair.book.step("7", pair.mood, True, pair.now)
    assert isinstance(step, Place)
    assert step.ticket.terms.quantity == 100


# Intraday entries before the square-off

GOLD = Instrument(InstrumentKey(Segment.MCX_COMM, "60001"), 10, 100, "GOLDM-FUT", "GOLDM", "FUTCOM")
COTTON = replace(GOLD, underlying="COTTONCNDY")
LATE = Limits(intraday_cutoff_minutes=10)


def ist(written: str) -> datetime:
    local: datetime = IST.localize(datetime.fromisoformat(written))
    return local


@pytest.mark.parametrize(
    ("instrument", "begins", "close"),
    [
        (NIFTY, "2026-11-25 15:10:00", "2026-11-25 15:40:00"),
        (TCS, "2026-11-25 15:10:00", "2026-11-25 15:35:00"),
        (replace(TCS, derivatives=False), "2026-11-25 15:10:00", "2026-11-25 15:30:00"),
        (GOLD, "2026-11-25 23:35:00", "2026-11-25 23:55:00"),
        (GOLD, "2026-07-15 23:05:00", "2026-07-15 23:30:00"),
    ],
)
def test_s5_7_intraday_entries_end_before_the_square_off(
    instrument: Instrument, begins: str, close: str
) -> None:
    first, after_close = ist(begins), ist(close)
    for now, ends in (
        (first - timedelta.resolution, False),
        (first, True),
        (after_close - timedelta.resolution, True),
        (after_close, False),
    ):
        verdict = refused(entry(instrument, now=now), Filter(), LATE, Standing())
        assert isinstance(verdict, Skip) is ends, now
    said = refused(entry(instrument, now=first), Filter(), LATE, Standing())
    assert isinstance(said, Skip)
    square_off = f"{first + timedelta(minutes=10):%H:%M:%S}"
    limit = f"{first:%H:%M:%S}"
    words = (
        f"intraday entry at {limit}, limit {limit} (10 min before the square-off at {square_off})"
    )
    assert said == Skip(Skipped.LIMITED, words)


@pytest.mark.parametrize(
    ("one", "limits"),
    [
        (entry(now=ist("2026-11-25 15:15:00")), Limits()),
        (entry(now=ist("2026-11-25 15:15:00"), product=Product.MARGIN), LATE),
        (entry(now=ist("2026-11-08 18:30:00")), LATE),  # a Sunday's special session
        (entry(now=ist("2026-11-09 18:30:00")), LATE),  # an evening's
        (entry(COTTON, now=ist("2026-11-25 20:59:00")), LATE),  # nobody tells its square-off
    ],
)
def test_no_other_entry_is_cut_off(one: Entry, limits: Limits) -> None:
    assert refused(one, Filter(), limits, Standing()) is None


def test_the_cut_off_is_of_the_followers_own_product() -> None:
    mapped = ((Product.MARGIN, Product.INTRADAY), (Product.INTRADAY, Product.MARGIN))
    rules = replace(RULES, limits=LATE, products=mapped)
    for product, cut in ((Product.MARGIN, True), (Product.INTRADAY, False)):
        pair = Pair(leader_order(product=product), rules)
        late = (ist("2026-11-25 15:10:00") - NOON).total_seconds()
        pair.book.copies[pair.leader.order_id] = replace(pair.copy, born=None)
        assert isinstance(pair.at(late).step(), Skip if cut else Place)


def test_an_exit_is_not_cut_off() -> None:
    pair = Pair(rules=replace(RULES, limits=LATE))
    pair.place()
    pair.fill(100)
    pair.leader_trades()
    pair.see(leader_order(order_id="7", side=Side.SELL))
    assert isinstance(pair.book.step("7", pair.mood, True, ist("2026-11-25 15:15:00")), Place)
