"""The socket beneath a web socket, read by as much as there is.

websocket-client reads a frame in three or four pieces, and for each piece Python asks the system
several times, giving up the interpreter each time: where many threads want it, a frame was heard
several milliseconds after it had come in.
"""

import selectors
import socket
import ssl
import time

_MOST = 65_536  # more than a record of TLS, so that none stays where it cannot be waited for
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class ReadAhead:
    """What websocket-client asks of a socket. Takes over a connected one."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._timeout = link.gettimeout()
        self._ahead = b""
        link.setblocking(False)
        self._selector = _Selector()
        self._selector.register(link, selectors.EVENT_READ)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end. Raises TimeoutError, and OSError."""
        if not self._ahead:
            self._ahead = self._read()
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return piece

    def send(self, content: bytes) -> int:
        """Write what the socket takes now, in bytes. Raises OSError."""
        return self._link.send(content)

    def settimeout(self, timeout: float | None) -> None:
        """Wait for so many seconds from now on, None for ever."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """How long is waited."""
        return self._timeout

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return self._link.fileno()

    def shutdown(self, how: int) -> None:
        """End one way or both. Raises OSError."""
        self._link.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._link.close()

    def _read(self) -> bytes:
        """What there is, as soon as there is anything."""
        until = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            self._wait(until)
            try:
                return self._link.recv(_MOST)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue  # beneath TLS, it was a part of a record or a session ticket

    def _wait(self, until: float | None) -> None:
        rest = None if until is None else max(0.0, until - time.monotonic())
        if not self._selector.select(rest):
            raise TimeoutError("nothing came in time")
