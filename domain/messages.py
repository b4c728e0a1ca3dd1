"""The messages that actors pass: frozen values, each a thing that happened or is wanted.

Instants named `*_ns` are of the monotonic clock, in nanoseconds.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.attempts import Change
from domain.copies import Copy, CopyState
from domain.instruments import Instrument, InstrumentKey
from domain.orders import Order, Side
from domain.outcomes import Outcome
from domain.rules import Mood
from domain.schedules import Schedule
from domain.sessions import Phase
from domain.steps import Request


@dataclass(frozen=True, slots=True)
class FrameHeard:
    """A frame came in on an order-update socket."""

    frame: str | bytes
    heard_ns: int


@dataclass(frozen=True, slots=True)
class FeedLive:
    """An order-update socket is up; Dhan never says that it believes the token."""

    account: str


@dataclass(frozen=True, slots=True)
class FeedLost:
    """An order-update socket is gone; what happens from now on may be missed."""

    account: str
    why: str


@dataclass(frozen=True, slots=True)
class FeedRefused:
    """Dhan did not take the token on an order-update socket."""

    account: str
    why: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Dhan did not take the token of the account whose actor this is."""

    actor: str


@dataclass(frozen=True, slots=True)
class TokenRenewed:
    """The account has another token than before."""


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """Something is known of a leader order.

    `born` is when it was placed, by this host's clock. `hint` is what the event itself said of
    lot and tick, `ltp` the last price it carried, in paise, told at `ltp_at` by the broker's clock
    (None: at the time of the order's stamp). `heard_ns` is when the frame (or the answer with the
    row) came in.
    """

    order: Order
    born: datetime | None
    heard_ns: int
    hint: Instrument | None = None
    ltp: int | None = None
    ltp_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SweepWanted:
    """The order book is to be read now; `follower` is who wants every row told again."""

    why: str
    follower: str | None = None


@dataclass(frozen=True, slots=True)
class BookRead:
    """A complete order book of the account, or why it could not be read."""

    orders: tuple[Order, ...]
    asked_at: datetime
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PermitsWanted:
    """The account would send so many requests more than it holds permits for, or `entries` that
    may not use the permits that it holds."""

    account: str
    count: int
    entries: bool = False


@dataclass(frozen=True, slots=True)
class PermitsGranted:
    """A request may be sent from each of these `slots` on (monotonic ns), by whoever opened the
    account with that `serial`; entries while `entries` and the permits in hand are more than
    nothing together (None: always)."""

    slots: tuple[int, ...]
    serial: int
    entries: int | None = None


@dataclass(frozen=True, slots=True)
class PermitUsed:
    """A request of the account, planned at `planned_ns`, arrived at the broker at `at_ns` or
    before: its answer came then, or was given up."""

    account: str
    at_ns: int
    planned_ns: int


@dataclass(frozen=True, slots=True)
class PermitsReturned:
    """Permits that will not be used."""

    account: str
    count: int


@dataclass(frozen=True, slots=True)
class BackedOff:
    """The broker answered 429 to the account."""

    account: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The session of what keeps these hours went on to another phase."""

    schedule: Schedule
    open: bool
    phase: Phase
    at: datetime


@dataclass(frozen=True, slots=True)
class MasterRenewed:
    """Another edition of the instrument master answers from now on."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The instrument master does not have these instruments, in which a follower has orders of
    the leader's to copy."""

    follower: str
    keys: tuple[InstrumentKey, ...]


@dataclass(frozen=True, slots=True)
class LeaderOrder:
    """A leader order as it is known now, for readers."""

    order: Order


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that is about to leave, as the ledger keeps it before it may.

    `number` is the attempt's, `slice_number` its slice's; `change` is None for a placement.
    `sizing` is the rule that made the quantity, in its own words; `waited` is how long it waited
    for a permit.
    """

    follower: str
    client_id: str
    leader_order_id: str
    correlation_id: str
    slice_number: int
    number: int
    change: Change | None
    request: Request
    order_id: str
    sizing: str
    born: datetime | None
    intended_at: datetime
    heard_ns: int
    planned_ns: int
    waited: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """The ledger could not keep the intent: nothing was sent, nothing may be."""

    intent: Intent
    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The broker answered (or did not) to a recorded intent."""

    intent: Intent
    outcome: Outcome
    committed_ns: int
    written_ns: int | None
    answered_ns: int
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class OrderHeard:
    """Something is known of an order in a follower's own account."""

    order: Order
    ltp: int | None = None


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy as readers see it: the operator's table, the ledger, the JSON of `copies`.

    Amounts are paise and shares; `dispatch_us` is from the leader's frame to the request on the
    wire, in microseconds, of the first placement.
    """

    leader_order_id: str
    follower: str
    state: CopyState
    reason: str
    order_ids: tuple[str, ...]
    correlation_ids: tuple[str, ...]
    symbol: str
    side: Side
    quantity: int
    filled: int
    traded_value: int
    leader_filled: int
    leader_value: int
    slippage_paise: int | None
    slippage_bps: float | None
    dispatch_us: int | None
    in_step: bool
    sizing: str = ""
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CopyChanged:
    """A copy is not what it was."""

    report: CopyReport
    copy: Copy

    def repeats(self, told: "CopyChanged") -> bool:
        """Whether it says nothing that `told` did not say, to readers or to a later start: a
        verdict counts for that also where readers are shown something else."""
        here, there = self.copy, told.copy
        if here is not there and _kept(here) != _kept(there):
            return False
        return self.report == told.report


def _kept(copy: Copy) -> tuple[object, ...]:
    """What neither the intents nor the answers of a copy tell."""
    stages = [(attempt.number, attempt.stage) for attempt in copy.attempts]
    return copy.skipped, copy.detail, copy.missed, stages


@dataclass(frozen=True, slots=True)
class MoodChanged:
    """A follower's mood is not what it was, or why it is so."""

    follower: str
    mood: Mood
    reason: str = ""


class Level(StrEnum):
    """How much an alert matters: an ERROR needs somebody now."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something the operator should know: what, where, and what to do about it."""

    level: Level
    what: str
    where: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer rang."""

    name: str = ""
