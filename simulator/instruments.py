"""What the simulated exchanges list, and the instrument master that tells it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

_HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,BRACKET_FLAG,COVER_FLAG,ASM_GSM_FLAG,ASM_GSM_CATEGORY,"
    "BUY_SELL_INDICATOR,BUY_CO_MIN_MARGIN_PER,BUY_CO_SL_RANGE_MAX_PERC,BUY_CO_SL_RANGE_MIN_PERC,"
    "BUY_BO_MIN_MARGIN_PER,BUY_BO_PROFIT_RANGE_MAX_PERC,BUY_BO_PROFIT_RANGE_MIN_PERC,"
    "MTF_LEVERAGE,SM_UPPER_LIMIT,SM_LOWER_LIMIT,SM_FREEZE_QTY,"
)

_SEGMENTS = {
    ("NSE", "E"): "NSE_EQ",
    ("BSE", "E"): "BSE_EQ",
    ("NSE", "D"): "NSE_FNO",
    ("BSE", "D"): "BSE_FNO",
    ("NSE", "C"): "NSE_CURRENCY",
    ("MCX", "M"): "MCX_COMM",
    ("NSE", "I"): "IDX_I",
}
_NO_EXPIRY = "0001-01-01"


@dataclass(frozen=True, slots=True)
class Listing:
    """One listed instrument; tick, circuit limits, strike and the first price are in paise.
    `segment` is its segment's name in the REST API, `key` segment and security id, since the id
    alone collides."""

    exchange: str
    letter: str
    security_id: str
    symbol: str
    display: str
    kind: str
    price: int
    lot: int = 1
    tick: int = 5
    freeze: int = 0
    upper: int = 0
    lower: int = 0
    underlying: str = ""
    option: str = "XX"
    strike: int = 0
    expiry: str = _NO_EXPIRY
    segment: str = field(init=False)
    key: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        segment = _SEGMENTS[self.exchange, self.letter]
        object.__setattr__(self, "segment", segment)
        object.__setattr__(self, "key", (segment, self.security_id))

    @property
    def series(self) -> str:
        """The series of a share."""
        return "EQ" if self.letter == "E" else "NA"


def built_in() -> list[Listing]:
    """What is listed unless somebody lists more."""
    near, far = _thursday(1), _thursday(5)
    return [
        Listing("NSE", "E", "2885", "RELIANCE", "Reliance Industries", "EQUITY", 250_000),
        Listing("NSE", "E", "1333", "HDFCBANK", "HDFC Bank", "EQUITY", 165_000),
        Listing("NSE", "E", "11536", "TCS", "Tata Consultancy", "EQUITY", 340_000),
        Listing("NSE", "E", "14366", "IDEA", "Vodafone Idea", "EQUITY", 1_300, tick=1),
        Listing(
            "NSE", "E", "3045", "SBIN", "State Bank", "EQUITY", 80_000, upper=88_000, lower=72_000
        ),
        Listing("BSE", "E", "500325", "RELIANCE", "Reliance Industries", "EQUITY", 250_000),
        Listing(
            "NSE", "D", "40001", "NIFTY-25000-CE", "NIFTY 25000 CALL", "OPTIDX", 12_000,
            lot=65, freeze=1756, underlying="NIFTY", option="CE", strike=2_500_000, expiry=near,
        ),
        Listing(
            "NSE", "D", "40002", "NIFTY-25000-PE", "NIFTY 25000 PUT", "OPTIDX", 11_000,
            lot=65, freeze=1756, underlying="NIFTY", option="PE", strike=2_500_000, expiry=near,
        ),
        Listing(
            "NSE", "D", "40003", "NIFTY-25000-CE", "NIFTY 25000 CALL", "OPTIDX", 24_000,
            lot=65, freeze=1756, underlying="NIFTY", option="CE", strike=2_500_000, expiry=far,
        ),
        Listing(
            "NSE", "D", "50001", "NIFTY-FUT", "NIFTY FUT", "FUTIDX", 2_500_000,
            lot=65, freeze=1756, underlying="NIFTY", expiry=near,
        ),
        Listing(
            "NSE", "D", "50002", "BANKNIFTY-FUT", "BANKNIFTY FUT", "FUTIDX", 5_400_000,
            lot=30, freeze=901, underlying="BANKNIFTY", expiry=near,
        ),
        Listing(
            "NSE", "C", "13001", "USDINR-FUT", "USDINR FUT", "FUTCUR", 8_800, tick=1, expiry=near
        ),
        Listing(
            "MCX", "M", "60001", "GOLDM-FUT", "GOLDM FUT", "FUTCOM", 9_000_000,
            lot=10, tick=100, expiry=near,
        ),
        Listing(
            "MCX", "M", "60002", "CRUDEOIL-FUT", "CRUDEOIL FUT", "FUTCOM", 600_000,
            lot=100, tick=100, expiry=near,
        ),
        Listing("NSE", "I", "13", "NIFTY", "Nifty 50", "INDEX", 2_500_000),
    ]  # fmt: skip


def many(count: int) -> Iterator[Listing]:
    """So many options more, for tests of size."""
    expiry = _thursday(1)
    for number in range(count):
        yield Listing(
            "NSE", "D", str(1_000_000 + number), f"LOAD-{number}-CE", f"LOAD {number}", "OPTSTK",
            1_000, lot=500, freeze=20_001, underlying="LOAD", option="CE", strike=100 * number,
            expiry=expiry,
        )  # fmt: skip


def _thursday(weeks: int) -> str:
    """The Thursday that many whole weeks from now."""
    today = date.today()
    return f"{today + timedelta(days=(3 - today.weekday()) % 7 + 7 * weeks):%Y-%m-%d}"


def master(listings: Iterable[Listing]) -> Iterator[str]:
    """The detailed master as Dhan publishes it, line by line: the trailing comma makes an empty
    33rd column; ticks are in paise but for an index, circuit limits in rupees."""
    yield _HEADER + "\n"
    for listing in listings:
        yield ",".join(_row(listing)) + "\n"


def _row(listing: Listing) -> tuple[str, ...]:
    index, contract = listing.kind == "INDEX", listing.letter in "DCM"
    underlying = "26000" if listing.underlying else listing.security_id
    kind = "OP" if listing.option != "XX" else listing.kind
    strike = f"{listing.strike / 100:.5f}" if listing.strike else "-0.01000" if contract else ""
    tick = f"{listing.tick / 100:.4f}" if index else f"{listing.tick:.4f}"
    upper, lower = f"{listing.upper / 100:.4f}", f"{listing.lower / 100:.4f}"
    return (
        listing.exchange, listing.letter, listing.security_id, "NA", listing.kind, underlying,
        listing.underlying or listing.symbol, listing.symbol, listing.display, kind,
        listing.series, f"{listing.lot}.0", listing.expiry, strike, listing.option, tick,
        "M" if contract else "N", "N", "N", "N", "NA", "A", "0", "0", "0", "0", "0", "0", "0",
        upper, lower, str(listing.freeze or -1), "",
    )  # fmt: skip
