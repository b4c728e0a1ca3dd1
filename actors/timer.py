"""The one scheduler: a thread that tells messages later, so that no actor ever sleeps."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_Due = tuple[float, int, Callable[[], object]]


class Timer:
    """Rings by calling a function, which should do no more than tell an actor."""

    def __init__(self) -> None:
        self._due: list[_Due] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="Timer", daemon=True)

    def start(self) -> None:
        """Start ringing."""
        self._thread.start()

    def after(self, seconds: float, ring: Callable[[], object]) -> None:
        """Call `ring` once, `seconds` from now (at once if that is past)."""
        with self._changed:
            due = (time.monotonic() + max(0.0, seconds), next(self._order), ring)
            heapq.heappush(self._due, due)
            if self._due[0] is due:
                self._changed.notify()

    def stop(self) -> None:
        """Ring no more; what was due later is forgotten."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (ring := self._next()) is not None:
            try:
                ring()
            except Exception:
                logger.exception("A timer's message could not be told")

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._stopping:
                if not self._due:
                    self._changed.wait()
                elif (wait := self._due[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait)
                else:
                    return heapq.heappop(self._due)[2]
        return None
