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
from functools import partial

from aiohttp import web

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_NO_LOG = logging.Logger("simulator.requests", logging.CRITICAL)


class Line(web.RequestHandler):
    """One connection. What comes in, and its end, wait for their turn in the order they came: an
    order is also taken from somebody who hangs up at once."""

    def __init__(self, lines: "Lines", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(lines, loop=loop, access_log=_NO_LOG)
        self._lines = lines
        self._due: deque[Callable[[], None]] = deque()
        self._heard = 0

    def data_received(self, data: bytes) -> None:
        """Note the time."""
        if not data:
            super().data_received(data)
            return
        self._heard = time.monotonic_ns()
        self._wait(partial(super().data_received, data))

    def eof_received(self) -> bool:  # type: ignore[override]  # True keeps the connection open
        """The other side has nothing more to say."""
        if self._due:
            self._wait(self._hang_up)
        return bool(self._due)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        end = partial(super().connection_lost, exc)
        if self._due:
            self._wait(end)
        else:
            end()

    def take_turn(self) -> None:
        """Do what is due first."""
        self._due.popleft()()

    def _wait(self, act: Callable[[], None]) -> None:
        self._due.append(act)
        self._lines.queue(self)

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()

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
        self._waiting.popleft().take_turn()
        if self._waiting:
            self._own_loop.call_soon(self._next)
