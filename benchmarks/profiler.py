"""Where the CPU time of a process with many threads goes.

Exact CPU time for each kind of thread, by the clocks that the kernel keeps; and for each
function its own time, by a deterministic profiler in every thread. That one goes by the wall clock,
as reading a thread's CPU clock at every call would cost more than the calls: functions that do
nothing but wait are left out, and threads wait for the interpreter's lock nearly always there. It
slows everything to a half or less: read its shares, not its sums.
"""

import cProfile
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import TypeVar

_Key = TypeVar("_Key")

_MOST = 40
_WAITS = re.compile(r"acquire|__enter__' of '_thread|select\.select|'poll'|SimpleQueue|'recv'")
_NUMBER = re.compile(r"-?\d+$")


class Profiler:
    """Profiles threads that start after `install`."""

    def __init__(self) -> None:
        self._profiles: dict[threading.Thread, cProfile.Profile] = {}
        self._started: dict[threading.Thread, float] = {}

    def install(self) -> None:
        """Profile every thread that starts from now on."""
        threading.setprofile(self._enter)

    def begin(self) -> None:
        """Count from now on."""
        for profile in self._profiles.values():
            profile.clear()
        self._started = _cpu_seconds()

    def report(self) -> dict[str, object]:
        """CPU seconds by kind of thread, and own seconds by function, since `begin`."""
        now = _cpu_seconds()
        by_thread: dict[str, float] = defaultdict(float)
        for thread, seconds in now.items():
            by_thread[_kind(thread)] += seconds - self._started.get(thread, 0.0)
        own: dict[tuple[str, str], float] = defaultdict(float)
        calls: Counter[tuple[str, str]] = Counter()
        for thread, profile in self._profiles.items():
            for entry in profile.getstats():
                if _WAITS.search(_name(entry.code)):
                    continue
                key = (_kind(thread), _name(entry.code))
                own[key] += entry.inlinetime
                calls[key] += entry.callcount
        functions = [
            {"thread": key[0], "function": key[1], "calls": calls[key], "seconds": seconds}
            for key, seconds in _most(own)[:_MOST]
        ]
        return {"threads": dict(_most(by_thread)), "functions": functions}

    def _enter(self, frame: FrameType, event: str, argument: object) -> None:
        """The first event of a thread: hand the thread over to a profiler of its own."""
        profile = cProfile.Profile()
        self._profiles[threading.current_thread()] = profile
        profile.enable()


def _most(seconds: Mapping[_Key, float]) -> list[tuple[_Key, float]]:
    return sorted(seconds.items(), key=lambda item: item[1], reverse=True)


def _cpu_seconds() -> dict[threading.Thread, float]:
    return {
        thread: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None
    }


def _kind(thread: threading.Thread) -> str:
    return _NUMBER.sub("", thread.name)


def _name(code: CodeType | str) -> str:
    if isinstance(code, str):
        return code
    path = Path(code.co_filename)
    return f"{path.parent.name}/{path.name}:{code.co_firstlineno} {code.co_name}"
