"""Pacing: how many requests an account may send, over every window at once.

Dhan counts orders, changes and cancels of one client together: 10 a second, 250 a minute, 1,000
an hour and 7,000 a day (its announcement of March 2026). A permit that is handed out counts
against every window until it is used, and then from the moment of use. A request arrives
somewhere between its writing and its answer, so it counts as used when its answer came: no window
is ever exceeded, however long requests are held up on their way. What was in flight when somebody
lost count of it counts as used at the latest instant at which it may arrive. A permit may be
handed out ahead of its slot, the instant from which it may be used.

A share of every window but the shortest is kept for cancels and exits: entries count on what is
left without it, so that they never use up what it takes to get out.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    seconds: float
    limit: int

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.limit < 1:
            raise ValueError(f"a window needs a length and a limit, not {self!r}")


DHAN_ORDERS = (Window(1.0, 10), Window(60.0, 250), Window(3600.0, 1000), Window(86400.0, 7000))
DHAN_READS = (Window(1.0, 20),)
"""Dhan's limit of requests that are about no order."""

RESERVE = Fraction(1, 10)
"""The share of the windows that is kept for cancels and exits where nothing else is said."""


class Allowance:
    """The permits of one account. Times are seconds of one monotonic clock.

    `guard` is the share by which every window is widened, for a broker who counts more coarsely or
    by a clock that runs faster (one that is being set right runs up to 0.0005 faster). `reserve` is
    the share that is kept for cancels and exits.
    """

    def __init__(
        self,
        windows: Iterable[Window] = DHAN_ORDERS,
        guard: float = 0.005,
        reserve: Fraction = Fraction(0),
    ) -> None:
        self.limit(windows, reserve)
        self._guard = guard
        self._used: list[float] = []
        self._flying: list[float] = []
        self._held = 0
        self._not_before = float("-inf")

    def limit(self, windows: Iterable[Window], reserve: Fraction = Fraction(0)) -> None:
        """Count by other windows from now on. What was used stays counted, as far back as the
        longest window reached until now. Raises ValueError for none at all."""
        self._windows = tuple(sorted(windows, key=lambda window: window.seconds))
        if not self._windows:
            raise ValueError("an allowance needs at least one window")
        self._reserve = reserve

    @property
    def reach(self) -> float:
        """How long (seconds) a use counts."""
        return self._length(self._windows[-1])

    @property
    def held(self) -> int:
        """Permits handed out and not used yet."""
        return self._held

    def grant(self, wanted: int, now: float, ahead: float = 0.0) -> list[float]:
        """Hand out up to `wanted` permits that can be used within `ahead` seconds; from when on
        each of them may be, in order."""
        slots = list[float]()
        while len(slots) < wanted:
            at = self.next_grant(now)
            if at is None or at > now + ahead:
                break
            self._held += 1
            slots.append(at)
        return slots

    def used(self, at: float) -> None:
        """Note that a permit was used at `at`."""
        self._held = max(0, self._held - 1)
        self._append(at)

    def returned(self, count: int) -> None:
        """Take back permits that will not be used."""
        self._held = max(0, self._held - count)

    def recount(self, used: Iterable[float], flying: Iterable[float]) -> None:
        """Take over a count of what is known from elsewhere: what was `used` (beside what is
        counted already) and the latest instants at which what is in flight may arrive. Permits
        handed out before count no more."""
        self._used = sorted((*self._used, *used))
        self._flying = sorted(flying)
        self._held = 0

    def landed(self, at: float) -> None:
        """Note that a request that was in flight before the count arrived at `at`."""
        del self._flying[:1]
        self._append(at)

    def back_off(self, until: float) -> None:
        """Hand out nothing before `until`: the broker said 429 (scenario 7.6)."""
        self._not_before = max(self._not_before, until)

    def next_grant(self, now: float) -> float | None:
        """When a permit can be had at the earliest; None while only a use or a return can free
        one."""
        at, uses = max(now, self._not_before), self._uses(now)
        for window in self._windows:
            if self._held >= window.limit:
                return None
            excess = self._count(uses, window, now) + self._held - window.limit
            if excess >= 0:
                blocking = uses[len(uses) + self._held - window.limit]
                at = max(at, self._leaves(blocking, window))
        return at

    def entries(self, now: float) -> int | None:
        """How many more requests entries may make beside all permits that are handed out; below
        zero where only so many fewer than those may be for entries, None where all may."""
        return min((room for _, room in self._entry_rooms(now)), default=None)

    def more_entries(self, now: float) -> float | None:
        """When `entries` grows by time alone; None while it cannot."""
        rooms = self._entry_rooms(now)
        least = min((room for _, room in rooms), default=None)
        uses, at = self._uses(now), now
        for window in (window for window, room in rooms if room == least):
            gone = self._gone(uses, window, now)
            if gone == len(uses):
                return None
            at = max(at, self._leaves(uses[gone], window))
        return at

    def kept(self, window: Window) -> int:
        """How many of a window's requests are for cancels and exits alone."""
        shortest = window.seconds == self._windows[0].seconds
        return 0 if shortest else int(window.limit * self._reserve)

    def spent(self, now: float) -> list[tuple[Window, int]]:
        """How many requests each window has seen at `now`."""
        uses = self._uses(now)
        return [(window, self._count(uses, window, now)) for window in self._windows]

    def _entry_rooms(self, now: float) -> list[tuple[Window, int]]:
        """What is left to entries in each window of which something is kept from them."""
        held = self._held
        return [
            (window, window.limit - kept - held - seen)
            for window, seen in self.spent(now)
            if (kept := self.kept(window))
        ]

    def _uses(self, now: float) -> list[float]:
        """All uses that a window may see, in order, with those that may still come."""
        landed = bisect_right(self._flying, now)
        for at in self._flying[:landed]:
            self._append(at)
        del self._flying[:landed]
        del self._used[: self._gone(self._used, self._windows[-1], now)]
        return self._used + self._flying if self._flying else self._used

    def _append(self, at: float) -> None:
        self._used.append(max(at, self._used[-1] if self._used else at))

    def _count(self, uses: list[float], window: Window, now: float) -> int:
        """How many uses the window still sees at `now`."""
        return len(uses) - self._gone(uses, window, now)

    def _gone(self, uses: list[float], window: Window, now: float) -> int:
        """How many uses have left the window at `now`, by the very sum that `next_grant` gives
        as the instant of leaving: computed otherwise, it can be off by a rounding."""
        if not uses or self._leaves(uses[0], window) > now:
            return 0
        return bisect_right(uses, now, key=lambda used: self._leaves(used, window))

    def _leaves(self, used: float, window: Window) -> float:
        return used + self._length(window)

    def _length(self, window: Window) -> float:
        return window.seconds * (1.0 + self._guard)
