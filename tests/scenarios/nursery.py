"""Processes of the real program that are born with everything imported, which is most of a start.

`python -m tests.scenarios.nursery` imports, and then forks once for each line that asks for it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.01


class Born:
    """A process from the nursery, to be handled like one of `subprocess`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + (timeout or 3600)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a process from the nursery", timeout or 3600)
            time.sleep(_LOOK_SECONDS)
        return code

    def send_signal(self, kind: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, kind)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks; it ends with the one that started it, and takes its own along."""

    def __init__(self) -> None:
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.nursery"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def bear(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        trouble: Path | None = None,
        into: Path = Path(os.devnull),
        cwd: Path = _ROOT,
    ) -> Born:
        """A new process of the program, which prints to the end of a file, and what is wrong to
        that of another, if there is one. It has this process' surroundings, but for these."""
        places = {"out": out, "trouble": trouble or out, "into": into, "cwd": cwd}
        wanted = {name: str(place) for name, place in places.items()}
        surroundings = {**os.environ, **environment}
        born = self.ask(arguments=[*arguments], environment=surroundings, **wanted)
        return Born(self, int(born))

    def obeyed(
        self,
        words: Sequence[str],
        cwd: Path = _ROOT,
        environment: Mapping[str, str] | None = None,
        said: str = "",
    ) -> "subprocess.CompletedProcess[str]":
        """`python run.py ...` to its end, with something said on its standard input."""
        with TemporaryDirectory() as folder:
            into, out, trouble = (Path(folder, name) for name in ("in", "out", "trouble"))
            into.write_text(said)
            born = self.bear(words, environment or {}, out, trouble, into=into, cwd=cwd)
            code = born.wait(60)
            return subprocess.CompletedProcess(
                ["run.py", *words], code, out.read_text(), trouble.read_text()
            )

    def ask(self, **wanted: Any) -> Any:
        """What the forking process answers."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(json.dumps(wanted) + "\n")
        self._mother.stdin.flush()
        return json.loads(self._mother.stdout.readline())


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def main() -> None:
    """Fork and tell of what was forked, until nobody asks any more."""
    from desk import live  # noqa: F401  # the largest part of all imports
    from desk.commands import (  # noqa: F401  # noqa: F401
        check,
        clock,
        copies,
        drift,
        explain,
        followers,
        instruments,
        login,
        missed,
        replay,
        resolve,
    )
    from dhan.trust import trust
    from tests.faults.crashing import main as program

    trust()
    born: set[int] = set()
    for line in sys.stdin:
        wanted = json.loads(line)
        if "poll" in wanted:
            _say(_ended(wanted["poll"], born))
            continue
        pid = os.fork()
        if not pid:
            _live(program, wanted)
        born.add(pid)
        _say(pid)
    for pid in born:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _live(program: Callable[[Sequence[str]], int], wanted: dict[str, Any]) -> NoReturn:
    """Be a process of its own, with its own surroundings and nothing of the nursery's, to the
    end."""
    code = 1
    try:
        _move_out(wanted)
        code = program(wanted["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _move_out(wanted: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["cwd"])
    into, flags = os.open(wanted["into"], os.O_RDONLY), os.O_WRONLY | os.O_APPEND | os.O_CREAT
    out, trouble = os.open(wanted["out"], flags), os.open(wanted["trouble"], flags)
    for there, here in ((into, 0), (out, 1), (trouble, 2)):
        os.dup2(there, here)
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)
    sys.stdin = os.fdopen(0)


def _ended(pid: int, born: set[int]) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        return None
    born.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _say(answer: int | None) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
