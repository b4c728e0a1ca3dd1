"""Dhan's rate limits, counted exactly: sliding windows for each client id."""

from bisect import bisect_right

ORDER_LIMITS = ((1.0, 10), (60.0, 250), (3600.0, 1000), (86400.0, 7000))
READ_LIMITS = ((1.0, 20),)


class Windows:
    """Admits a call unless some window is full; what is refused is not counted."""

    def __init__(self, limits: tuple[tuple[float, int], ...]) -> None:
        self.limits = limits
        self._admitted: list[float] = []

    def admit(self, now: float) -> bool:
        """Whether a call at `now` (seconds) is within every window."""
        for seconds, limit in self.limits:
            since = bisect_right(self._admitted, now - seconds)
            if len(self._admitted) - since >= limit:
                return False
        self._admitted.append(now)
        return True
