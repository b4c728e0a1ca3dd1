"""What came of a request to the broker: accepted, refused, throttled, not known, or never sent."""

from dataclasses import dataclass
from enum import StrEnum


class Refused(StrEnum):
    """Why a request was clearly refused, so that nothing happened at the exchange."""

    TOKEN = "token"
    ADDRESS = "address"
    MARGIN = "margin"
    PRICE = "price"
    QUANTITY = "quantity"
    PRODUCT = "product"
    HOLDING = "holding"
    SEGMENT = "segment"
    INSTRUMENT = "instrument"
    MARKET_CLOSED = "market closed"
    IN_TRANSIT = "in transit"
    GONE = "order is no longer open"
    MODIFICATIONS = "too many modifications"
    INPUT = "input"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker took the request; the order itself may still be rejected later.

    `order_id` is empty where the broker answered without a body (a cancel's 202).
    """

    order_id: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The broker clearly said no: nothing was placed, changed or cancelled."""

    kind: Refused
    message: str
    code: str = ""
    http_status: int = 0


@dataclass(frozen=True, slots=True)
class Throttled:
    """429 / DH-904: not carried out, to be asked again after a pause (scenario 7.6)."""

    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it was carried out: a timeout, a cut connection, a 5xx, an answer
    that cannot be read. Never treated as a refusal."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left this host, so nothing can have happened."""

    why: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """It was called back before it left this host: another step is to be taken, or one of another
    copy before it."""


Outcome = Accepted | Refusal | Throttled | Unknown | NotSent | Recalled
