"""What is known of one order in one account, whoever told it.

The same `Order` describes the leader's orders and the followers' own: a feed event and a row
of the order book are both knowledge of it, and `domain.merge` joins them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from domain.instruments import InstrumentKey


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """What a share bought or sold counts in a position."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_MARKET = "STOP_LOSS_MARKET"

    @property
    def has_price(self) -> bool:
        """Whether a limit price belongs to it."""
        return self in (OrderType.LIMIT, OrderType.STOP_LOSS)

    @property
    def has_trigger(self) -> bool:
        """Whether a trigger price belongs to it."""
        return self in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET)


class Product(StrEnum):
    CNC = "CNC"
    INTRADAY = "INTRADAY"
    MARGIN = "MARGIN"
    MTF = "MTF"
    CO = "CO"
    BO = "BO"


class Validity(StrEnum):
    DAY = "DAY"
    IOC = "IOC"


class AmoTime(StrEnum):
    """When an after-market order is sent to the exchange (Dhan's documentation)."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    OPEN_30 = "OPEN_30"
    OPEN_60 = "OPEN_60"


class Status(StrEnum):
    """Where an order stands. UNREADABLE is a word that Dhan was not known to use: the order
    counts as open and is to be read again from the order book."""

    UNREADABLE = "UNREADABLE"
    TRANSIT = "TRANSIT"
    PENDING = "PENDING"
    PART_TRADED = "PART_TRADED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    TRADED = "TRADED"

    @property
    def terminal(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _TERMINAL


_TERMINAL = frozenset({Status.REJECTED, Status.EXPIRED, Status.CANCELLED, Status.TRADED})


class Source(IntEnum):
    """Who told it, weakest first: at equal times the stronger source wins."""

    FEED = 1
    POSTBACK = 2
    BOOK = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of an order that a modification can change.

    `quantity` is the total placed (not the open part) and `disclosed` the disclosed part, both
    in shares; `price` and `trigger` are in paise, 0 where the order type has none.
    """

    quantity: int
    order_type: OrderType
    price: int = 0
    trigger: int = 0
    validity: Validity = Validity.DAY
    disclosed: int = 0

    def __post_init__(self) -> None:
        if self.quantity < 0 or self.price < 0 or self.trigger < 0 or self.disclosed < 0:
            raise ValueError(f"negative amount in {self!r}")


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """How new a piece of knowledge is.

    `updated_at` is the broker's own time of the last change, in IST and whole seconds; at equal
    times the stronger `source` wins, then what was heard later. `heard` is a monotonic time in
    nanoseconds: of arrival for an event, of asking for a row of the order book.
    """

    updated_at: datetime
    source: Source
    heard: int


FLATTENING = "FLAT-"
FLATTENING_LEGS = "FLAT-LEG-"
"""How the ids begin of orders that Lockstep makes to leave a position. The leader has none such."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as far as it is known.

    `filled` is in shares; `traded_value` is what those fills cost, in paise (the average price
    is `traded_value / filled`, kept as a sum so that it stays whole); it is `exact` where it adds
    up the exchange's own trades, and else made from a rounded average. `placed_at` and the
    stamp's time are IST. `leg` is 1 for an entry or an ordinary order, 2 and 3 for the stop
    and target legs of a Super Order, whose entry is `parent_id`. `mirrored` is whether this is the
    leader's order as an inverse follower faces it (`domain.mirror`); none is told or kept so.
    """

    order_id: str
    client_id: str
    instrument: InstrumentKey
    side: Side
    product: Product
    terms: Terms
    status: Status
    stamp: Stamp
    filled: int = 0
    traded_value: int = 0
    correlation_id: str | None = None
    symbol: str = ""
    reason: str = ""
    placed_at: datetime | None = None
    platform: str = ""
    after_market: bool = False
    amo_time: AmoTime | None = None
    leg: int = 1
    parent_id: str | None = None
    exact: bool = False
    mirrored: bool = False

    @property
    def began(self) -> datetime:
        """When it was placed, or else last changed, as far as is known."""
        return self.placed_at or self.stamp.updated_at

    @property
    def place(self) -> tuple[datetime, int, str]:
        """Where it comes among others, as they were placed; ids grow within a second."""
        return self.began, len(self.order_id), self.order_id

    @property
    def leaders_side(self) -> Side:
        """The side that the leader is on."""
        return self.side.other if self.mirrored else self.side

    @property
    def cut_short(self) -> bool:
        """Whether it ended before all of it had traded."""
        return self.status.terminal and self.status is not Status.TRADED

    @property
    def flattening(self) -> bool:
        """Whether Lockstep made it, in the leader's place, to leave a position of a follower."""
        return self.order_id.startswith(FLATTENING)

    @property
    def leaves_legs(self) -> bool:
        """Whether Lockstep made it to leave legs that stand alone."""
        return self.order_id.startswith(FLATTENING_LEGS)

    @property
    def average_price(self) -> float | None:
        """Average traded price in paise, None while nothing has traded."""
        return self.traded_value / self.filled if self.filled else None
