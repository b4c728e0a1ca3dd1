"""A copy: what is known of one leader order in one follower account.

A copy is a chain of attempts, each an order of its own at the broker; nearly always there is
one. Everything here is a value; what changes it stands in `domain.progress`, what to do next
is said by `domain.plan`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.orders import Order, Status, Terms
from domain.outcomes import Refusal
from domain.sizing import Sizing
from domain.tickets import Ticket


class Stage(StrEnum):
    """How far an attempt got.

    SENT: its intent is recorded and the request may have left. UNKNOWN: the answer was unclear.
    LIVE: the broker gave it an order id. REFUSED: clearly refused. TURNED_BACK: provably not
    carried out, and worth another attempt. ABSENT: proven never to have arrived. PARKED: neither
    its presence nor its absence could be proven.
    """

    SENT = "sent"
    UNKNOWN = "unknown"
    LIVE = "live"
    REFUSED = "refused"
    TURNED_BACK = "turned back"
    ABSENT = "absent"
    PARKED = "parked"


class Withdrawal(StrEnum):
    """Why Lockstep cancelled an order of its own."""

    LEADER = "the leader's order is closed"
    REDUCED = "the leader's quantity leaves nothing open"
    REPLACED = "it cannot be modified any more"


class Change(StrEnum):
    MODIFY = "modify"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Pending:
    """A change of a live order that is on its way since `asked_at`: `terms` for a modification,
    `why` for a cancel."""

    change: Change
    asked_at: datetime
    terms: Terms | None = None
    why: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order that the copy tried to place.

    `terms` are those the broker last took, None while an unclear modification leaves them in
    doubt; `verify_at` is then when the order book is believed again. `declined` are terms that
    the broker refused. `reference` is the price (paise) that a protected limit was made from.
    `absences` counts the complete order books, asked for after the settling time, that did not
    show it.
    """

    ticket: Ticket
    number: int
    stage: Stage
    sent_at: datetime
    terms: Terms | None
    slice_number: int = 0
    reference: int | None = None
    order_id: str = ""
    order: Order | None = None
    pending: Pending | None = None
    withdrawn: Withdrawal | None = None
    withdrawn_at: datetime | None = None
    modifications: int = 0
    refusal: Refusal | None = None
    declined: Terms | None = None
    retry_at: datetime | None = None
    failures: int = 0
    verify_at: datetime | None = None
    absences: int = 0

    @property
    def filled(self) -> int:
        """Shares traded by this attempt."""
        return self.order.filled if self.order else 0

    @property
    def traded_value(self) -> int:
        """What its fills cost, in paise."""
        return self.order.traded_value if self.order else 0

    @property
    def status(self) -> Status | None:
        """Where its order stands at the broker, None while nothing was heard of it."""
        return self.order.status if self.order else None

    @property
    def ended(self) -> bool:
        """Whether nothing of it can trade (any more)."""
        if self.stage in (Stage.REFUSED, Stage.TURNED_BACK, Stage.ABSENT):
            return True
        return self.order is not None and not self.order.open

    @property
    def in_flight(self) -> bool:
        """Whether an answer is awaited."""
        return self.pending is not None or self.stage is Stage.SENT


class Skipped(StrEnum):
    """Why a leader order is not copied to a follower, for good."""

    OWN = "it is itself a copy made by Lockstep"
    UNSUPPORTED = "orders of this kind are not copied"
    PAUSED = "the follower is paused"
    STALE = "it was too old when it could be copied"
    UNDER_ONE_LOT = "the scaled quantity is under one lot"
    LEADER_CLOSED = "the leader's order closed without a fill"
    MARKET_CLOSED = "the market is closed"
    INSTRUMENT = "the instrument's lot is not known"


class CopyState(StrEnum):
    """A copy in one word, as the operator sees it."""

    HELD = "held"
    PLACING = "placing"
    OPEN = "open"
    PART_FILLED = "part_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Copy:
    """One leader order in one follower account.

    `sizing` is the rule that placed it: modifications rescale by the same one (scenario 2.1).
    `born` is when the leader placed the order, by this host's clock; None counts as just now.
    `skipped` is a verdict that stays; `detail` are its numbers.
    """

    leader_order_id: str
    follower: str
    sizing: Sizing
    born: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    skipped: Skipped | None = None
    detail: str = ""

    @property
    def current(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def filled(self) -> int:
        """Shares traded by all attempts."""
        return sum(attempt.filled for attempt in self.attempts)

    @property
    def traded_value(self) -> int:
        """What all fills cost, in paise."""
        return sum(attempt.traded_value for attempt in self.attempts)

    @property
    def filled_before(self) -> int:
        """Shares traded by all attempts but the newest."""
        return sum(attempt.filled for attempt in self.attempts[:-1])

    @property
    def lives(self) -> bool:
        """Whether the broker has, or had, an order of this copy."""
        return any(attempt.order_id for attempt in self.attempts)

    @property
    def state(self) -> CopyState:
        """The copy in one word."""
        attempt = self.current
        if self.skipped and not self.lives:
            return CopyState.SKIPPED
        if attempt is None:
            return CopyState.HELD
        if attempt.stage in _STATE_OF_STAGE:
            return _STATE_OF_STAGE[attempt.stage]
        return self._live_state(attempt)

    def _live_state(self, attempt: Attempt) -> CopyState:
        status = attempt.status
        if status is None or status is Status.TRANSIT:
            return CopyState.PLACING
        if not status.terminal:
            return CopyState.PART_FILLED if self.filled else CopyState.OPEN
        if status is Status.REJECTED and not self.filled:
            return CopyState.REJECTED
        return CopyState.FILLED if status is Status.TRADED else CopyState.CANCELLED

    @property
    def reason(self) -> str:
        """Why the copy is not simply open or filled, in plain words; empty when it is."""
        attempt = self.current
        if self.skipped and not self.lives:
            return f"{self.skipped}{': ' + self.detail if self.detail else ''}"
        if attempt is None:
            return self.detail
        if attempt.refusal:
            return f"{attempt.refusal.kind}: {attempt.refusal.message}"
        if attempt.withdrawn:
            return str(attempt.withdrawn)
        if attempt.status in (Status.REJECTED, Status.CANCELLED, Status.EXPIRED):
            return attempt.order.reason if attempt.order else ""
        return self.detail


_STATE_OF_STAGE = {
    Stage.SENT: CopyState.PLACING,
    Stage.UNKNOWN: CopyState.UNKNOWN,
    Stage.REFUSED: CopyState.REJECTED,
    Stage.TURNED_BACK: CopyState.HELD,
    Stage.ABSENT: CopyState.HELD,
    Stage.PARKED: CopyState.PARKED,
}
