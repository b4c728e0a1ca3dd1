"""The clocks that actors read, in one place so that tests can bring their own."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

# Counts through a suspend where the host has such a clock, which the monotonic one does not.
_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """Wall time for the market's rules, steady time for ages and pauses."""

    def wall(self) -> datetime:
        """The host's clock as it is set, timezone-aware."""
        ...

    def now(self) -> datetime:
        """An instant that never jumps: differences of two are true, even if somebody sets the
        host's clock in between."""
        ...

    def ns(self) -> int:
        """The monotonic clock in nanoseconds."""
        ...


class HostClock:
    """The clocks of this host; `now` is its wall time when this was made, and goes on evenly."""

    def __init__(self) -> None:
        self._began = self.wall()
        self._began_steady = _steady()

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def now(self) -> datetime:
        return self._began + timedelta(seconds=_steady() - self._began_steady)

    def ns(self) -> int:
        return time.monotonic_ns()


def _steady() -> float:
    return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)
