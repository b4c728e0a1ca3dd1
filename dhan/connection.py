"""One keep-alive HTTP/1.1 connection: at most one request in flight, never a second try."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httptools

from dhan.arrivals import arrived_ns
from dhan.calls import Answer, Call
from dhan.unyielding import Ends

_MOST_ANSWER = 32 * 1024 * 1024
_PROVEN_SECONDS = 1.0
_HIDDEN = b"[hidden]"


@dataclass(frozen=True, slots=True)
class _Flight:
    """A call whose answer is awaited."""

    call: Call
    written_at: int
    deadline: asyncio.TimerHandle
    secret: bytes = field(repr=False)


class Connection(asyncio.Protocol):
    """Writes a request and reads its answer. Lives on the wire's thread.

    `used_at` (the loop's time) is when it was made or last answered.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        free: Callable[["Connection"], None],
        lost: Callable[["Connection"], None],
    ) -> None:
        self._loop, self._free, self._lost = loop, free, lost
        self._transport: asyncio.Transport
        self._ends: Ends
        self._flight: _Flight | None = None
        self._poisoned = ""
        self._made_at = self.used_at = loop.time()
        self._answers = 0
        self._next_answer()

    def _next_answer(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._size = 0
        self._date: str | None = None
        self._framed = self._headed = self._kept = self._done = False

    @property
    def usable(self) -> bool:
        """Whether a request can be written. The socket itself is asked too: the broker may have
        ended an idle connection a moment ago, and the loop may not know yet."""
        if self._flight is not None or self._poisoned or self._transport.is_closing():
            return False
        return not self._ends.found()

    @property
    def trouble(self) -> str:
        """Why no request can be written any more; empty while one can."""
        return self._poisoned

    @property
    def proven(self) -> bool:
        """Whether it was of any use, unlike one that is taken and ended at once."""
        return bool(self._answers) or self._loop.time() - self._made_at >= _PROVEN_SECONDS

    def write(self, call: Call, request: bytes, secret: bytes) -> int:
        """Write a whole request; the monotonic time (ns) from which it may have arrived. Where the
        answer repeats its `secret` (the token), that stays here."""
        deadline = self._loop.call_later(call.timeout, self._timed_out)
        written_at = time.monotonic_ns()
        self._flight = _Flight(call, written_at, deadline, secret)
        self._transport.write(request)
        return written_at

    def fail(self, why: str) -> None:
        """Give up what is in flight and the connection with it: a late answer must never be
        taken for the next request's."""
        self._poisoned = self._poisoned or why
        self._transport.abort()
        self._answer(None, b"", why)

    def abort(self) -> None:
        """End the connection."""
        self._poisoned = self._poisoned or "closed"
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        tls = transport.get_extra_info("sslcontext") is not None
        self._ends = Ends(transport.get_extra_info("socket").fileno(), tls=tls)

    def data_received(self, received: bytes) -> None:
        self._size += len(received)
        if self._flight is None:
            self._poisoned = "bytes that nobody asked for"
            self._transport.abort()
            return
        if self._size > _MOST_ANSWER:
            self.fail("an answer that is too long")
            return
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserError as trouble:
            self.fail(f"an answer that is not HTTP ({type(trouble).__name__})")
            return
        if self._poisoned:
            self.fail(self._poisoned)
        elif self._done:
            self._complete()

    def eof_received(self) -> bool:
        if self._flight is None:
            self._poisoned = "closed by the broker"
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        lost = f"connection lost ({type(exc).__name__ if exc else 'closed by the broker'})"
        if self._flight is not None and self._headed and not self._framed and exc is None:
            self._answer(self._parser.get_status_code(), b"".join(self._body), None)
        else:
            self._answer(None, b"", self._poisoned or lost)
        self._poisoned = self._poisoned or lost
        self._lost(self)

    # httptools

    def on_message_begin(self) -> None:
        if self._done:
            self._poisoned = "more than one answer"

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"date":
            self._date = value.decode("latin-1")
        elif lowered in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self._headed = True
        self._kept = self._parser.should_keep_alive()  # never True once the message is over

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._headed = self._framed = False
            return
        self._done = True

    # Answers

    def _complete(self) -> None:
        status, body, kept = self._parser.get_status_code(), b"".join(self._body), self._kept
        self._answers += 1
        self.used_at = self._loop.time()
        self._answer(status, body, None)
        self._next_answer()
        if kept:
            self._free(self)
        else:
            self._poisoned = "closed after its answer"
            self._transport.close()

    def _came_ns(self, asked_ns: int) -> int:
        return arrived_ns(self._transport.get_extra_info("socket"), asked_ns)

    def _timed_out(self) -> None:
        if self._flight is not None:
            self.fail("no answer in time")

    def _answer(self, status: int | None, body: bytes, error: str | None) -> None:
        flight, self._flight = self._flight, None
        if flight is None:
            return
        flight.deadline.cancel()
        if flight.secret and flight.secret in body:
            body = body.replace(flight.secret, _HIDDEN)
        whole = status is not None and self._done
        came_ns = self._came_ns(flight.written_at) if whole else time.monotonic_ns()
        answer = Answer(status, body, error, flight.written_at, came_ns, self._date)
        flight.call.answered(answer)
