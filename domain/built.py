"""What was built on earlier days, by orders that nobody tells of any more."""

from dataclasses import dataclass

from domain.instruments import InstrumentKey
from domain.orders import Product


@dataclass(frozen=True, slots=True)
class Built:
    """Net shares, signed, in an instrument under the leader's product: what the leader's orders
    traded, and what the copies of them did."""

    instrument: InstrumentKey
    product: Product
    leader: int
    mine: int
