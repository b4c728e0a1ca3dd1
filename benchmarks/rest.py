"""The REST side of the benchmark's broker: one thread that reads, stamps and answers.

A bare epoll loop, because it must take a request in less time than the fastest contestant needs
to send one (12 microseconds), or it would measure itself. The time is taken as soon as the bytes
are read, before anything of them is looked at.
"""

import contextlib
import heapq
import itertools
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_MOST_READ = 1 << 16
_BACKLOG = 1024

Later = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request that came in at `at` (monotonic ns)."""

    plain: socket.socket
    at: int
    method: str
    path: str
    client_id: str
    body: bytes

    def respond(self, body: bytes, status: str = "200 OK") -> None:
        """Answer it."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: "
        self.plain.sendall(b"%s%d\r\n\r\n%s" % (head.encode(), len(body), body))


class Rest:
    """Listens on a free port of 127.0.0.1; `handle` gets each request `rtt` seconds later.

    While it stays awake it polls without a pause: what arrives must not wait until the host finds a
    processor for the broker, which takes longer the busier the host and the later the contestant.
    """

    def __init__(self, rtt: float, handle: Callable[[Request], None]) -> None:
        self._rtt_ns = int(rtt * 1e9)
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._waker = os.eventfd(0)
        self._poll.register(self._waker, select.EPOLLIN)
        self._awake = False
        self._sockets: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._due: list[tuple[int, int, Later]] = []
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._run, name="Rest", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        self._thread.start()

    def stay_awake(self, awake: bool) -> None:
        """Whether to poll without a pause; for any thread."""
        self._awake = awake
        os.eventfd_write(self._waker, 1)

    def later(self, at: int, act: Later) -> None:
        """Call `act` at a monotonic time (ns). Only for the thread itself, in `handle`."""
        heapq.heappush(self._due, (at, next(self._numbers), act))

    def _run(self) -> None:
        """One answer at a time, so that no arrival waits behind many of them."""
        while True:
            for number, _ in self._poll.poll(self._patience()):
                if number == self._listener.fileno():
                    self._accept()
                elif number == self._waker:
                    os.eventfd_read(self._waker)
                else:
                    self._read(number)
            if self._due and self._due[0][0] <= time.monotonic_ns():
                act = heapq.heappop(self._due)[2]
                with contextlib.suppress(OSError):  # whoever asked may have gone
                    act()

    def _patience(self) -> float | None:
        """How long nothing can be due, in seconds; None for ever."""
        if self._awake:
            return 0.0
        if not self._due:
            return None
        return max(0.0, (self._due[0][0] - time.monotonic_ns()) / 1e9)

    def _accept(self) -> None:
        plain, _ = self._listener.accept()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[plain.fileno()] = plain
        self._poll.register(plain, select.EPOLLIN)

    def _read(self, number: int) -> None:
        plain = self._sockets[number]
        try:
            received = plain.recv(_MOST_READ)
        except ConnectionError:
            received = b""
        at = time.monotonic_ns()
        if not received:
            self._close(number, plain)
            return
        if number in self._parts:
            received = self._parts.pop(number) + received
        if _complete(received):
            self.later(at + self._rtt_ns, lambda: self._answer(plain, at, received))
        else:
            self._parts[number] = received

    def _close(self, number: int, plain: socket.socket) -> None:
        self._poll.unregister(number)
        del self._sockets[number]
        self._parts.pop(number, None)
        plain.close()

    def _answer(self, plain: socket.socket, at: int, received: bytes) -> None:
        head, _, body = received.partition(b"\r\n\r\n")
        method, path, _ = head.decode().split(" ", 2)
        client_id = _header(head, b"client-id").decode()
        self._handle(Request(plain, at, method, path, client_id, body))


def _complete(request: bytes) -> bool:
    """Whether these bytes are a whole request; nobody here sends a body in chunks."""
    head = request.find(b"\r\n\r\n") + 4
    if head < 4:
        return False
    return request.startswith((b"GET", b"DELETE")) or len(request) >= head + int(
        _header(request[:head], b"content-length")
    )


def _header(head: bytes, name: bytes) -> bytes:
    start = head.lower().find(b"\r\n" + name + b":") + len(name) + 3
    end = head.find(b"\r", start)
    return (head[start:] if end < 0 else head[start:end]).strip()
