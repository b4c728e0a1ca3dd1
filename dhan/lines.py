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

from dhan.addresses import AccountAddress
from dhan.calls import Answer, Call, ReadDone
from dhan.connection import Connection
from dhan.reads import ReadPace
from dhan.requests import Kind, Request
from dhan.slots import Slots
from dhan.tokens import TokenMissing
from dhan.tunnel import ProxyRefused, tunnelled
from dhan.unyielding import connected
from domain.pauses import doubled

logger = logging.getLogger(__name__)

_WARM = 2
_CONNECT_SECONDS = 5.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 15.0
_PROBE = Request(Kind.READ, "GET", "/profile")
_PROBE_URGENCY = 9
_PROBE_SECONDS = 5.0
_NS = 1_000_000_000

_Waiting = tuple[int, int, Call]


class Line:
    """Connections of one account to the API. Lives on the wire's thread.

    Orders take the connection used last, reads the one idle for longest; reads never take the
    last one, so that no order waits behind a hanging read. What nobody uses is read from now and
    then: a connection that died without a word is found out by a read and not by an order.
    Reads keep a pace of their own.
    `closed` is whether no call is taken any more.
    """

    def __init__(
        self,
        account: AccountAddress,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext,
        noted: Callable[[ReadDone], None] | None = None,
    ) -> None:
        self.account = account
        parts = urlsplit(account.api_url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._base = parts.path.rstrip("/")
        self._loop, self._tls = loop, tls
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._opening = 0
        self._waiting: list[_Waiting] = []
        self._order = itertools.count()
        self._slots = Slots()
        self._rings_at: int | None = None
        self.closed = False
        self._failures = 0
        self._trouble = ""
        self._reopening = False
        self._caretaker: asyncio.TimerHandle | None = None
        self._probing = False
        self._token: str | None = None
        self._secret = b""
        self._headers = b""
        self._reads = ReadPace(loop.time, account.client_id, noted)
        self._reads_awaited = False

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._busy)

    def start(self) -> None:
        """Open connections before they are needed, and keep them warm."""
        self._warm()
        self._take_care()

    def submit(self, call: Call) -> None:
        """Write the call once its slot has come and a connection is free."""
        if self.closed:
            call.unsent("the line is closed")
        elif call.not_before > time.monotonic_ns():
            self._slots.hold(call)
            self._await_slot()
        else:
            self._submit(call)

    def recall(self, key: object) -> None:
        """Answer the call of that key as called back, if it waits for its slot."""
        if (call := self._slots.recall(key)) is not None:
            call.recalled()

    def _await_slot(self) -> None:
        at = self._slots.next
        if at is not None and (self._rings_at is None or at < self._rings_at):
            self._rings_at = at
            self._loop.call_at(at / _NS, self._slot_came, at)

    def _slot_came(self, at: int) -> None:
        if self._rings_at == at:
            self._rings_at = None
        for call in self._slots.due(time.monotonic_ns()):
            self._submit(call)
        self._await_slot()

    def _submit(self, call: Call) -> None:
        """Write the call now if a connection is free, else when one is."""
        if not call.request.kind.order:
            call = self._reads.noted(call)
        connection = self._take(call)
        if connection is not None:
            self._put(connection, call)
            return
        number = next(self._order)
        heapq.heappush(self._waiting, (call.urgency, number, call))
        self._loop.call_later(call.timeout, self._waited_too_long, number)
        if self._count < self.account.lines:
            self._open()

    def close(self) -> None:
        """Take no more calls; what is in flight may finish, what waits for its slot is called
        back."""
        self.closed = True
        if self._caretaker is not None:
            self._caretaker.cancel()
        for connection in self._idle:
            connection.abort()
        self._idle.clear()
        waiting, self._waiting = self._waiting, []
        for _, _, call in waiting:
            call.unsent("the line is closed")
        for call in self._slots.clear():
            call.recalled()

    def abort(self, why: str) -> None:
        """End what is in flight; its outcome is not known."""
        for connection in list(self._busy):
            connection.fail(why)

    def _take(self, call: Call) -> Connection | None:
        """A connection for the call, if it may go now and one is free."""
        if call.request.kind.order:
            return self._free_connection(read=False)
        if not self._reads.take():
            self._await_reads()
            return None
        connection = self._free_connection(read=True)
        if connection is None:
            self._reads.give_back()
        return connection

    def _await_reads(self) -> None:
        """Have the reads that wait looked at once the limit has room."""
        pause = self._reads.pause()
        if pause is not None and not self._reads_awaited:
            self._reads_awaited = True
            self._loop.call_later(pause, self._reads_again)

    def _reads_again(self) -> None:
        self._reads_awaited = False
        self._put_waiting()

    def _free_connection(self, *, read: bool) -> Connection | None:
        while self._idle:
            if read and len(self._idle) == 1 < self.account.lines and not self._failures:
                return None
            connection = self._idle.pop(0 if read else -1)
            if connection.usable:
                return connection
            connection.abort()
        return None

    def _put(self, connection: Connection, call: Call) -> None:
        if not call.request.kind.order:
            call = self._reads.counted(call)
        try:
            head = self._head(call)
        except Exception as trouble:
            self._idle.append(connection)
            missing = str(trouble) if isinstance(trouble, TokenMissing) else type(trouble).__name__
            call.unsent(f"no token to send it with: {missing}")
            return
        self._busy.add(connection)
        connection.write(call, head, self._secret)

    def _head(self, call: Call) -> bytes:
        token = self.account.token()
        if token != self._token:
            if not token.isprintable():
                raise ValueError("a token that would be more than one header")
            self._headers = self._standing_headers(token)
            self._token, self._secret = token, token.encode("ascii")
        request = call.request
        start = f"{request.method} {self._base}{request.path}{request.query}".encode("ascii")
        headers = self._headers
        if request.headers:
            headers += "".join(f"{name}: {value}\r\n" for name, value in request.headers).encode()
        if not request.body and request.method != "POST":
            return b"".join((start, headers, b"\r\n"))
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(request.body)
        return b"".join((start, headers, length, request.body))

    def _standing_headers(self, token: str) -> bytes:
        """What every request carries; the one that asks for a first token has none."""
        bearer = f"access-token: {token}\r\n" if token else ""
        return (
            f" HTTP/1.1\r\nHost: {self._netloc}\r\n{bearer}"
            f"client-id: {self.account.client_id}\r\nAccept: application/json\r\n"
        ).encode("ascii")

    # Connections

    @property
    def _count(self) -> int:
        return len(self._idle) + len(self._busy) + self._opening

    def _warm(self) -> None:
        while self._count < min(_WARM, self.account.lines):
            self._open()

    def _take_care(self) -> None:
        """Twice within the time to keep warm, look whether a connection was unused for half of
        it; the accounts of one host not all at once."""
        pause = self.account.keep_warm / 2 * random.uniform(0.8, 1.0)
        self._caretaker = self._loop.call_later(pause, self._take_care)
        self._probe()

    def _probe(self) -> None:
        """Use the connection idle for longest, if that is too long, and then the next one."""
        since = self._loop.time() - self.account.keep_warm / 2
        if not self._probing and self._idle and self._idle[0].used_at <= since:
            self._probing = True
            self.submit(Call(self, _PROBE, _PROBE_SECONDS, self._probed, _PROBE_URGENCY))

    def _probed(self, answer: Answer) -> None:
        self._probing = False
        if answer.status is None:
            logger.debug("A connection to %s was not warm: %s", self._netloc, answer.error)
        elif not self.closed:
            self._loop.call_soon(self._probe)

    def _open(self) -> None:
        self._opening += 1
        task = self._loop.create_task(self._connect())
        task.add_done_callback(self._connected)

    async def _connect(self) -> Connection:
        account, tls = self.account, self._tls if self._secure else None
        async with asyncio.timeout(_CONNECT_SECONDS):
            if account.proxy is not None:
                link = await tunnelled(account.proxy, self._host, self._port, account.proxy_login)
            else:
                link = await connected(self._host, self._port, account.source_ip)
            name = self._host if self._secure else None
            _, connection = await self._loop.create_connection(
                self._connection, sock=link, ssl=tls, server_hostname=name
            )
        return connection

    def _connection(self) -> Connection:
        return Connection(self._loop, self._free, self._lost)

    def _connected(self, task: "asyncio.Task[Connection]") -> None:
        self._opening -= 1
        if task.cancelled():
            return
        trouble = task.exception()
        if trouble is not None:
            self._no_connection(trouble)
            return
        self._free(task.result())

    def _no_connection(self, trouble: BaseException) -> None:
        said = isinstance(trouble, ProxyRefused | TokenMissing)
        self._failed(f"no connection ({trouble if said else type(trouble).__name__})")
        self._reopen()

    def _failed(self, why: str) -> None:
        self._trouble = why
        self._failures += 1
        if self._failures == 1:
            logger.warning("%s: %s", self._netloc, why)

    def _reopen(self) -> None:
        """Have warm connections again: at once for a call that waits, else after a pause that
        grows with every failure and differs between accounts."""
        if self.closed or self._reopening:
            return
        self._reopening = True
        longest = doubled(_FIRST_PAUSE, self._failures, _LONGEST_PAUSE)
        urgent = self._waiting and not self._failures
        pause = 0.0 if urgent else random.uniform(longest / 2, longest)
        self._loop.call_later(pause, self._reopen_now)

    def _reopen_now(self) -> None:
        self._reopening = False
        if self.closed:
            return
        self._warm()
        if self._waiting and not self._opening and self._count < self.account.lines:
            self._open()

    def _free(self, connection: Connection) -> None:
        """A connection can take the next call."""
        self._busy.discard(connection)
        if self.closed or not connection.usable:
            connection.abort()
            return
        self._idle.append(connection)
        self._worked(connection)
        self._put_waiting()

    def _put_waiting(self) -> None:
        """Write what waits, as far as connections are free."""
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
        self._worked(connection)
        if not connection.proven and not self.closed:
            self._failed(f"a new connection is of no use ({connection.trouble})")
        self._reopen()

    def _worked(self, connection: Connection) -> None:
        if connection.proven:
            self._failures, self._trouble = 0, ""

    def _waited_too_long(self, number: int) -> None:
        for index, (_, waiting_number, call) in enumerate(self._waiting):
            if waiting_number == number:
                del self._waiting[index]
                heapq.heapify(self._waiting)
                call.unsent(self._trouble or "no connection was free in time")
                return
