"""Looking at a socket, and writing to it, without giving up the interpreter.

Python lets other threads run during every system call, also one that never waits. Where many want
to run, a thread has the interpreter back after a millisecond or more: for the wire, which looks
and writes once for each request, that was most of what a request in a burst took.
"""

import asyncio
import ctypes
import os
import select
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LINUX = sys.platform == "linux"
_NOT_WAITING = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL if _LINUX else 0


class _Asked(ctypes.Structure):
    """What poll(2) is asked of one socket."""

    _fields_ = (
        ("descriptor", ctypes.c_int),
        ("events", ctypes.c_short),
        ("found", ctypes.c_short),
    )


if _LINUX:
    _libc = ctypes.PyDLL(None, use_errno=True)  # unlike CDLL, it keeps the interpreter
    _poll = _libc.poll
    _poll.argtypes = (ctypes.POINTER(_Asked), ctypes.c_ulong, ctypes.c_int)
    _poll.restype = ctypes.c_int
    _send = _libc.send
    _send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    _send.restype = ctypes.c_ssize_t


class Ends:
    """Whether an idle connection is of no use any more: it was ended, or holds bytes that nobody
    asked for. Beneath TLS, bytes may be session tickets, and no harm."""

    def __init__(self, descriptor: int, *, tls: bool) -> None:
        self._descriptor, self._tls = descriptor, tls
        if _LINUX:
            unwanted = select.POLLRDHUP | (0 if tls else select.POLLIN)
            self._asked = _Asked(descriptor, unwanted, 0)
            self._where = ctypes.pointer(self._asked)

    def found(self) -> bool:
        """Look now. Elsewhere than on Linux, an end beneath TLS is not seen before it is read."""
        if _LINUX:
            return bool(_poll(self._where, 1, 0))
        return not self._tls and bool(select.select([self._descriptor], [], [], 0)[0])


class Unyielding(socket.socket):
    """A socket whose `send` keeps the interpreter; for a loop, which never has it wait."""

    def send(self, content: "ReadableBuffer", flags: int = 0, /) -> int:
        """Write what the socket takes now, in bytes. Raises OSError."""
        if not _LINUX or not isinstance(content, bytes):
            return super().send(content, flags)
        sent: int = _send(self.fileno(), content, len(content), flags | _NOT_WAITING)
        if sent < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return sent


async def connected(
    host: str,
    port: int,
    source_ip: str | None = None,
    begin: Callable[[socket.socket], Awaitable[None]] | None = None,
) -> Unyielding:
    """A connection to that host, for the running loop, from `source_ip` if there is one. An
    address counts only if it can also `begin` what the connection is for. Raises OSError, and
    what `begin` raises."""
    loop = asyncio.get_running_loop()
    trouble = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        link = Unyielding(family, kind, protocol)
        link.setblocking(False)
        try:
            if source_ip:
                link.bind((source_ip, 0))
            await loop.sock_connect(link, address)
            if begin is not None:
                await begin(link)
        except OSError as failed:
            trouble = failed
            link.close()
        except BaseException:
            link.close()
            raise
        else:
            return link
    raise trouble
