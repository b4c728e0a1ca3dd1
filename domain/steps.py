"""What a plan can say: the next step of one copy."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.attempts import Withdrawal
from domain.copies import Skipped
from domain.missed import Missed
from domain.orders import Terms
from domain.tickets import Ticket


class Why(StrEnum):
    """What a held copy waits for."""

    IN_FLIGHT = "an answer is awaited"
    UNKNOWN_OUTCOME = "the outcome of a request is not known yet"
    UNREAD = "the account's order book is to be read first"
    PARKED = "an operator must look at it"
    LEADER_TRANSIT = "the leader's order is not at the exchange yet"
    LEADER_FILL = "waits for the leader's fill, to take the other side"
    ENTRY = "the copy of what it leaves is to trade first"
    OVERTAKEN = "the leader has left again; it has a moment more to trade"
    LEADER_UNREADABLE = "the leader's order is to be read again"
    SIZING = "its size is not known yet"
    INSTRUMENT = "the instrument's lot is not known yet"
    MASTER = "the instrument is not in the master, which is read again"
    MARKET_CLOSED = "the market is closed"
    ACCOUNT = "the account is parked"
    BOUGHT_LEG = "a bought leg may come first"
    FUNDS = "the account's funds and its margin are asked for"
    RETRY = "it is tried again after a pause"
    BROKER_DOWN = "requests of the account come to nothing, until its order book can be read again"
    TRANSIT = "Dhan cancels no order in transit"
    CANCELLING = "the broker took the cancel"
    DECLINED = "the broker refused these terms"
    RESTING = "it rests in the market"


@dataclass(frozen=True, slots=True)
class Place:
    """Place a new order, as that attempt of the copy. `reference` is what a protected price was
    made from, in paise."""

    ticket: Ticket
    number: int
    reference: int | None = None
    slice_number: int = 0


@dataclass(frozen=True, slots=True)
class Modify:
    """Give the order these terms; their quantity is the total, as Dhan's modify wants it."""

    order_id: str
    terms: Terms
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what is open of the order."""

    order_id: str
    why: Withdrawal


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing to do now; ask again at `until`, or when something is heard."""

    why: Why
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Do not copy this order to this follower; for good, if the reason is a lasting one. `missed`
    is the entry that came too late, if that is why."""

    reason: Skipped
    detail: str = ""
    missed: Missed | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing will have to be done for this copy, as far as is known."""


Step = Place | Modify | Cancel | Hold | Skip | Done
Request = Place | Modify | Cancel
