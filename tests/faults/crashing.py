"""The real program, ended as by a power cut at a named point.

CRASH_POINT names the point and CRASH_AFTER how often it is passed before; without them it is the
plain program. At its end it leaves the point's name in the file CRASH_MARK. CLOCK_FILE, if given,
holds the seconds by which the wall clock is off, as `bend` writes them.
"""

import mmap
import os
import signal
import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actors.clock import HostClock
from dhan.calls import Call
from dhan.connection import Connection
from domain.messages import Answered, Intent
from ledger.ledger import Ledger

POINTS = (
    "before intent",
    "after intent",
    "after send",
    "before answer",
    "after answer",
    "before ack",
    "after ack",
)
_Method = Callable[..., Any]


def _arm(point: str, passes: int) -> None:
    """End the process at the point, once it was passed so often."""
    left = passes

    def passed() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            Path(os.environ["CRASH_MARK"]).write_text(point)
            os.kill(os.getpid(), signal.SIGKILL)

    kind = Answered if "ack" in point else Intent

    def around_commit(commit: _Method) -> _Method:
        def committing(ledger: Ledger, batch: Any) -> None:
            counts = any(isinstance(entry, kind) for entry in batch)
            if counts and point.startswith("before"):
                passed()
            commit(ledger, batch)
            if counts and point.startswith("after"):
                passed()

        return committing

    def around_write(write: _Method) -> _Method:
        def writing(connection: Connection, call: Call, request: bytes, secret: bytes) -> Any:
            written = write(connection, call, request, secret)
            if call.request.kind.order:
                passed()
            return written

        return writing

    def around_answer(answered: _Method) -> _Method:
        def answering(call: Call, *what: Any, **more: Any) -> None:
            counts = call.request.kind.order
            if counts and point == "before answer":
                passed()
            answered(call, *what, **more)
            if counts and point == "after answer":
                passed()

        return answering

    if point in ("before intent", "after intent", "before ack", "after ack"):
        Ledger.commit = around_commit(Ledger.commit)  # type: ignore[method-assign]
    elif point == "after send":
        Connection.write = around_write(Connection.write)  # type: ignore[method-assign]
    else:
        Call.answered = around_answer(Call.answered)  # type: ignore[method-assign]


def bend(path: Path, seconds: int) -> None:
    """Set the wall clock of the processes with that CLOCK_FILE wrong, in place: they look at it
    whenever they ask for the time."""
    with path.open("r+b" if path.exists() else "wb") as off:
        off.write(struct.pack("<i", seconds))


def _bend_clock(path: Path) -> None:
    """Have the wall clock be off by what the file says."""
    right = HostClock.wall
    with path.open("rb") as off:
        seconds = mmap.mmap(off.fileno(), 0, access=mmap.ACCESS_READ)

    def wrong(clock: HostClock) -> datetime:
        return right(clock) + timedelta(seconds=struct.unpack("<i", seconds)[0])

    HostClock.wall = wrong  # type: ignore[method-assign,assignment]


def main(arguments: Sequence[str]) -> int:
    """Arm what the environment asks for and run the program."""
    if point := os.environ.get("CRASH_POINT"):
        _arm(point, int(os.environ.get("CRASH_AFTER", "0")))
    if clock := os.environ.get("CLOCK_FILE"):
        _bend_clock(Path(clock))
    from desk.cli import main as run

    return run(arguments)
