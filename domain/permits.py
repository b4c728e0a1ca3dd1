"""Pacing: how many requests an account may send, over every window at once.

Dhan counts orders, changes and cancels of one client together: 10 a second, 250 a minute, 1,000
an hour and 7,000 a day (its announcement of March 2026). A permit that is handed out counts
against every window until it is used, and then from the moment of use. A request arrives
somewhere between its writing and its answer, so it counts as used when its answer came: no window
is ever exceeded, however long requests are held up on their way.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    seconds: float
    limit: int

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.limit < 1:
            raise ValueError(f"a window needs a length and a limit, not {self!r}")


DHAN_ORDERS = (Window(1.0, 10), Window(60.0, 250), Window(3600.0, 1000), Window(86400.0, 7000))


class Allowance:
    """The permits of one account. Times are seconds of one monotonic clock.

    `guard` (seconds) widens every window, for a broker whose windows are counted more coarsely.
    """

    def __init__(self, windows: Iterable[Window] = DHAN_ORDERS, guard: float = 0.02) -> None:
        self.limit(windows)
        self._guard = guard
        self._used: list[float] = []
        self._held = 0
        self._not_before = float("-inf")

    def limit(self, windows: Iterable[Window]) -> None:
        """Count by other windows from now on. What was used stays counted, as far back as the
        longest window reached until now. Raises ValueError for none at all."""
        self._windows = tuple(sorted(windows, key=lambda window: window.seconds))
        if not self._windows:
            raise ValueError("an allowance needs at least one window")

    @property
    def held(self) -> int:
        """Permits handed out and not used yet."""
        return self._held

    def grant(self, wanted: int, now: float) -> int:
        """Hand out up to `wanted` permits and say how many."""
        free = 0 if now < self._not_before else min(self._room(now))
        granted = max(0, min(wanted, free))
        self._held += granted
        return granted

    def used(self, at: float) -> None:
        """Note that a permit was used at `at`."""
        self._held = max(0, self._held - 1)
        self._used.append(max(at, self._used[-1] if self._used else at))

    def returned(self, count: int) -> None:
        """Take back permits that will not be used."""
        self._held = max(0, self._held - count)

    def back_off(self, until: float) -> None:
        """Hand out nothing before `until`: the broker said 429 (scenario 7.6)."""
        self._not_before = max(self._not_before, until)

    def next_grant(self, now: float) -> float | None:
        """When a permit can be had at the earliest; None while only a use or a return can free
        one."""
        at = max(now, self._not_before)
        for window in self._windows:
            if self._held >= window.limit:
                return None
            excess = self._count(window, now) + self._held - window.limit
            if excess >= 0:
                blocking = self._used[len(self._used) + self._held - window.limit]
                at = max(at, self._leaves(blocking, window))
        return at

    def _room(self, now: float) -> list[int]:
        self._forget(now)
        return [window.limit - self._held - self._count(window, now) for window in self._windows]

    def _count(self, window: Window, now: float) -> int:
        """How many uses the window still sees at `now`."""
        return len(self._used) - self._gone(window, now)

    def _gone(self, window: Window, now: float) -> int:
        """How many uses have left the window at `now`, by the very sum that `next_grant` gives
        as the instant of leaving: computed otherwise, it can be off by a rounding."""
        return bisect_right(self._used, now, key=lambda used: self._leaves(used, window))

    def _leaves(self, used: float, window: Window) -> float:
        return used + window.seconds + self._guard

    def _forget(self, now: float) -> None:
        del self._used[: self._gone(self._windows[-1], now)]
