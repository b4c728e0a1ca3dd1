"""A copy: what is known of one leader order in one follower account.

A copy is a chain of attempts, each an order of its own at the broker; nearly always there is
one. What is too much for one order of the exchange is several such chains, the slices of the copy
(`domain.slices`). Both are values; what changes them stands in `domain.progress`, what to
do next is said by `domain.plan`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from domain.attempts import Attempt, Stage, Withdrawal
from domain.missed import Missed
from domain.orders import Status
from domain.sizing import Sizing


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

    What decisions ask of the attempts again and again is found out once: `sliced` is whether there
    is more than one slice, `newest` the newest attempt of each, `standings` those of them while
    something can still trade, as far as is known, and `filled` what all have traded, in shares.
    """

    leader_order_id: str
    follower: str
    sizing: Sizing
    born: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    skipped: Skipped | None = None
    detail: str = ""
    missed: Missed | None = None
    sliced: bool = field(init=False, repr=False, compare=False)
    newest: tuple[Attempt, ...] = field(init=False, repr=False, compare=False)
    standings: tuple[Attempt, ...] = field(init=False, repr=False, compare=False)
    filled: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        attempts = self.attempts
        sliced, newest = False, attempts[-1:]
        if len(attempts) > 1 and any(one.slice_number for one in attempts):
            sliced, newest = True, tuple({one.slice_number: one for one in attempts}.values())
        derive = object.__setattr__
        derive(self, "sliced", sliced)
        derive(self, "newest", newest)
        derive(self, "standings", tuple(one for one in newest if not one.ended))
        derive(self, "filled", sum(one.filled for one in attempts))

    @property
    def current(self) -> Attempt | None:
        """The newest attempt; where there are slices, that of the one that needs most attention."""
        if not self.sliced:
            return self.attempts[-1] if self.attempts else None
        return min(self.newest, key=lambda one: _ATTENTION.index(self._state(one)))

    @property
    def standing(self) -> Attempt | None:
        """The first of the `standings`."""
        return self.standings[0] if self.standings else None

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
