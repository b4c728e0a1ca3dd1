"""The simulator's HTTP connections: what comes in is noted at once and handled in turn.

The simulator is the witness of when a request came. A loop busy with one request would note the
next ones late; so an arrival is stamped when its bytes are read, and between two looks at the
sockets only one of those that wait is begun.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_NO_LOG = logging.Logger("simulator.requests", logging.CRITICAL)


class Line(web.RequestHandler):
    """One connection."""

    def __init__(self, lines: "Lines", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(lines, loop=loop, access_log=_NO_LOG)
        self._lines = lines
        self._unhandled: deque[bytes] = deque()
        self._heard = 0

    def data_received(self, data: bytes) -> None:
        """Note the time, and handle it when it is its turn."""
        if not data:
            super().data_received(data)
            return
        self._heard = time.monotonic_ns()
        self._unhandled.append(data)
        self._lines.queue(self)

    def handle(self) -> None:
        """Handle what was read first; there is nothing left to do once the connection ended."""
        if self._unhandled:
            super().data_received(self._unhandled.popleft())

    def connection_lost(self, exc: BaseException | None) -> None:
        """Handle what was read before the end."""
        while self._unhandled:
            self.handle()
        super().connection_lost(exc)

    @staticmethod
    def heard(request: web.BaseRequest) -> int:
        """When a request's last bytes were read, in monotonic nanoseconds."""
        line = request.protocol
        return line._heard if isinstance(line, Line) else time.monotonic_ns()


class Lines(web.Server):
    """Answers every connection with a `Line`, and gives each its turn."""

    def __init__(self, handler: _Handler, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(handler, loop=loop)
        self._own_loop = loop
        self._waiting: deque[Line] = deque()

    def __call__(self) -> Line:
        return Line(self, self._own_loop)

    def queue(self, line: Line) -> None:
        """Let a line have its turn."""
        if not self._waiting:
            self._own_loop.call_soon(self._next)
        self._waiting.append(line)

    def _next(self) -> None:
        self._waiting.popleft().handle()
        if self._waiting:
            self._own_loop.call_soon(self._next)
