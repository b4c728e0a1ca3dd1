"""What can be written into the ledger. Most entries are the domain's own messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.halts import HaltAsked, HaltNoted
from domain.inputs import Input
from domain.instructions import Given, Settled
from domain.messages import Alert, Answered, CopyChanged, Intent
from domain.orders import Order
from domain.statements import FundsSeen, PositionsSeen

Role = Literal["leader", "follower"]


@dataclass(frozen=True, slots=True)
class Noted:
    """An input, and the instant at which the follower took it."""

    follower: str
    at: datetime
    told: Input


@dataclass(frozen=True, slots=True)
class OrderKnown:
    """Something is known of an order; the ledger merges it with what it knew before."""

    role: Role
    order: Order


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that outlives the process, by its name."""

    key: str
    value: str


Entry = (
    Intent
    | Answered
    | OrderKnown
    | CopyChanged
    | Alert
    | Setting
    | Given
    | Settled
    | HaltAsked
    | HaltNoted
    | Noted
    | FundsSeen
    | PositionsSeen
)
