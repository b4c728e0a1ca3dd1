"""Running an engine under a show until somebody says stop."""

import queue
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import pykka

from actors.engine import Engine
from desk.show import Show

_LOOK_SECONDS = 0.125

Poll = Callable[[], None]


class Stop:
    """Whether the process was asked to stop.

    No `threading.Event`: a signal that interrupts the very wait for it would wait for a lock which
    that holds, for ever. A put into a SimpleQueue may interrupt a get.
    """

    def __init__(self) -> None:
        self._words: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asked = False

    def ask(self) -> None:
        """Ask, from a signal handler or any thread."""
        self._asked = True
        self._words.put(None)

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Whether somebody asked by then, as soon as somebody does."""
        if not self._asked:
            with suppress(queue.Empty):
                self._words.get(timeout=seconds)
        return self._asked


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """What SIGTERM and Ctrl-C ask, instead of ending the process, within the block."""
    stop = Stop()

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
