"""The order-update socket of one account, on websocket-client, in a thread of its own.

Dhan acknowledges no login and replays nothing: an open socket is a link, not a proof. Only
traffic, pongs included, shows that it lives; a binary frame before an end, or an end soon after
the login, means that the token was refused (seen live by two clients).
"""

import json
import logging
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import certifi
import websocket
from websocket import ABNF

logger = logging.getLogger(__name__)

_LOGIN_CODE = 42
_CONNECT_SECONDS = 10.0
_REFUSED_WITHIN = 10.0
_REFUSALS = 10
_REFUSED_PAUSE = 60.0
_LONGEST_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """Where and as whom an account listens."""

    client_id: str
    url: str
    token: Callable[[], str] = field(repr=False)
    source_ip: str | None = None


class FeedListener(Protocol):
    """Who is told; called on the feed's thread, and should do no more than tell an actor."""

    def frame(self, frame: str | bytes, heard: int) -> None:
        """A frame came in at `heard` (monotonic ns)."""

    def live(self) -> None:
        """The socket is open and the login is sent; whether it was believed nobody says."""

    def lost(self, why: str) -> None:
        """The socket is gone; it is opened again after a pause."""

    def refused(self, why: str) -> None:
        """The token was not taken."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the feed keeps alive and comes back; all in seconds."""

    ping: float = 20.0
    liveness: float = 45.0
    first_pause: float = 0.25
    longest_pause: float = 30.0

    def pause(self, failures: int, chance: float) -> float:
        """The pause after so many failures in a row: exponential, capped, and jittered by
        `chance` (0 to 1), so that many accounts do not come back at once."""
        longest = min(self.first_pause * 2 ** min(failures, 16), self.longest_pause)
        return longest / 2 + longest / 2 * chance


class _Ended(Exception):
    """The socket ended, or is given up."""


class Feed:
    """Keeps a socket open until stopped."""

    def __init__(
        self, address: FeedAddress, listener: FeedListener, pace: Pace | None = None
    ) -> None:
        self._address, self._listener = address, listener
        self._pace = pace or Pace()
        self._waker, self._woken = socket.socketpair()
        self._stopping = threading.Event()
        self._failures = 0
        self._refusals = 0
        name = f"Feed-{address.client_id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Open the socket, in the background."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close the socket and wait up to `timeout` seconds for the thread to end."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def reconnect(self) -> None:
        """Open the socket anew, at once: a new token is there."""
        self._refusals = 0
        self._wake()

    def _wake(self) -> None:
        try:
            self._waker.send(b"w")
        except OSError:
            logger.debug("The feed has ended already")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._once()
                if not self._stopping.is_set():
                    self._rest()
        finally:
            self._waker.close()
            self._woken.close()

    def _once(self) -> None:
        """One socket, from its opening to its end."""
        try:
            link = self._open()
        except Exception as trouble:
            self._failures += 1
            self._listener.lost(f"no connection ({type(trouble).__name__})")
            return
        opened = time.monotonic()
        self._listener.live()
        reader = _Reader(link, self._woken, self._listener, self._pace)
        try:
            reader.read()
        except _Ended as end:
            self._ended(str(end), time.monotonic() - opened, reader)
        finally:
            link.shutdown()

    def _ended(self, why: str, lived: float, reader: "_Reader") -> None:
        if self._stopping.is_set():
            return
        refused = reader.binary or (lived < _REFUSED_WITHIN and why.startswith("closed"))
        if refused and not reader.heard:
            self._refusals += 1
            self._failures += 1
            self._listener.refused(f"{why} after the login, {self._refusals} times")
        else:
            self._refusals = self._failures = 0
        self._listener.lost(why)

    def _rest(self) -> None:
        """Pause before the next socket, unless something wakes the feed."""
        pause = self._pace.pause(self._failures, random.random())
        if self._refusals >= _REFUSALS:
            pause = max(pause, _REFUSED_PAUSE)
        ready, _, _ = select.select([self._woken], [], [], pause)
        if ready:
            self._woken.recv(64)

    def _open(self) -> websocket.WebSocket:
        parts = urlsplit(self._address.url)
        secure = parts.scheme == "wss"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        source = (self._address.source_ip or "", 0)
        plain = socket.create_connection((host, port), _CONNECT_SECONDS, source)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready = _secured(plain, host) if secure else plain
            link = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
            link.connect(self._address.url, socket=ready)
            link.send(self._login())
        except BaseException:
            plain.close()
            raise
        return link

    def _login(self) -> str:
        login = {
            "MsgCode": _LOGIN_CODE,
            "ClientId": self._address.client_id,
            "Token": self._address.token(),
        }
        return json.dumps({"LoginReq": login, "UserType": "SELF"})


class _Reader:
    """Reads one socket until it ends."""

    def __init__(
        self,
        link: websocket.WebSocket,
        woken: socket.socket,
        listener: FeedListener,
        pace: Pace,
    ) -> None:
        self._link, self._woken, self._listener, self._pace = link, woken, listener, pace
        self._socket: socket.socket = link.sock
        self.binary = False
        self.heard = False

    def read(self) -> None:
        """Tell every frame. Raises _Ended when there are no more."""
        quiet_since = pinged = time.monotonic()
        while True:
            if self._ready():
                self._receive()
                quiet_since = time.monotonic()
            now = time.monotonic()
            if now - quiet_since > self._pace.liveness:
                raise _Ended(f"silent for {self._pace.liveness:.0f} s, pings unanswered")
            if now - pinged >= self._pace.ping:
                pinged = now
                self._ping()

    def _ready(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        wait = min(_LONGEST_WAIT, self._pace.ping / 2)
        ready, _, _ = select.select([self._socket, self._woken], [], [], wait)
        if self._woken in ready:
            self._woken.recv(64)
            raise _Ended("asked to begin anew")
        return bool(ready)

    def _receive(self) -> None:
        try:
            opcode, content = self._link.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            raise _Ended("stuck in the middle of a frame") from None
        except (websocket.WebSocketException, OSError) as trouble:
            raise _Ended(f"closed without a close frame ({type(trouble).__name__})") from None
        heard = time.monotonic_ns()
        if opcode == ABNF.OPCODE_CLOSE:
            raise _Ended("closed by Dhan")
        if opcode == ABNF.OPCODE_TEXT:
            self.heard = True
            self._listener.frame(content.decode("utf-8", "replace"), heard)
        elif opcode == ABNF.OPCODE_BINARY:
            self.binary = True
            self._listener.frame(bytes(content), heard)

    def _ping(self) -> None:
        try:
            self._link.ping()
        except (websocket.WebSocketException, OSError) as trouble:
            raise _Ended(f"closed ({type(trouble).__name__})") from None


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=certifi.where())
    return context.wrap_socket(plain, server_hostname=host)
