"""When an answer came in, which can be long before a busy process reads it.

Permits count from an answer on, so that a late look at it would waste them. Linux keeps for each
connection how long ago it last took data in (tcp(7), `TCP_INFO`); elsewhere it is now.
"""

import socket
import struct
import sys
import time
from typing import Protocol

_LAST_TAKEN = struct.Struct("=52xI")
_TICK_MS = 10
_NS_PER_MS = 1_000_000


class Link(Protocol):
    """A connected socket."""

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...


def arrived_ns(link: Link, asked_ns: int) -> int:
    """By when (monotonic ns) the last bytes that were read had come in to this host: never
    before they did, and never before they were asked for. The kernel counts by ticks, of 10 ms at
    most."""
    waited_ms = 0
    if sys.platform == "linux":
        told = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_TAKEN.size)
        if len(told) == _LAST_TAKEN.size:
            waited_ms = _LAST_TAKEN.unpack(told)[0]
    came_ns = time.monotonic_ns() - max(0, waited_ms - _TICK_MS) * _NS_PER_MS
    return max(came_ns, asked_ns)
