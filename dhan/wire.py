"""The wire to Dhan: one thread that owns every REST connection of every account.

Requests come prebuilt and are written at once on a warm socket; answers come back by a call.
Nothing here ever waits for one account on behalf of another, and nothing is ever sent twice: an
answer says what is known, and deciding about it is not the wire's business.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import certifi

from dhan.calls import AccountAddress, Answer, Call
from dhan.lines import Line
from dhan.requests import Request

__all__ = ["AccountAddress", "Answer", "Call", "Line", "Wire"]

logger = logging.getLogger(__name__)

_READ_URGENCY = 3

OnWritten = Callable[[Sequence[tuple[str, int]]], None]


class Wire:
    """Opens lines for accounts and writes their calls.

    `on_written` is told, on the wire's thread and once a batch, the client id and monotonic time
    (ns) of every order request that left this host.
    """

    def __init__(self, on_written: OnWritten | None = None) -> None:
        self._on_written = on_written
        self._sent: list[tuple[str, int]] = []
        self._loop = asyncio.new_event_loop()
        self._lines: set[Line] = set()
        self._tls = ssl.create_default_context(cafile=certifi.where())
        self._thread = threading.Thread(target=self._run, name="Wire", daemon=True)

    def start(self) -> None:
        """Start the wire's thread."""
        self._thread.start()

    def open(self, account: AccountAddress) -> Line:
        """A line for the account; its first connections are made at once, in the background."""
        line = Line(account, self._loop, self._tls, self._note_sent)
        self._loop.call_soon_threadsafe(self._add, line)
        return line

    def close(self, line: Line) -> None:
        """Take no more calls on the line; what is in flight may finish."""
        self._loop.call_soon_threadsafe(self._remove, line)

    def dispatch(self, calls: Sequence[Call]) -> None:
        """Write the calls; returns at once."""
        self._loop.call_soon_threadsafe(self._write, calls)

    def call(self, line: Line, request: Request, timeout: float) -> Answer:
        """Write one request and wait for its answer, at most twice `timeout` seconds."""
        answer: Future[Answer] = Future()
        self.dispatch([Call(line, request, timeout, answer.set_result, _READ_URGENCY)])
        return answer.result(timeout=timeout * 2 + 5)

    def stop(self, timeout: float) -> None:
        """Let calls in flight finish for `timeout` seconds, answer the rest as lost, and end."""
        if not self._thread.is_alive():
            return
        finished = asyncio.run_coroutine_threadsafe(self._finish(timeout), self._loop)
        finished.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _add(self, line: Line) -> None:
        self._lines.add(line)
        line.warm()

    def _remove(self, line: Line) -> None:
        self._lines.discard(line)
        line.close()

    def _write(self, calls: Sequence[Call]) -> None:
        for call in calls:
            call.line.submit(call)
        self._flush_sent()

    def _note_sent(self, client_id: str, written_at: int) -> None:
        if not self._sent:
            self._loop.call_soon(self._flush_sent)
        self._sent.append((client_id, written_at))

    def _flush_sent(self) -> None:
        if self._sent and self._on_written is not None:
            sent, self._sent = self._sent, []
            try:
                self._on_written(sent)
            except Exception:
                logger.exception("Nobody could be told what was sent")

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
