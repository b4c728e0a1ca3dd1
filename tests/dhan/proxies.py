"""An HTTP proxy of a few lines: it tunnels by CONNECT, or refuses to."""

import base64
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_WHO = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"
_GREETING = b"HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n"


class Proxy:
    """Leads wherever it is asked to, from `leaves_from`, or answers `refusal` to everything; who
    is not `known` (as "user:password") is led nowhere, if that is given."""

    def __init__(
        self, leaves_from: str = "127.0.0.9", refusal: bytes = b"", known: str = ""
    ) -> None:
        self.asked: list[str] = []
        self.known = known
        self._leaves_from, self._refusal = leaves_from, refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for link in (self._listener, *self._links):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._links.append(link)
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = link.recv(4096)
                if not piece:
                    return
                head += piece
            self.asked.append(head.split(b"\r\n", 1)[0].decode())
            if refusal := self._refusal or (b"" if self._knows(head) else _WHO):
                link.sendall(refusal)
                link.shutdown(socket.SHUT_RDWR)
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            there = socket.create_connection(
                (host, int(port)), source_address=(self._leaves_from, 0)
            )
            self._links.append(there)
            for piece in (_GREETING[:20], _GREETING[20:]):
                link.sendall(piece)
            threading.Thread(target=_pump, args=(there, link), daemon=True).start()
            _pump(link, there)

    def _knows(self, head: bytes) -> bool:
        said = base64.b64encode(self.known.encode())
        return not self.known or b"\r\nProxy-Authorization: Basic " + said + b"\r\n" in head


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while piece := one.recv(65_536):
            other.sendall(piece)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
