"""What is asked of the broker: an order, its terms, and the refusals that come at once."""

from dataclasses import dataclass

from simulator.instruments import Listing

SIDES = ("BUY", "SELL")
PRODUCTS = ("CNC", "INTRADAY", "MARGIN", "MTF")
ORDER_TYPES = ("LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET")
VALIDITIES = ("DAY", "IOC")
AMO_TIMES = ("PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60")
MISSING = "Missing required fields, bad values for parameters etc."


class Refused(Exception):
    """The broker refuses a request at once: words, Dhan's code, HTTP status, and the
    `errorType` where it differs from the code's usual one."""

    def __init__(
        self, message: str, code: str = "DH-906", status: int = 400, kind: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.kind = code, status, kind


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be changed of an order; prices in paise, quantities in shares."""

    order_type: str
    quantity: int
    price: int = 0
    trigger: int = 0
    validity: str = "DAY"
    disclosed: int = 0

    @property
    def limited(self) -> bool:
        """Whether it has a limit price."""
        return self.order_type in ("LIMIT", "STOP_LOSS")

    @property
    def stop(self) -> bool:
        """Whether it waits for a trigger."""
        return self.order_type in ("STOP_LOSS", "STOP_LOSS_MARKET")


@dataclass(frozen=True, slots=True)
class Ask:
    """An order as it is asked for. `platform` is API, or FAST for the Dhan app; `amo` names when
    an after-market order goes to the exchange."""

    listing: Listing
    side: str
    product: str
    terms: Terms
    correlation_id: str = "NA"
    amo: str = ""
    platform: str = "API"


def check(side: str, terms: Terms, by_api: bool) -> None:
    """Raises Refused for terms that make no sense, as vaguely as Dhan does.

    By API a STOP_LOSS_MARKET is refused (live, July 2026), and the disclosed part is at least
    30 % (Dhan's documentation).
    """
    if terms.quantity <= 0 or (terms.limited and terms.price <= 0):
        raise Refused(MISSING, "DH-905")
    if terms.disclosed and not terms.quantity * 3 <= terms.disclosed * 10 <= terms.quantity * 10:
        raise Refused(MISSING, "DH-905")
    if terms.order_type == "STOP_LOSS_MARKET" and by_api:
        raise Refused("Trigger Price should be greater than Price")
    if terms.stop and terms.trigger <= 0:
        raise Refused(MISSING, "DH-905")
    if terms.order_type == "STOP_LOSS" and side == "BUY" and terms.trigger > terms.price:
        raise Refused("Trigger Price should be less than Price")
    if terms.order_type == "STOP_LOSS" and side == "SELL" and terms.trigger < terms.price:
        raise Refused("Trigger Price should be greater than Price")
