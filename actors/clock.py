"""The clocks that actors read, in one place so that tests can bring their own."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for the market's rules, monotonic time for durations."""

    def now(self) -> datetime:
        """The wall clock, timezone-aware."""
        ...

    def ns(self) -> int:
        """The monotonic clock in nanoseconds."""
        ...


class HostClock:
    """The clocks of this host."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def ns(self) -> int:
        return time.monotonic_ns()
