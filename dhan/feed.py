"""The order-update socket of one account, on websocket-client, in a thread of its own.

Dhan acknowledges no login and replays nothing: an open socket is a link, not a proof. Only
traffic, pongs included, shows that it lives; a binary frame before an end, or an end soon after
the login, means that the token was refused (seen live by two clients).
"""

import json
import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import websocket
from websocket import ABNF

from dhan.addresses import FeedAddress
from dhan.read_ahead import ReadAhead
from dhan.tokens import TokenMissing
from dhan.trust import trust
from dhan.tunnel import ProxyRefused, pass_through, place
from domain.pauses import doubled

logger = logging.getLogger(__name__)

_LOGIN_CODE = 42
_ANSWER_SECONDS = 10.0
_SOON = 10.0
_REFUSALS = 10
_REFUSED_PAUSE = 60.0
_HANG_UP_AGAIN = 0.05


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
        longest = doubled(self.first_pause, failures, self.longest_pause)
        return longest / 2 + longest / 2 * chance


class _Ended(Exception):
    """The socket ended by itself, or is given up."""


class _Closed(_Ended):
    """The other side ended the socket."""


class Feed:
    """Keeps a socket open until stopped.

    Whoever wants the thread's attention shuts the socket down, which ends every wait on it,
    whether it is being opened or read.
    """

    def __init__(
        self, address: FeedAddress, listener: FeedListener, pace: Pace | None = None
    ) -> None:
        self._address, self._listener = address, listener
        self._pace = pace or Pace()
        self._stopping = False
        self._roused = threading.Event()
        self._said = ""
        self._socket: socket.socket | None = None
        self._hung_up: socket.socket | None = None
        self._failures = 0
        self._refusals = 0
        name = f"Feed-{address.client_id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Open the socket, in the background."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close the socket and wait up to `timeout` seconds for the thread to end."""
        self._stopping = True
        self._roused.set()
        deadline = time.monotonic() + timeout
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._hang_up()
            self._thread.join(_HANG_UP_AGAIN)

    def renewed(self) -> None:
        """Log in anew if the account has another token than the last login had."""
        try:
            same = self._address.token() == self._said
        except TokenMissing:
            return
        if not same:
            self.reconnect()

    def reconnect(self) -> None:
        """Open the socket anew, at once: a new token is there."""
        self._refusals = 0
        self._roused.set()
        self._hang_up()

    def _hang_up(self) -> None:
        if (current := self._socket) is not None:
            # It may be the next one already, whose end must not pass for the broker's refusal.
            self._hung_up = current
            try:
                # Beneath TLS, whose own shutdown would not be safe beside its reader.
                socket.socket.shutdown(current, socket.SHUT_RDWR)
            except OSError:
                logger.debug("The socket has ended already")

    def _run(self) -> None:
        while not self._stopping:
            self._roused.clear()
            try:
                self._once()
            except Exception as trouble:
                logger.error("A listener of the order feed failed: %s", type(trouble).__name__)
            finally:
                self._close()
            if not self._stopping:
                self._rest()

    def _rest(self) -> None:
        """Pause before the next socket, unless something rouses the feed."""
        pause = self._pace.pause(self._failures, random.random())
        if self._refusals >= _REFUSALS:
            pause = max(pause, _REFUSED_PAUSE)
        self._roused.wait(pause)

    def _once(self) -> None:
        """One socket, from its opening to its end."""
        try:
            link = self._open()
        except Exception as trouble:
            self._failures += 1
            if not self._stopping:
                self._listener.lost(f"no connection ({_why(trouble)})")
            return
        opened = time.monotonic()
        reader = _Reader(link, self._listener, self._pace, self._roused)
        try:
            self._listener.live()
            reader.read()
        except _Ended as end:
            self._over(end, reader, time.monotonic() - opened)
        except Exception as trouble:
            self._over(_Ended(f"given up ({_why(trouble)})"), reader, time.monotonic() - opened)

    def _over(self, end: _Ended, reader: "_Reader", lived: float) -> None:
        if self._stopping:
            return
        asked = self._roused.is_set() or self._hung_up is self._socket
        early = lived < _SOON and not asked
        self._failures = self._failures + 1 if early else 0
        closed_unheard = isinstance(end, _Closed) and not asked and not reader.heard
        if closed_unheard and (early or reader.binary_within(_SOON)):
            self._refusals += 1
            self._listener.refused(f"{end} after the login, {self._refusals} times")
        else:
            self._refusals = 0
        self._listener.lost(str(end))

    # Opening

    def _open(self) -> websocket.WebSocket:
        """A socket with the login sent. Raises whatever goes wrong."""
        parts = urlsplit(self._address.url)
        secure = parts.scheme == "wss"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        plain = self._dialled(host, port)
        if secure:
            plain = self._socket = trust().wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False
            )
            plain.do_handshake()
        link = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
        link.settimeout(_ANSWER_SECONDS)
        # websocket-client leaves this method without types. A socket of our own goes past every
        # proxy, and a redirect would lead to one that is not bound to this account's address.
        connect: Callable[..., object] = link.connect
        connect(self._address.url, socket=ReadAhead(plain), redirect_limit=0, suppress_origin=True)
        link.send(self._login())
        return link

    def _dialled(self, host: str, port: int) -> socket.socket:
        """A connection to that host, through the account's proxy if it has one."""
        if self._address.proxy is None:
            return self._connected(host, port)
        plain = self._connected(*place(self._address.proxy))
        pass_through(plain, host, port, self._address.proxy_login)
        return plain

    def _connected(self, host: str, port: int) -> socket.socket:
        trouble = OSError("the name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            plain = self._socket = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(_ANSWER_SECONDS)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._address.source_ip:
                    plain.bind((self._address.source_ip, 0))
                plain.connect(address)
            except OSError as failed:
                trouble = failed
                plain.close()
            else:
                return plain
        raise trouble

    def _login(self) -> str:
        self._said = self._address.token()
        login = {
            "MsgCode": _LOGIN_CODE,
            "ClientId": self._address.client_id,
            "Token": self._said,
        }
        return json.dumps({"LoginReq": login, "UserType": "SELF"})

    def _close(self) -> None:
        current, self._socket = self._socket, None
        self._hung_up = None
        if current is not None:
            current.close()


class _Reader:
    """Reads one socket until it ends. `heard` is whether a text frame came."""

    def __init__(
        self,
        link: websocket.WebSocket,
        listener: FeedListener,
        pace: Pace,
        roused: threading.Event,
    ) -> None:
        self._link, self._listener, self._pace, self._roused = link, listener, pace, roused
        self._binary_at: float | None = None
        self.heard = False

    def binary_within(self, seconds: float) -> bool:
        """Whether the last binary frame came less than so long ago; they were also seen at
        times that nobody could explain."""
        return self._binary_at is not None and time.monotonic() - self._binary_at < seconds

    def read(self) -> None:
        """Tell every frame. Raises _Ended when there are no more."""
        quiet_since = pinged = time.monotonic()
        while not self._roused.is_set():
            now = time.monotonic()
            if now - quiet_since >= self._pace.liveness:
                raise _Ended(f"silent for {self._pace.liveness:.0f} s, pings unanswered")
            if now - pinged >= self._pace.ping:
                pinged = now
                self._ping()
            due = min(pinged + self._pace.ping, quiet_since + self._pace.liveness)
            if self._received(max(due - now, 0.001)):
                quiet_since = time.monotonic()
        raise _Ended("asked to begin anew")

    def _received(self, timeout: float) -> bool:
        """Whether a frame came within `timeout` seconds; a part of one is kept for later."""
        self._link.settimeout(timeout)
        try:
            opcode, content = self._link.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return False
        except (websocket.WebSocketException, OSError) as trouble:
            if self._roused.is_set():
                raise _Ended("asked to begin anew") from None
            raise _Closed(f"closed without a close frame ({type(trouble).__name__})") from None
        heard = time.monotonic_ns()
        if opcode == ABNF.OPCODE_CLOSE:
            raise _Closed("closed by Dhan")
        if opcode == ABNF.OPCODE_TEXT:
            self.heard = True
            self._listener.frame(content.decode("utf-8", "replace"), heard)
        elif opcode == ABNF.OPCODE_BINARY:
            self._binary_at = time.monotonic()
            self._listener.frame(bytes(content), heard)
        return True

    def _ping(self) -> None:
        self._link.settimeout(_ANSWER_SECONDS)
        try:
            self._link.ping()
        except (websocket.WebSocketException, OSError) as trouble:
            raise _Closed(f"closed ({type(trouble).__name__})") from None


def _why(trouble: Exception) -> str:
    """A failure to connect in words that show no secret."""
    if isinstance(trouble, TokenMissing | ProxyRefused):
        return str(trouble)
    if isinstance(trouble, websocket.WebSocketBadStatusException):
        return f"HTTP {trouble.status_code}"
    return type(trouble).__name__
