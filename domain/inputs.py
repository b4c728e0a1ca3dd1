"""Everything that one follower decides by, and nothing else.

A follower's decisions follow from its inputs, each taken at one instant: the same inputs lead to
the same copies, today and in a replay of a recorded day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from domain.built import Built
from domain.copies import Copy, CopyState
from domain.funds import FreeCash, MarginTold
from domain.halts import HaltAsked
from domain.instructions import Instruction
from domain.instruments import Instrument, InstrumentKey, Listing
from domain.limits import DayLoss
from domain.messages import Answered, NotRecorded, OrderHeard, OrderSeen
from domain.orders import Order
from domain.outcomes import Refusal
from domain.permits import DHAN_ORDERS, RESERVE, Window
from domain.rules import Rules
from domain.schedules import Schedule
from domain.sessions import Phase


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the roster asks of a follower: its rules, whether it takes new orders, the windows
    that pace it, how long an answer may take, and the share of the windows that entries leave to
    cancels and exits."""

    rules: Rules
    paused: bool = False
    windows: tuple[Window, ...] = DHAN_ORDERS
    patience: timedelta = timedelta(seconds=7)
    reserve: Fraction = RESERVE


@dataclass(frozen=True, slots=True)
class Opened:
    """The follower's actor began, knowing nothing yet."""

    mandate: Mandate


@dataclass(frozen=True, slots=True)
class Mandated:
    """The mandate is another one from now on."""

    mandate: Mandate


@dataclass(frozen=True, slots=True)
class Restored:
    """The follower's copies as the ledger kept them, the leader's orders that belong to them or
    are of the last day, what all other orders and copies built, how far the account was down last,
    which of the operator's words is in force, and whether it is carried out."""

    copies: tuple[Copy, ...]
    orders: tuple[Order, ...] = ()
    built: tuple[Built, ...] = ()
    loss: DayLoss | None = None
    halt: HaltAsked | None = None
    halt_done: bool = False

    @property
    def waiting(self) -> frozenset[str]:
        """The leader's orders (their ids) whose copies were still to be placed."""
        held = (copy for copy in self.copies if copy.state is CopyState.HELD)
        return frozenset(copy.leader_order_id for copy in held)


@dataclass(frozen=True, slots=True)
class Granted:
    """So many more requests may be sent; entries while `entries` and the permits in hand are more
    than nothing together (None: always). Each may leave from one of the `slots` on (monotonic
    ns), at any time where it has none."""

    count: int
    entries: int | None = None
    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LimiterLost:
    """Whatever was granted before counts no more."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The account's own socket told of its orders."""

    orders: tuple[OrderHeard, ...]


@dataclass(frozen=True, slots=True)
class BookRead:
    """The account's order book was read: those of its rows that say something of a copy, and
    whether every row could be read."""

    rows: tuple[Order, ...]
    asked_at: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class BookRefused:
    """Dhan refused to show the account's order book."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class AddressTold:
    """Dhan told whether it takes orders from where the account sends them: why not, or None."""

    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class MarketFound:
    """The market of what keeps these hours is in another phase from now on: whether it takes
    orders, the phase (None in what earlier versions recorded), and how long it has been in it,
    None for ever."""

    schedule: Schedule
    takes: bool
    phase: Phase | None = None
    ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class InstrumentsFound:
    """What the instrument master says of instruments that the follower trades."""

    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class InstrumentsMissed:
    """The instrument master does not have these instruments that the leader trades, and what
    comes of that."""

    keys: tuple[InstrumentKey, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class CapitalFound:
    """The capital (paise) of the follower's account and of the leader's, None where it is not
    known."""

    mine: int | None
    leaders: int | None


@dataclass(frozen=True, slots=True)
class Rang:
    """It is time to look again at the copy of a leader order."""

    leader_order_id: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at the time found requests that were never answered, or were looked for too long,
    or a copy that has fallen behind."""


@dataclass(frozen=True, slots=True)
class Drained:
    """Nothing more is to be decided."""


@dataclass(frozen=True, slots=True)
class Instructed:
    """The operator's word on a parked copy, and the row of the account's order book with the
    order that it names."""

    instruction: Instruction
    shown: Order | None


@dataclass(frozen=True, slots=True)
class Halted:
    """The operator's word that the follower is to be halted, or released."""

    asked: HaltAsked


@dataclass(frozen=True, slots=True)
class LegsAlone:
    """These legs (leader order ids) stand alone and are to be left, because others failed: `why`
    names those."""

    leader_order_ids: tuple[str, ...]
    why: str


Input = (
    Opened
    | Mandated
    | Restored
    | OrderSeen
    | Answered
    | NotRecorded
    | Granted
    | LimiterLost
    | Heard
    | BookRead
    | BookRefused
    | AddressTold
    | MarketFound
    | InstrumentsFound
    | InstrumentsMissed
    | CapitalFound
    | FreeCash
    | MarginTold
    | DayLoss
    | Rang
    | Looked
    | Drained
    | Instructed
    | Halted
    | LegsAlone
)
