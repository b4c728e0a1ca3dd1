"""A copy: what is known of one leader order in one follower account.

A copy is a chain of attempts, each an order of its own at the broker; nearly always there is
one. What is too much for one order of the exchange is several such chains, the slices of the copy
(`domain.slices`). Everything here is a value; what changes it stands in `domain.progress`, what to
do next is said by `domain.plan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.missed import Missed
from domain.orders import Order, Status, Terms
from domain.outcomes import Refusal, Refused
from domain.shut import says_shut
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
    HALTED = "the follower is flattened"
    LONE_LEG = "another leg of its strategy failed"
    OVERTAKEN = "the leader has left what it was to enter"


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
    doubt; `verify_at` is when the order book is believed after a modification, and
    `contradictions` counts how often in a row it showed other terms than had been taken.
    `declined` are terms that the broker refused, for the reason in `refusal`. `reference` is the
    price (paise) that the limit of a leader's MARKET was made from, and `chased_from` when that
    began; both None for any other order. `withdrawn` says why the broker was told to cancel it,
    `withdrawn_at` when it last agreed. `failed` is the change that last came to nothing,
    `failures` times in a row, so that it is not asked for again before `retry_at`. An unknown
    outcome is looked for since `doubted_at`; `absences` counts the complete order books, asked for
    after the settling time, that did not show it.
    """

    ticket: Ticket
    number: int
    stage: Stage
    sent_at: datetime
    terms: Terms | None
    slice_number: int = 0
    reference: int | None = None
    chased_from: datetime | None = None
    order_id: str = ""
    order: Order | None = None
    pending: Pending | None = None
    withdrawn: Withdrawal | None = None
    withdrawn_at: datetime | None = None
    modifications: int = 0
    refusal: Refusal | None = None
    declined: Terms | None = None
    retry_at: datetime | None = None
    failed: Change | None = None
    failures: int = 0
    verify_at: datetime | None = None
    contradictions: int = 0
    doubted_at: datetime | None = None
    absences: int = 0

    @property
    def filled(self) -> int:
        """Shares traded by this attempt."""
        return self.order.filled if self.order else 0

    @property
    def asked(self) -> Terms:
        """The terms that the broker last took, as far as is known."""
        return self.terms or self.ticket.terms

    @property
    def rest(self) -> int:
        """Shares that it asks for and has not traded."""
        return self.asked.quantity - self.filled

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
        """Whether nothing of it can trade (any more), by the broker's own word.

        Quantities say nothing: the total and the fills that are known may be of different
        instants, while a modification is in the making.
        """
        if self.stage in (Stage.REFUSED, Stage.TURNED_BACK, Stage.ABSENT):
            return True
        return self.order is not None and self.order.status.terminal

    @property
    def shut_out(self) -> bool:
        """Whether its market took nothing when it came, so that another may follow it."""
        if self.stage is Stage.REFUSED:
            return self.refusal is not None and self.refusal.kind is Refused.MARKET_CLOSED
        if self.order is None or self.order.filled or self.withdrawn:
            return False
        return self.order.status is Status.REJECTED and says_shut(self.order.reason)

    @property
    def balks(self) -> bool:
        """Whether it is open with other terms than were last wanted, because they were refused."""
        return self.declined is not None and not self.ended

    @property
    def in_flight(self) -> bool:
        """Whether an answer is awaited."""
        return self.pending is not None or self.stage is Stage.SENT


class Skipped(StrEnum):
    """Why a leader order is not copied to a follower."""

    OWN = "it is itself a copy made by Lockstep"
    UNSUPPORTED = "orders of this kind are not copied"
    PAUSED = "the follower is paused"
    HALTED = "the follower is halted"
    STALE = "it was too old when it could be copied"
    UNDER_ONE_LOT = "the scaled quantity is under one lot"
    LEADER_CLOSED = "the leader's order closed without a fill"
    MARKET_CLOSED = "the market is closed"
    UNKNOWN_INSTRUMENT = "unknown instrument"
    FILTERED = "the follower does not copy such orders"
    LIMITED = "a limit of the follower is reached"
    MOVED = "the price has gone too far since"
    FUNDS = "the account cannot pay for it"
    LONE_LEG = "it is left, as another leg of its strategy failed"

    @property
    def lasting(self) -> bool:
        """Whether the verdict stays whatever is learnt later. The others only say what is known
        now, and are found again as long as it is so: an order that was under one lot and grows,
        or whose fills become known after its cancel, ends like one that was first seen so."""
        return self in _LASTING


_LASTING = frozenset(
    {
        Skipped.PAUSED,
        Skipped.HALTED,
        Skipped.STALE,
        Skipped.MARKET_CLOSED,
        Skipped.FILTERED,
        Skipped.LIMITED,
        Skipped.MOVED,
        Skipped.FUNDS,
        Skipped.LONE_LEG,
    }
)


