"""Followers think one at a time.

One process runs one thread of Python at a time. When twenty followers think at once, the ledger
and the wire have to wait for all of them, again after every row and every socket: a request that
was decided in a millisecond left most of a second later. When they take turns, only one is ahead.
"""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

_PATIENCE = 0.05
_SWITCH_SECONDS = 0.0005

_Told = TypeVar("_Told")
_Replied = TypeVar("_Replied")


class Turns:
    """Whose turn it is. A courtesy and no right: who has waited for 50 ms goes on without, so
    that a follower that hangs holds up no other."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    @staticmethod
    def short() -> None:
        """Have whoever computes in this process let others in after half a millisecond, ten times
        as soon as Python would by itself."""
        sys.setswitchinterval(_SWITCH_SECONDS)

    def take(self, act: Callable[[_Told], _Replied], told: _Told) -> _Replied:
        """Do `act` when it is the caller's turn."""
        mine = self._free.acquire(timeout=_PATIENCE)
        try:
            return act(told)
        finally:
            if mine:
                self._free.release()
