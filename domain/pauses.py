"""Pauses that double with every failure, and how long an account is left alone after a 429, which
names no time (scenario 7.6)."""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

_FIRST, _LONGEST = 1.0, 30.0
_ENOUGH = 32
_Instant = TypeVar("_Instant", float, datetime)
_Length = TypeVar("_Length", float, timedelta)


def doubled(first: _Length, times: int, longest: _Length) -> _Length:
    """The first pause, doubled so many times, however often that is; no more than the longest."""
    return min(first * (1 << min(times, _ENOUGH)), longest)


class Pauses(Generic[_Instant]):
    """One second first, then twice as long each time, until something goes through again. What
    was asked before a pause began says nothing new: a burst that is refused is one refusal."""

    def __init__(self) -> None:
        self._refusals = 0
        self._began: _Instant | None = None

    def refused(self, asked_at: _Instant, now: _Instant) -> float | None:
        """The pause (seconds) that begins now; None where it has begun already."""
        if not self._is_news(asked_at):
            return None
        seconds = doubled(_FIRST, self._refusals, _LONGEST)
        self._refusals += 1
        self._began = now
        return seconds

    def went_through(self, asked_at: _Instant) -> None:
        """The broker took what was asked then."""
        if self._is_news(asked_at):
            self._refusals = 0

    def _is_news(self, asked_at: _Instant) -> bool:
        return self._began is None or asked_at > self._began
