"""Everything that goes wrong on a random day, at random moments.

What is counted has happened: kills at named points by the mark that the process left, faults of
the broker by its own count, locks once they were taken, sockets where one was open.
"""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress

from tests.faults.crashing import POINTS, bend
from tests.faults.disk import no_file_grows
from tests.faults.hand import LeadersHand
from tests.scenarios.house import LEADER, House

_REST = ("delay", "hang", "reset", "status", "garbage", "truncated", "empty", "throttle")
_FEED = ("drop", "double", "reorder", "delay", "binary", "garbage", "partial", "cut")
_GOOD_ENDS = (0, 3)  # asked to, or the ledger was locked or its disk full at that moment


class Mishaps:
    """What befalls the process, the broker, the wires, the disk and the clock of a house."""

    def __init__(self, chance: random.Random, house: House, hand: LeadersHand) -> None:
        self._chance, self._house, self._hand = chance, house, hand
        self._clock, self._mark = house.folder / "clock", house.folder / "crashed"
        bend(self._clock, 0)
        house.environment |= {"CLOCK_FILE": str(self._clock), "CRASH_MARK": str(self._mark)}
        self._locker: threading.Thread | None = None
        self._ends: list[int] = []
        self._struck = Counter[str]()

    def strike(self) -> None:
        """Let something go wrong."""
        self._chance.choice(_MISHAPS)(self)

    def start(self) -> None:
        """Start the process, sometimes to be ended at a named point; it may end before it
        listens."""
        house = self._house
        if self._chance.random() < 0.4:
            point, passes = self._chance.choice(POINTS), self._chance.randrange(10)
            house.environment |= {"CRASH_POINT": point, "CRASH_AFTER": str(passes)}
        house.launch()
        house.environment.pop("CRASH_POINT", None)
        with suppress(AssertionError):
            house.listens()

    def up(self) -> None:
        """Start the process again if it has ended."""
        while not self._running():
            self._note_end()
            self.start()

    def finish(self) -> None:
        """End the process for the last time."""
        self.up()
        self._house.stop()
        self._note_end()

    def over(self) -> None:
        """Let nothing be wrong any more."""
        house = self._house
        house.control.clear_faults()
        bend(self._clock, 0)
        self.join()
        for account in self._accounts():
            house.control.silence(account, on=False)
        house.write_config()

    def join(self) -> None:
        """Wait for what runs beside."""
        if self._locker is not None:
            self._locker.join()

    def struck(self) -> Counter[str]:
        """How often each thing went wrong so far."""
        faults = self._struck.copy()
        for name, times in self._house.control.struck().items():
            operation, kind, when = name.split(":")
            which = kind if operation == "feed" else f"{kind} {when} it acted"
            faults[f"{operation}: {which}"] += times
        return faults

    def unexpected_ends(self) -> list[str]:
        """How the process ended where it had no reason to."""
        return [f"the process ended with exit code {code}" for code in self._ends]

    # The process

    def _running(self) -> bool:
        process = self._house.process
        return process is not None and process.poll() is None

    def _note_end(self) -> None:
        """Learn from how the process ended."""
        process, self._house.process = self._house.process, None
        code = 0 if process is None else process.wait()
        if self._mark.exists():
            self._struck[f"kill -9 {self._mark.read_text()}"] += 1
            self._mark.unlink()
        elif code == 3:
            self._struck["start refused, ledger locked or full"] += 1
        elif code not in _GOOD_ENDS:
            self._ends.append(code)

    def _kill(self) -> None:
        self._hand.act()
        time.sleep(self._chance.uniform(0, 0.1))
        if self._running():
            self._house.kill()
            self._house.process = None
            self._struck["kill -9 at a random instant"] += 1

    def _stop(self) -> None:
        self._hand.act()
        if self._running():
            self._house.stop(timeout=15)
            self._struck["SIGTERM"] += 1

    # The broker and the wires

    def _accounts(self) -> list[str]:
        return [LEADER, *(member.client_id for member in self._house.members)]

    def _account(self) -> str:
        return self._chance.choice(self._accounts())

    def _rest_fault(self) -> None:
        kind, after = self._chance.choice(_REST), self._chance.random() < 0.5
        if kind == "throttle" and after:
            kind = "hang"  # a 429 is never said of what was done, and a hang strikes once
        operation = self._chance.choice(("place", "place", "modify", "cancel", "read"))
        account = self._chance.choice(self._accounts()[1:])
        if operation == "read":
            account = self._account()
        times, ms = self._chance.randint(1, 4), self._chance.randint(50, 1500)
        self._house.control.fault(account, operation, kind, times=times, after=after, ms=ms)

    def _storm(self) -> None:
        """The broker throttles everything of an account for a while."""
        times = self._chance.randint(10, 30)
        self._house.control.fault(self._account(), "*", "throttle", times=times)
        self._struck["429 storm"] += 1

    def _feed_fault(self) -> None:
        kind, account = self._chance.choice(_FEED), self._account()
        times, ms = self._chance.randint(1, 6), self._chance.randint(10, 800)
        self._house.control.fault(account, "feed", kind, times=times, ms=ms)

    def _cut(self) -> None:
        account, with_close = self._account(), self._chance.random() < 0.5
        if self._house.control.sockets(account):
            self._house.control.cut(account, with_close=with_close)
            self._struck[f"socket cut {'with' if with_close else 'without'} a close frame"] += 1

    def _silence(self) -> None:
        account = self._account()
        if self._house.control.sockets(account):
            self._house.control.silence(account)
            self._struck["silent death of a socket"] += 1

    def _token(self) -> None:
        """The token ends; a new one is in its file a moment later."""
        account = self._account()
        self._house.control.expire_token(account)
        time.sleep(self._chance.uniform(0, 0.5))
        self._house.control.rotate_token(account)
        self._house.write_config()
        self._struck["token expired"] += 1

    # The host

    def _lock_ledger(self) -> None:
        """Another program writes to the ledger for a while."""
        path, seconds = self._house.folder / self._house.ledger, self._chance.uniform(0.3, 1.5)

        def hold() -> None:
            other = sqlite3.connect(path, isolation_level=None, timeout=5)
            with closing(other), suppress(sqlite3.Error):
                other.execute("BEGIN IMMEDIATE")
                self._struck["ledger locked"] += 1
                time.sleep(seconds)
                other.execute("ROLLBACK")

        self.join()
        if path.exists():
            self._locker = threading.Thread(target=hold)
            self._locker.start()

    def _full_disk(self) -> None:
        """No file of the process can grow for a while, in which there is something to write."""
        process, seconds = self._house.process, self._chance.uniform(0.2, 1.0)
        if process is None or not self._running():
            return
        with suppress(ProcessLookupError), no_file_grows(process.pid):
            self._hand.act()
            time.sleep(seconds)
            self._struck["disk full"] += 1

    def _clock_jump(self) -> None:
        bend(self._clock, self._chance.choice((-200, -3, 3, 200)))
        self._struck["clock jump"] += 1


_MISHAPS: tuple[Callable[[Mishaps], None], ...] = (
    Mishaps._rest_fault,
    Mishaps._rest_fault,
    Mishaps._rest_fault,
    Mishaps._rest_fault,
    Mishaps._storm,
    Mishaps._feed_fault,
    Mishaps._feed_fault,
    Mishaps._cut,
    Mishaps._silence,
    Mishaps._kill,
    Mishaps._stop,
    Mishaps._token,
    Mishaps._lock_ledger,
    Mishaps._full_disk,
    Mishaps._clock_jump,
)
