"""The wire to Dhan: one thread that owns every REST connection of every account.

Requests come prebuilt and are written at once on a warm socket; answers come back by a call.
Nothing here ever waits for one account on behalf of another, and nothing is ever sent twice: an
answer says what is known, and deciding about it is not the wire's business. Every call is
answered exactly once, also by a wire that has stopped.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from dhan.addresses import AccountAddress
from dhan.calls import Answer, Call, ReadDone
from dhan.lines import Line
from dhan.requests import Request
from dhan.trust import trust

__all__ = ["AccountAddress", "Answer", "Call", "Line", "Wire"]

logger = logging.getLogger(__name__)

_READ_URGENCY = 3


class Wire:
    """Opens lines for accounts and writes their calls. `noted` is told of each read, on the wire's
    thread: what orders come to is told by whoever sent them."""

    def __init__(self, noted: Callable[[ReadDone], None] | None = None) -> None:
        trust()  # the threads of many accounts at once would each read the list
        self._noted = noted
        self._loop = asyncio.new_event_loop()
        self._lines: set[Line] = set()
        self._gate = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="Wire", daemon=True)

    def start(self) -> None:
        """Start the wire's thread."""
        self._thread.start()

    def open(self, account: AccountAddress) -> Line:
        """A line for the account; its first connections are made at once, in the background."""
        line = Line(account, self._loop, trust(), self._noted)
        if not self._soon(lambda: self._add(line)):
            line.close()
        return line

    def close(self, line: Line) -> None:
        """Take no more calls on the line; what is in flight may finish."""
        self._soon(line.close)

    def dispatch(self, calls: Sequence[Call]) -> None:
        """Write the calls; returns at once. After `stop` they are answered as never sent."""
        if not self._soon(lambda: self._write(calls)):
            for call in calls:
                call.unsent("the wire has stopped")

    def recall(self, line: Line, key: object) -> None:
        """Answer the call of that key as called back, if it waits for its slot still."""
        self._soon(lambda: line.recall(key))

    def call(self, line: Line, request: Request, timeout: float) -> Answer:
        """Write one request and wait for its answer, at most twice `timeout` seconds."""
        answer: Future[Answer] = Future()
        self.dispatch([Call(line, request, timeout, answer.set_result, _READ_URGENCY)])
        return answer.result(timeout=timeout * 2 + 5)

    def stop(self, timeout: float) -> None:
        """Let calls in flight finish for `timeout` seconds, answer the rest as lost, and end.

        May be called again, but not on the wire's own thread.
        """
        with self._gate:
            first, self._ended = not self._ended, True
        if first:
            finished = asyncio.run_coroutine_threadsafe(self._finish(timeout), self._loop)
            if self._thread.ident is None:
                self._thread.start()  # to an end that waits already, so that nothing is sent first
            finished.result()
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _soon(self, act: Callable[[], None]) -> bool:
        """Have `act` done on the wire's thread; False when that ends. What was asked for before
        the end is done before it."""
        with self._gate:
            if not self._ended:
                self._loop.call_soon_threadsafe(act)
            return not self._ended

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _add(self, line: Line) -> None:
        self._lines = {other for other in self._lines if other.busy or not other.closed} | {line}
        line.start()

    def _write(self, calls: Sequence[Call]) -> None:
        for call in calls:
            call.line.submit(call)

    async def _finish(self, timeout: float) -> None:
        lines = list(self._lines)
        for line in lines:
            line.close()
        deadline = time.monotonic() + timeout
        while any(line.busy for line in lines) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for line in lines:
            line.abort("stopped while an answer was awaited")
        await asyncio.sleep(0)
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