_GIVEN_UP = frozenset({Withdrawal.HALTED, Withdrawal.OVERTAKEN})


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
    `skipped` is the verdict of not placing it, lifted by the next placement; `detail` are its
    numbers, or what the copy waits for; `missed` is what was missed by it, if it came too late.
    """

    leader_order_id: str
    follower: str
    sizing: Sizing
    born: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    skipped: Skipped | None = None
    detail: str = ""
    missed: Missed | None = None

    @property
    def sliced(self) -> bool:
        """Whether it has more than one slice."""
        return len(self.attempts) > 1 and any(one.slice_number for one in self.attempts)

    @property
    def newest(self) -> Sequence[Attempt]:
        """The newest attempt of each slice."""
        if not self.sliced:
            return self.attempts[-1:]
        return tuple({one.slice_number: one for one in self.attempts}.values())

    @property
    def current(self) -> Attempt | None:
        """The newest attempt; where there are slices, that of the one that needs most attention."""
        if not self.sliced:
            return self.attempts[-1] if self.attempts else None
        return min(self.newest, key=lambda one: _ATTENTION.index(self._state(one)))

    @property
    def standings(self) -> Sequence[Attempt]:
        """The newest attempts, while something of them can still trade, as far as is known."""
        return [one for one in self.newest if not one.ended]

    @property
    def standing(self) -> Attempt | None:
        """The first of these."""
        for one in self.newest:
            if not one.ended:
                return one
        return None

    @property
    def left_out(self) -> bool:
        """Whether a verdict keeps it without any order."""
        return self.skipped is not None and self.standing is None and not self.lives

    @property
    def lone(self) -> bool:
        """Whether it is left because another leg of its strategy failed: nothing of it stays open,
        and what it traded is exited."""
        withdrawn = any(one.withdrawn is Withdrawal.LONE_LEG for one in self.attempts)
        return withdrawn or self.skipped is Skipped.LONE_LEG

    @property
    def given_up(self) -> bool:
        """Whether the operator, or a policy of the operator's, ended it, or that the leader had
        left again what it was to enter: what it has is all that it will have."""
        withdrawn = any(one.withdrawn in _GIVEN_UP for one in self.newest)
        given_up = withdrawn or self.skipped is Skipped.HALTED
        return self.standing is None and (given_up or self.lone)

    def with_attempt(self, changed: Attempt) -> "Copy":
        """The copy with the attempt of that number changed; the very same copy if it is not."""
        if any(attempt is changed for attempt in self.attempts):
            return self
        attempts = tuple(changed if a.number == changed.number else a for a in self.attempts)
        return replace(self, attempts=attempts)

    @property
    def filled(self) -> int:
        """Shares traded by all attempts."""
        return sum(attempt.filled for attempt in self.attempts)

    @property
    def rest(self) -> int:
        """Shares that its orders ask for in the market and have not traded."""
        return sum(attempt.rest for attempt in self.standings)

    @property
    def traded_value(self) -> int:
        """What all fills cost, in paise."""
        return sum(attempt.traded_value for attempt in self.attempts)

    @property
    def filled_before(self) -> int:
        """Shares traded by all attempts but the newest of each slice."""
        return self.filled - sum(attempt.filled for attempt in self.newest)

    @property
    def lives(self) -> bool:
        """Whether the broker has, or had, an order of this copy; what its market shut out is
        none."""
        return any(attempt.order_id and not attempt.shut_out for attempt in self.attempts)

    @property
    def state(self) -> CopyState:
        """The copy in one word."""
        attempt = self.current
        if self.left_out:
            return CopyState.SKIPPED
        return CopyState.HELD if attempt is None else self._state(attempt)

    def _state(self, attempt: Attempt) -> CopyState:
        """The copy by one of its newest attempts."""
        if attempt.shut_out:
            return CopyState.HELD
        if attempt.stage in _STATE_OF_STAGE:
            return _STATE_OF_STAGE[attempt.stage]
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
        if self.skipped and (self.left_out or self.skipped is Skipped.LONE_LEG):
            return f"{self.skipped}{': ' + self.detail if self.detail else ''}"
        if attempt is None:
            return self.detail
        if attempt.refusal and (attempt.stage is Stage.REFUSED or attempt.balks):
            return f"{attempt.refusal.kind}: {attempt.refusal.message}"
        if attempt.withdrawn and attempt.status is not Status.TRADED:
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
_ATTENTION = (
    CopyState.PARKED,
    CopyState.UNKNOWN,
    CopyState.REJECTED,
    CopyState.HELD,
    CopyState.PLACING,
    CopyState.PART_FILLED,
    CopyState.OPEN,
    CopyState.CANCELLED,
    CopyState.FILLED,
)
