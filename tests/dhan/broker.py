"""A broker of a few lines for tests: real sockets, every byte in the test's hand."""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

TOKEN = "eyJhbGciOiJIUzUxMiJ9.c2VjcmV0LXRva2VuLXRoYXQtbmV2ZXItc2hvd3M.c2lnbmF0dXJl"


class Peer:
    """One accepted connection; `lines` is what comes in on it."""

    def __init__(self, plain: socket.socket, tls: ssl.SSLContext | None) -> None:
        # Nothing is sent in one piece that the test sends in two.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address: tuple[str, int] = plain.getpeername()
        self.lines: BinaryIO
        self.requests = 0
        self._plain, self._tls = plain, tls
        self._ended = False

    def open(self) -> socket.socket:
        """The socket, after the TLS handshake where there is one. Raises OSError."""
        if self._tls is not None:
            self._plain = self._tls.wrap_socket(self._plain, server_side=True)
        return self._plain

    def send(self, written: bytes) -> None:
        """Send any bytes."""
        self._plain.sendall(written)

    def close(self) -> None:
        """End it as a broker ends an idle connection."""
        self._ended = True
        try:
            socket.socket.shutdown(self._plain, socket.SHUT_RDWR)
        except OSError:
            return

    def reset(self) -> None:
        """End it with a TCP reset, sent when its reader lets go of it."""
        self._ended = True
        linger = struct.pack("ii", 1, 0)
        self._plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        socket.socket.shutdown(self._plain, socket.SHUT_RD)

    @property
    def ended(self) -> bool:
        """Whether either side has ended it."""
        return self._ended

    def forget(self) -> None:
        """Release the socket."""
        self._ended = True
        self._plain.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: Peer


Handler = Callable[[Asked], bytes | None]
"""Answers a request with the bytes to send, or None to say nothing (yet)."""


class Broker:
    """Serves every connection in a thread of its own; `greet` has it before it is read from."""

    def __init__(
        self,
        handler: Handler,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[Peer], object] = bool,
    ) -> None:
        self.asked: list[Asked] = []
        self.peers: list[Peer] = []
        self._handler, self._tls, self._greet = handler, tls, greet
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._stopping = False
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Its address, as of the REST API."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}/v2"

    @property
    def live(self) -> list[Peer]:
        """The connections that nobody has ended."""
        return [peer for peer in self.peers if not peer.ended]

    def paths(self, method: str | None = None) -> list[str]:
        """The paths asked for so far."""
        return [asked.path for asked in self.asked if method in (None, asked.method)]

    def stop(self) -> None:
        """End everything."""
        self._stopping = True
        self._listener.close()
        for peer in self.peers:
            peer.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        while not self._stopping:
            try:
                if not select.select([self._listener], [], [], 0.1)[0]:
                    continue
                plain, _ = self._listener.accept()
            except (OSError, ValueError):
                return
            plain.settimeout(30)
            peer = Peer(plain, self._tls)
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer) -> None:
        try:
            self._greet(peer)
            with peer.open() as link, link.makefile("rb") as lines:
                peer.lines = lines
                while (asked := _request(peer)) is not None:
                    peer.requests += 1
                    self.asked.append(asked)
                    answer = self._handler(asked)
                    if answer is not None:
                        peer.send(answer)
        except OSError:
            return
        finally:
            peer.forget()


def _request(peer: Peer) -> Asked | None:
    lines = peer.lines
    first = lines.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := lines.readline().decode("latin-1").strip()) and ":" in line:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", "0")))
    return Asked(first[0], first[1], headers, body, peer)


def answer(body: bytes | str = b"[]", status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP answer with a length."""
    content = body.encode() if isinstance(body, str) else body
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", "")
    return "\r\n".join(lines).encode() + content
