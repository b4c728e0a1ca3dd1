"""Calls that wait for their slots: the instants from which on their permits may be used.

A permit is granted a moment ahead, so that a request is decided and recorded by then. Whatever
slot comes first takes the most urgent call, whichever came with it.
"""

import heapq
import itertools
from collections.abc import Iterator

from dhan.calls import Call


class Slots:
    """As many slots as calls. Instants are monotonic, in nanoseconds."""

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._calls: list[tuple[int, int, Call]] = []
        self._order = itertools.count()

    @property
    def next(self) -> int | None:
        """When the first slot comes, None while no call waits."""
        return self._instants[0] if self._instants else None

    def hold(self, call: Call) -> None:
        """Have the call wait for a slot, with the one that it brings."""
        heapq.heappush(self._instants, call.not_before)
        heapq.heappush(self._calls, (call.urgency, next(self._order), call))

    def due(self, now: int) -> Iterator[Call]:
        """The calls whose turn has come, the most urgent first."""
        while self._instants and self._instants[0] <= now:
            heapq.heappop(self._instants)
            yield heapq.heappop(self._calls)[2]

    def recall(self, key: object) -> Call | None:
        """Take out the call of that key, if it waits, and the last slot with it."""
        for number, (_, _, call) in enumerate(self._calls):
            if call.key == key:
                self._take_out(number)
                return call
        return None

    def clear(self) -> list[Call]:
        """Take out all calls."""
        calls = [call for _, _, call in sorted(self._calls, key=lambda held: held[:2])]
        self._instants, self._calls = [], []
        return calls

    def _take_out(self, number: int) -> None:
        del self._calls[number]
        heapq.heapify(self._calls)
        self._instants.remove(max(self._instants))
        heapq.heapify(self._instants)
