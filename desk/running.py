"""Running an engine under a show until somebody says stop."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from types import FrameType
from typing import Self

import pykka

from actors.engine import Engine
from desk.show import Show

_LOOK_SECONDS = 0.125

Poll = Callable[[], None]


class Stop:
    """Whether the process was asked to stop.

    A pair of sockets, as signals interrupt the very wait for them: an Event would wait for a lock
    that the wait holds, and a SimpleQueue may forget its timeout then, in both cases for ever.
    """

    def __init__(self) -> None:
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self._ear.close()
        self._mouth.close()

    def ask(self) -> None:
        """Ask, from a signal handler or any thread, how often ever."""
        self._asked = True
        with suppress(BlockingIOError):
            self._mouth.send(b".")

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Whether somebody asked by then, as soon as somebody does."""
        if not self._asked:
            wait([self._ear], seconds)
        return self._asked


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """What SIGTERM and Ctrl-C ask, instead of ending the process, within the block."""
    with Stop() as stop:

        def asked(number: int, frame: FrameType | None) -> None:
            stop.ask()

        kinds = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(kind, asked) for kind in kinds]
        try:
            yield stop
        finally:
            for kind, handler in zip(kinds, before, strict=True):
                signal.signal(kind, handler)


def attend(engine: Engine, show: Show, stop: Stop, poll: Poll) -> None:
    """Show the board, unless it is down, and `poll`, several times a second, until `stop` is asked
    or the engine says that it cannot go on."""
    with show.open():
        while not stop.wait(_LOOK_SECONDS) and not engine.ended.is_set():
            with suppress(pykka.Timeout, pykka.ActorDeadError):
                show.draw(engine.view())
            poll()


def allow_many_sockets() -> None:
    """Raise the soft limit of open files to the hard one: every account holds a few sockets."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
