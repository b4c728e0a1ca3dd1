"""Dhan's rate limits, counted exactly: sliding windows for each client id."""

from bisect import bisect_right

ORDER_LIMITS = ((1.0, 10), (60.0, 250), (3600.0, 1000), (86400.0, 7000))
READ_LIMITS = ((1.0, 20),)


class Windows:
    """Admits a call unless some window is full; what is refused is not counted. `limits` are
    pairs of seconds and calls; without any, every call is admitted."""

    def __init__(self, limits: tuple[tuple[float, int], ...]) -> None:
        self.limits = limits
        self._longest = max((seconds for seconds, _ in limits), default=0.0)
        self._admitted: list[float] = []

    def admit(self, now: float) -> bool:
        """Whether a call at `now` (seconds) is within every window."""
        admitted = self._admitted
        del admitted[: bisect_right(admitted, now - self._longest)]
        for seconds, limit in self.limits:
            if len(admitted) - bisect_right(admitted, now - seconds) >= limit:
                return False
        admitted.append(now)
        return True
