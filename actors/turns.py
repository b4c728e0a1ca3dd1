"""Followers think one at a time, and what is urgent goes first.

One process runs one thread of Python at a time. When twenty followers think at once, the ledger
and the wire have to wait for all of them, again after every row and every socket: a request that
was decided in a millisecond left most of a second later. When they take turns, only one is ahead.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Told = TypeVar("_Told")
_Replied = TypeVar("_Replied")


class Turns:
    """Whose turn it is. A courtesy and no right: a turn that lasts for longer than `patience`
    (seconds) is waited for by nobody any more, so that a follower that hangs holds up no other;
    and nobody gives way for longer than `courtesy` (seconds)."""

    def __init__(self, patience: float = 0.2, courtesy: float = 0.05) -> None:
        self._patience, self._courtesy = patience, courtesy
        self._turn = threading.Lock()
        self._under_way: deque[None] = deque()
        self._passed = 0
        self._clear = threading.Event()

    @property
    def taken(self) -> bool:
        """Whether it is somebody's turn."""
        return self._turn.locked()

    @property
    def under_way(self) -> int:
        """How many urgent thoughts are not finished, and requests not at the wire."""
        return len(self._under_way)

    def urgent(self, act: Callable[[_Told], _Replied], told: _Told) -> _Replied:
        """Do `act` when it is the caller's turn, before all that is not urgent."""
        self.sent()
        try:
            return self.take(act, told)
        finally:
            self.passed(1)

    def at_leisure(self, act: Callable[[_Told], _Replied], told: _Told) -> _Replied:
        """Do `act` when it is the caller's turn and nothing urgent is under way."""
        self.give_way()
        return self.take(act, told)

    def take(self, act: Callable[[_Told], _Replied], told: _Told) -> _Replied:
        """Do `act` when it is the caller's turn."""
        turn = self._turn
        mine = turn.acquire(timeout=self._patience)
        if not mine and turn is self._turn:
            self._turn = threading.Lock()
        try:
            return act(told)
        finally:
            if mine:
                turn.release()

    def sent(self) -> None:
        """Note that a request is on its way to the wire."""
        self._under_way.append(None)
        self._clear.clear()

    def passed(self, count: int) -> None:
        """Note that so many requests have been handed to the wire, or never will be."""
        self._passed += 1
        with suppress(IndexError):  # they may have been given up meanwhile
            for _ in range(count):
                self._under_way.pop()
        if not self._under_way:
            self._clear.set()

    def give_way(self) -> None:
        """Let what is urgent pass, for as long as courtesy asks. Where nothing passes in that time,
        it waits for a disk or is lost, and is waited for no more."""
        passed = self._passed
        if self._under_way and not self._clear.wait(self._courtesy) and passed == self._passed:
            self._under_way.clear()
