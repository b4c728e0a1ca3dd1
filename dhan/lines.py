"""One account's line: a few keep-alive connections, and the calls that wait for one."""

import asyncio
import heapq
import itertools
import logging
import random
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from dhan.calls import AccountAddress, Answer, Call
from dhan.connection import Connection

logger = logging.getLogger(__name__)

_READ_URGENCY = 3
_WARM = 2
_CONNECT_SECONDS = 5.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 15.0

_Waiting = tuple[int, int, Call]


class Line:
    """Connections of one account to the API. Lives on the wire's thread.

    Orders take the connection used last, reads the one idle for longest, which keeps all of them
    warm; reads never take the last one, so that no order waits behind a hanging read.
    """

    def __init__(
        self,
        account: AccountAddress,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext,
        sent: Callable[[str, int], None],
    ) -> None:
        self.account = account
        parts = urlsplit(account.api_url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._netloc = parts.netloc
        self._base = parts.path.rstrip("/")
        self._loop, self._tls, self._sent = loop, tls, sent
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._opening = 0
        self._waiting: list[_Waiting] = []
        self._order = itertools.count()
        self._closed = False
        self._failures = 0
        self._trouble = ""
        self._reopening = False
        self._token = ""
        self._headers = b""

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._busy)

    def warm(self) -> None:
        """Open connections before they are needed."""
        while len(self._idle) + len(self._busy) + self._opening < min(_WARM, self.account.lines):
            self._open()

    def submit(self, call: Call) -> None:
        """Write the call now if a connection is free, else when one is."""
        if self._closed:
            self._deliver_unsent(call, "the line is closed")
            return
        connection = self._take(call)
        if connection is not None:
            self._put(connection, call)
            return
        number = next(self._order)
        heapq.heappush(self._waiting, (call.urgency, number, call))
        self._loop.call_later(call.timeout, self._waited_too_long, number)
        if len(self._idle) + len(self._busy) + self._opening < self.account.lines:
            self._open()

    def close(self) -> None:
        """Take no more calls; what is in flight may finish."""
        self._closed = True
        for connection in self._idle:
            connection.abort()
        self._idle.clear()
        waiting, self._waiting = self._waiting, []
        for _, _, call in waiting:
            self._deliver_unsent(call, "the line is closed")

    def abort(self, why: str) -> None:
        """End what is in flight; its outcome is not known."""
        for connection in list(self._busy):
            connection.fail(why)

    def _take(self, call: Call) -> Connection | None:
        read = call.urgency >= _READ_URGENCY
        if read and self.account.lines > 1 and self._reading() >= self.account.lines - 1:
            return None
        while self._idle:
            connection = self._idle.pop(0 if read else -1)
            if connection.usable:
                return connection
        return None

    def _reading(self) -> int:
        return sum(connection.reading for connection in self._busy)

    def _put(self, connection: Connection, call: Call) -> None:
        self._busy.add(connection)
        try:
            head = self._head(call)
        except Exception as trouble:
            self._busy.discard(connection)
            self._idle.append(connection)
            self._deliver_unsent(call, f"no token to send it with ({type(trouble).__name__})")
            return
        written_at = connection.write(call, head)
        if call.request.kind.order:
            self._sent(self.account.client_id, written_at)

    def _head(self, call: Call) -> bytes:
        token = self.account.token()
        if token != self._token:
            self._token = token
            self._headers = (
                f" HTTP/1.1\r\nHost: {self._netloc}\r\naccess-token: {token}\r\n"
                f"client-id: {self.account.client_id}\r\nAccept: application/json\r\n"
            ).encode("ascii")
        request = call.request
        start = f"{request.method} {self._base}{request.path}".encode("ascii")
        if not request.body:
            return b"".join((start, self._headers, b"\r\n"))
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(request.body)
        return b"".join((start, self._headers, length, request.body))

    # Connections

    def _open(self) -> None:
        self._opening += 1
        task = self._loop.create_task(self._connect())
        task.add_done_callback(self._connected)

    async def _connect(self) -> Connection:
        local = (self.account.source_ip, 0) if self.account.source_ip else None
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await self._loop.create_connection(
                lambda: Connection(self._loop, self._free, self._lost),
                self._host,
                self._port,
                ssl=self._tls if self._secure else None,
                local_addr=local,
            )
        return connection

    def _connected(self, task: "asyncio.Task[Connection]") -> None:
        self._opening -= 1
        if task.cancelled():
            return
        trouble = task.exception()
        if trouble is not None:
            self._no_connection(trouble)
            return
        self._failures = 0
        self._trouble = ""
        connection = task.result()
        if self._closed:
            connection.abort()
        else:
            self._free(connection)

    def _no_connection(self, trouble: BaseException) -> None:
        self._trouble = f"no connection ({type(trouble).__name__})"
        self._failures += 1
        if self._failures == 1:
            logger.warning("No connection to %s: %s", self._netloc, type(trouble).__name__)
        self._reopen()

    def _reopen(self) -> None:
        """Have warm connections again, after a pause that grows with every failure."""
        if self._closed or self._reopening:
            return
        self._reopening = True
        longest = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
        pause = 0.0 if not self._failures else random.uniform(longest / 2, longest)
        self._loop.call_later(pause, self._reopen_now)

    def _reopen_now(self) -> None:
        self._reopening = False
        if self._closed:
            return
        self.warm()
        if self._waiting and not self._opening and not self._idle:
            self._open()

    def _free(self, connection: Connection) -> None:
        """A connection can take the next call."""
        self._busy.discard(connection)
        if self._closed:
            connection.abort()
            return
        self._idle.append(connection)
        held: list[_Waiting] = []
        while self._waiting and self._idle:
            waiting = heapq.heappop(self._waiting)
            taken = self._take(waiting[2])
            if taken is None:
                held.append(waiting)
            else:
                self._put(taken, waiting[2])
        for waiting in held:
            heapq.heappush(self._waiting, waiting)

    def _lost(self, connection: Connection) -> None:
        """A connection is gone: brokers close idle ones, and the next order must not pay."""
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._reopen()

    def _waited_too_long(self, number: int) -> None:
        for index, (_, waiting_number, call) in enumerate(self._waiting):
            if waiting_number == number:
                del self._waiting[index]
                heapq.heapify(self._waiting)
                self._deliver_unsent(call, self._trouble or "no connection was free in time")
                return

    def _deliver_unsent(self, call: Call, why: str) -> None:
        answer = Answer(None, b"", why, None, time.monotonic_ns())
        try:
            call.deliver(answer)
        except Exception:
            logger.exception("An answer could not be delivered")
