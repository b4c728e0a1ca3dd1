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
class Unsent:
    """The ledger could not be written when this request was to leave, so it did not. The follower
    is told, but may be killed before what it makes of that is kept."""

    intent: Intent


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


@dataclass(frozen=True, slots=True)
class ReadsMade:
    """Reads of an account that asked the same and were answered the same, since `at`. `error` is
    why there was no answer (`status` None); all of them together took `took_us` and waited
    `waited_us` before they were written (microseconds)."""

    at: datetime
    client_id: str
    request: str
    status: int | None
    error: str
    times: int
    took_us: int
    longest_us: int
    waited_us: int


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
    | Unsent
    | ReadsMade
    | FundsSeen
    | PositionsSeen
)
