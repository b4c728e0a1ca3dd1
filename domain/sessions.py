"""The phases of a session, in Indian time, and what an exchange and Dhan take in each.

The phases partition every day: at each instant what trades by one schedule (`domain.schedules`)
is in exactly one of them. Hours and holidays are data (`domain/exchanges.toml`), which
`domain.calendars` lays out and `domain.hours` remembers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pytz

IST = pytz.timezone("Asia/Kolkata")
NAIVE = "an instant needs a time zone; naive times are refused"


class Phase(StrEnum):
    """Where a session is.

    CLOSED is all that lies outside the sessions of a day, and so is the same as Dhan's window for
    after-market orders: whatever Dhan takes then waits for the next session. HALTED lies between
    two sessions of a day, where one was taken away (`calendar.toml`): nobody takes anything until
    trading resumes.
    """

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    MATCHING = "matching"
    BUFFER = "buffer"
    OPEN = "open"
    HALTED = "halted"
    CLOSING_AUCTION = "closing_auction"
    POST_CLOSE = "post_close"

    @property
    def open(self) -> bool:
        """Whether an ordinary limit order matches continuously."""
        return self is Phase.OPEN

    @property
    def takes_orders(self) -> bool:
        """Whether the exchange takes limit orders at any price."""
        return self in _TAKES_ORDERS

    @property
    def auction(self) -> bool:
        """Whether it takes limit and market orders for the day only, in full view: no stop, no
        IOC, no disclosed part (the exchanges' rules of the pre-open and the closing auction)."""
        return self in _AUCTIONS

    @property
    def after_market(self) -> bool:
        """Whether Dhan takes after-market orders (scenarios 1.6 and 6.4)."""
        return self is Phase.CLOSED


_AUCTIONS = frozenset({Phase.PRE_OPEN, Phase.CLOSING_AUCTION})
_TAKES_ORDERS = _AUCTIONS | {Phase.OPEN}


@dataclass(frozen=True, slots=True)
class Session:
    """The phase that a market is in, and how long it has been in it; None for ever."""

    phase: Phase
    ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SessionPhase:
    """The phase at an instant, since when it lasts, and what comes next (both in IST)."""

    phase: Phase
    since: datetime
    next_phase: Phase
    next_at: datetime

    @property
    def open(self) -> bool:
        """Whether an ordinary limit order matches continuously."""
        return self.phase.open


@dataclass(frozen=True, slots=True)
class Span:
    """A phase from `start` until just before `end`."""

    phase: Phase
    start: datetime
    end: datetime

    def without(self, start: datetime, end: datetime) -> "tuple[Span, ...]":
        """What is left of it outside that time."""
        if end <= self.start or self.end <= start:
            return (self,)
        before = (Span(self.phase, self.start, start),) if self.start < start else ()
        after = (Span(self.phase, end, self.end),) if end < self.end else ()
        return before + after
