"""Reads for the audit: told together by the minute, so that they cost no commits of their own."""

from dataclasses import replace
from datetime import datetime, timedelta

from dhan.calls import ReadDone
from ledger.entries import ReadsMade

_TOGETHER = timedelta(minutes=1)
_MOST_KINDS = 1000

_Same = tuple[str, str, int | None, str]


class ReadTally:
    """Sums up the reads that asked the same and were answered the same."""

    def __init__(self) -> None:
        self._made: dict[_Same, ReadsMade] = {}
        self._since: datetime | None = None

    def add(self, done: ReadDone, now: datetime, now_ns: int) -> None:
        """Count a read, at the clock's `now` and the same instant of the monotonic clock."""
        at = now - timedelta(microseconds=(now_ns - done.asked_ns) // 1000)
        written_ns = done.answered_ns if done.written_ns is None else done.written_ns
        took, waited = done.answered_ns - written_ns, written_ns - done.asked_ns
        same = (done.client_id, done.request, done.status, done.error)
        before = self._made.get(same) or ReadsMade(at, *same, 0, 0, 0, 0)
        self._made[same] = replace(
            before,
            times=before.times + 1,
            took_us=before.took_us + took // 1000,
            longest_us=max(before.longest_us, took // 1000),
            waited_us=before.waited_us + waited // 1000,
        )
        self._since = self._since or at

    def due(self, now: datetime) -> list[ReadsMade]:
        """What is to be kept now, which is nothing most of the time."""
        if self._since is None:
            return []
        if now - self._since < _TOGETHER and len(self._made) < _MOST_KINDS:
            return []
        return self.all()

    def all(self) -> list[ReadsMade]:
        """All that was counted since it was kept last."""
        made, self._made, self._since = self._made, {}, None
        return sorted(made.values(), key=lambda one: one.at)
