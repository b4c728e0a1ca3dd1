"""What an account's statement shows: its funds and its positions, as the broker values them."""

from dataclasses import dataclass
from datetime import datetime

from domain.instruments import InstrumentKey
from domain.orders import Product


@dataclass(frozen=True, slots=True)
class FundsShown:
    """In paise: what can be used (pledged `collateral` included), and what is used of it."""

    available: int
    collateral: int
    used: int


@dataclass(frozen=True, slots=True)
class PositionShown:
    """A position of the day: the net shares, and in paise what one of them cost on average and
    what was earned."""

    instrument: InstrumentKey
    product: Product
    quantity: int
    average: int
    realised: int
    unrealised: int


@dataclass(frozen=True, slots=True)
class FundsSeen:
    """The funds of an account at an instant."""

    client_id: str
    at: datetime
    funds: FundsShown


@dataclass(frozen=True, slots=True)
class PositionsSeen:
    """All positions of an account at an instant."""

    client_id: str
    at: datetime
    positions: tuple[PositionShown, ...]
