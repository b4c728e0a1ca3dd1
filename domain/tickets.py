"""An order to be placed in a follower's account."""

from dataclasses import dataclass

from domain.instruments import InstrumentKey
from domain.orders import AmoTime, Product, Side, Terms


@dataclass(frozen=True, slots=True)
class Ticket:
    """Everything that Dhan needs to know to place an order.

    `correlation_id` has at most 25 characters (measured on Dhan's sandbox; its documentation
    says 30). `amo_time` is None for an order that is not after-market.
    """

    correlation_id: str
    instrument: InstrumentKey
    side: Side
    product: Product
    terms: Terms
    amo_time: AmoTime | None = None
