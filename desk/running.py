"""Running an engine under a show until somebody says stop."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import pykka

from actors.engine import Engine
from desk.show import Show

_LOOK_SECONDS = 0.125

Poll = Callable[[], None]


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, instead of ending the process, within the block."""
    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()

    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, asked) for kind in kinds]
    try:
        yield stop
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def attend(engine: Engine, show: Show, stop: threading.Event, poll: Poll) -> None:
    """Show the board, unless it is down, and `poll`, several times a second, until `stop` is set
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
