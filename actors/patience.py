"""How often an actor may crash: when it is started again, and when it was once too often."""

from collections import deque
from dataclasses import dataclass

from domain.pauses import doubled


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an actor may crash: more than `limit` times within `within` seconds is too
    often. The pause before a restart starts at `first` seconds and doubles up to `longest`."""

    limit: int = 5
    within: float = 60.0
    first: float = 0.1
    longest: float = 5.0

    def pause(self, crashes: int) -> float:
        """The pause (seconds) after so many crashes that still count."""
        return doubled(self.first, crashes - 1, self.longest)


class Crashes:
    """The crashes of one actor, each counted until it is `within` seconds old."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._counted: deque[float] = deque()

    def another(self, now: float) -> float | None:
        """Count a crash at `now` (seconds of a clock that never goes back): the pause before the
        actor is started again, None when it crashed too often for that."""
        self._counted.append(now)
        while self._counted[0] < now - self._patience.within:
            self._counted.popleft()
        crashes = len(self._counted)
        return None if crashes > self._patience.limit else self._patience.pause(crashes)
