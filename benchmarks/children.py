"""The benchmark's processes, seen from outside: lines in and out, CPU time and memory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.broker import ALONE
from benchmarks.contest import EVENT, Contest
from benchmarks.figures import Gap, Order

_END_SECONDS = 20.0
_CPU_CLOCK_OF_PROCESS = 2
_LOOK_SECONDS = 0.06
_QUIET_SHARE = 0.1
_MOST_LOOKS = 100
_ORDER_SECONDS = 30.0


class Child:
    """A process of the benchmark on its own processors, ended with the `with` block."""

    def __init__(self, cpus: frozenset[int], module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, cpus)

    def say(self, line: str) -> None:
        """Write one line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """The next line from it. Raises EOFError when it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError(f"{self._process.args!r} ended ({self._process.wait()})")
        return line

    def cpu_seconds(self) -> float:
        """CPU time of all of its threads so far.

        The clock of another process, by the number that Linux gives it (clock_getcpuclockid):
        exact, where /proc counts in hundredths of a second.
        """
        return time.clock_gettime((~self._process.pid << 3) | _CPU_CLOCK_OF_PROCESS)

    def memory(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def await_quiet(self) -> None:
        """Wait until it has nothing left to do: less than a tenth of a processor for a moment."""
        before = self.cpu_seconds()
        for _ in range(_MOST_LOOKS):
            time.sleep(_LOOK_SECONDS)
            now = self.cpu_seconds()
            if now - before < _LOOK_SECONDS * _QUIET_SHARE:
                return
            before = now

    def pause(self) -> None:
        """Stop it where it is, so that it disturbs nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, and do what it would have done meanwhile."""
        self._process.send_signal(signal.SIGCONT)
        self.await_quiet()

    def end(self) -> str:
        """Close its standard input and wait; what it said last."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.close()
        last = self._process.stdout.read()
        self._process.wait(_END_SECONDS)
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class BrokerChild(Child):
    """The broker's process, alone on the last processor where there are several: in truth it is
    another host."""

    def __init__(self) -> None:
        others, own = _processors()
        super().__init__(own, "broker", *(() if own & others else (ALONE,)))
        addresses = json.loads(self.hear())
        self.api_url: str = addresses["api_url"]
        self.feed_url: str = addresses["feed_url"]

    def conduct(self, account: str, seconds: float) -> None:
        """Have the account's answers take so long from now on."""
        self._ask(do="conduct", account=account, seconds=seconds)

    def order(self, contest: Contest, awaited: tuple[str, ...], how: str = EVENT) -> Order:
        """The contest's leader places an order: what came of it when all awaited followers' copies
        were answered."""
        told = self._ask(
            do="order", leader=contest.leader, followers=awaited, seconds=_ORDER_SECONDS, how=how
        )
        return Order.of(told)

    def gap(self, contest: Contest, orders: int) -> Gap:
        """The contest's leader cannot be reached while it places so many orders, of which it
        changes and cancels some: what came of it when all followers had the right copies."""
        told = self._ask(
            do="gap", leader=contest.leader, followers=contest.followers,
            seconds=_ORDER_SECONDS, orders=orders,
        )  # fmt: skip
        return Gap.of(told)

    def fill_book(self, account: str, orders: int) -> None:
        """The account's order book has exactly so many orders, all of which ended long ago."""
        self._ask(do="book", account=account, orders=orders)

    def await_sweeps(self, account: str, count: int) -> None:
        """Wait until the account's order book was read so many times."""
        self._ask(do="sweeps", account=account, count=count)

    def trade(self) -> None:
        """Everything that is open trades."""
        self._ask(do="trade")

    def _ask(self, **command: object) -> Mapping[str, object]:
        self.say(json.dumps(command))
        answer: dict[str, object] = json.loads(self.hear())
        return answer


class ContestantChild(Child):
    """A contestant's process."""

    def __init__(self, name: str, contest: Contest) -> None:
        super().__init__(_processors()[0], "contestant", name, contest.text())
        self.name, self.contest = name, contest

    def await_ready(self) -> None:
        """Wait until it is warm and listens."""
        self.hear()


def _processors() -> tuple[frozenset[int], frozenset[int]]:
    """The processors of contestants and of the broker."""
    usable = sorted(os.sched_getaffinity(0))
    return frozenset(usable[:-1] or usable), frozenset(usable[-1:])
