"""What is traded: segments, instruments and the ticks and lots that bind their orders."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Segment(StrEnum):
    """An exchange segment, by the name that Dhan's REST API gives it."""

    NSE_EQ = "NSE_EQ"
    NSE_FNO = "NSE_FNO"
    NSE_CURRENCY = "NSE_CURRENCY"
    NSE_COMM = "NSE_COMM"
    BSE_EQ = "BSE_EQ"
    BSE_FNO = "BSE_FNO"
    BSE_CURRENCY = "BSE_CURRENCY"
    MCX_COMM = "MCX_COMM"
    IDX_I = "IDX_I"
    INX_EQ = "INX_EQ"

    @property
    def copied(self) -> bool:
        """Whether orders here are copied: an index has none, US stocks are left alone."""
        return self not in (Segment.IDX_I, Segment.INX_EQ)

    @property
    def cash(self) -> bool:
        """Whether shares are traded here one by one (lot 1) rather than contracts in lots."""
        return self in (Segment.NSE_EQ, Segment.BSE_EQ)


@dataclass(frozen=True, slots=True)
class InstrumentKey:
    """The identity of an instrument: a security id alone collides across segments."""

    segment: Segment
    security_id: str

    def __hash__(self) -> int:
        """Few share one, and every order looks up its instrument many times."""
        return hash(self.security_id)


class OptionType(StrEnum):
    CALL = "CE"
    PUT = "PE"


class Listing(StrEnum):
    """What the instrument master says of an instrument.

    PRESUMED: it has it, or there is no master that could tell. AWAITED: it does not have it, and
    is read anew. UNKNOWN: it does not have it.
    """

    PRESUMED = "presumed"
    AWAITED = "awaited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Price:
    """A last price in paise, and when somebody told it, by the broker's clock."""

    paise: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the instrument master, as far as orders need it.

    `lot` is in shares, `tick` in paise. `freeze` is the first quantity (in shares) that the
    exchange refuses as one order, None where it sets no such limit. `upper` and `lower` are
    the day's circuit limits in paise, None where there are none. `expiry` is the last day of a
    contract; `strike` (paise) and `option_type` are an option's. `derivatives` is whether a share
    has any, by which it closes otherwise (`domain.schedules`): it counts as having some unless it
    is known to have none.
    """

    key: InstrumentKey
    lot: int
    tick: int
    symbol: str = ""
    underlying: str = ""
    kind: str = ""
    freeze: int | None = None
    upper: int | None = None
    lower: int | None = None
    expiry: date | None = None
    strike: int | None = None
    option_type: OptionType | None = None
    derivatives: bool = True

    def __post_init__(self) -> None:
        if self.lot < 1 or self.tick < 1:
            raise ValueError(f"{self.key}: lot {self.lot} and tick {self.tick} must be at least 1")

    @property
    def most(self) -> int | None:
        """The most (shares, in whole lots) that the exchange takes as one order, None where it
        sets no such limit."""
        return (
            None if self.freeze is None else max(self.lot, (self.freeze - 1) // self.lot * self.lot)
        )

    @property
    def option(self) -> bool:
        """Whether it is a call or a put."""
        return self.kind.startswith("OPT")

    def snap_down(self, price: int) -> int:
        """The highest price on a tick that is not above `price` (paise), but at least one tick."""
        return max(self.tick, price // self.tick * self.tick)

    def snap_up(self, price: int) -> int:
        """The lowest price on a tick that is not below `price` (paise), but at least one tick."""
        return max(self.tick, -(-price // self.tick) * self.tick)

    def within_circuit(self, price: int) -> int:
        """The price (paise), moved to the nearest tick within the day's circuit limits."""
        if self.upper is not None:
            price = min(price, self.snap_down(self.upper))
        if self.lower is not None:
            price = max(price, self.snap_up(self.lower))
        return price


def one_order(instrument: Instrument | None) -> tuple[int, int | None]:
    """The least and the most (shares) that one order of an instrument may be for, as far as that is
    known: its lot, 1 where it is not, and None where there is no most."""
    return (instrument.lot, instrument.most) if instrument is not None else (1, None)
