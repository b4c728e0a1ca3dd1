"""One seeded random trading day: the real process, five followers, a leader who never rests, and
everything going wrong at random moments. Afterwards the faults end, and the books must be right."""

import random
import resource
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.client import ControlError
from tests.faults.crashing import POINTS
from tests.faults.verdict import violations
from tests.scenarios.house import HDFCBANK, LEADER, NIFTY_CALL, RELIANCE, TCS, House, Member
from tests.waiting import eventually

MEMBERS = (
    Member("half", "1000000002", "0.5"),
    Member("same", "1000000003"),
    Member("double", "1000000004", "2"),
    Member("more", "1000000005", "1.5"),
    Member("triple", "1000000006", "3"),
)
_PRICES = {RELIANCE: 2500, HDFCBANK: 1650, TCS: 3400, NIFTY_CALL: 120}
_ACTIONS = 30
_MOST_LOTS = 4  # so that three times as many stay under the freeze quantity
_CALM_SECONDS = 90.0
_MORE = "[recovery]\nsweep_seconds = 1\nmax_age_seconds = 900\nsettle_seconds = 2"
_REST = ("delay", "hang", "reset", "status", "garbage", "truncated", "empty", "throttle")
_FEED = ("drop", "double", "reorder", "delay", "binary", "garbage", "partial", "cut")


@dataclass
class Day:
    """The day of a seed. `struck` counts the faults by name."""

    seed: int
    folder: Path
    struck: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = self.folder / "clock"
        self.clock.write_text("0")
        self.house = House(
            self.folder,
            MEMBERS,
            more=_MORE,
            program=("-m", "tests.faults.crashing"),
            environment={"CLOCK_FILE": str(self.clock)},
        )
        self._locker: threading.Thread | None = None

    def play(self) -> list[str]:
        """Play the day; what was wrong in the books at its end."""
        house = self.house
        try:
            self._start_armed()
            for _ in range(_ACTIONS):
                self.chance.choice(_LEADER_ACTS)(self)
                if self.chance.random() < 0.35:
                    name, act = self.chance.choice(_FAULTS)
                    act(self)
                    self.struck[name] += 1
                time.sleep(self.chance.uniform(0.0, 0.12))
                self._up()
            self._calm()
            wrong = self._judged()
            for key, price in _PRICES.items():
                for move in (0.9, 1.1, 1.0):
                    house.price(key, round(price * move))
            return wrong or self._judged()
        finally:
            if self._locker is not None:
                self._locker.join()
            house.close()

    # The process

    def _start_armed(self) -> None:
        """Start the process, sometimes to be ended at a named point."""
        if self.chance.random() < 0.5:
            point = self.chance.choice(POINTS)
            passes = str(self.chance.randrange(12))
            self.house.environment |= {"CRASH_POINT": point, "CRASH_AFTER": passes}
            self.struck[f"killed {point}"] += 1
        self._start()

    def _start(self) -> None:
        try:
            self.house.start()
        except AssertionError:
            process = self.house.process
            if process is None or process.poll() is None:
                raise
        finally:
            self.house.environment.pop("CRASH_POINT", None)

    def _up(self) -> None:
        """Start the process again if it has ended."""
        process = self.house.process
        if process is None or process.poll() is not None:
            self._start()

    def _calm(self) -> None:
        """End all faults."""
        control = self.house.control
        control.clear_faults()
        self.clock.write_text("0")
        if self._locker is not None:
            self._locker.join()
        for account in (LEADER, *(member.client_id for member in MEMBERS)):
            control.silence(account, on=False)
        self.house.write_config()
        eventually(self._settled_leader, 10)

    def _settled_leader(self) -> bool:
        self._up()
        rows = self.house.control.book(LEADER)
        return all(row["orderStatus"] != "TRANSIT" for row in rows)

    def _judged(self) -> list[str]:
        """What stays wrong in the books."""
        deadline = time.monotonic() + _CALM_SECONDS
        while (wrong := violations(self.house)) and time.monotonic() < deadline:
            self._up()
            time.sleep(0.1)
        return wrong

    # The leader

    def _place(self) -> None:
        key = self.chance.choice(list(_PRICES))
        price = round(_PRICES[key] * self.chance.uniform(0.97, 1.03))
        side = self.chance.choice(("BUY", "SELL"))
        lot = 130 if key == NIFTY_CALL else 10
        more: dict[str, Any] = {"product": "MARGIN" if key == NIFTY_CALL else "INTRADAY"}
        kind = self.chance.choice(("LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP_LOSS", "IOC"))
        if kind == "IOC":
            more |= {"validity": "IOC", "price": price}
        elif kind == "STOP_LOSS":
            away = 1.05 if side == "BUY" else 0.95
            trigger = round(_PRICES[key] * away)
            beyond = 1 if side == "BUY" else -1
            more |= {"order_type": kind, "trigger": trigger, "price": trigger + beyond}
        else:
            more |= {"order_type": kind, "price": price if kind == "LIMIT" else 0}
        self.house.places(key, side, lot * self.chance.randint(1, 4), **more)

    def _open_orders(self) -> list[dict[str, Any]]:
        rows = self.house.control.book(LEADER)
        return [row for row in rows if row["orderStatus"] in ("PENDING", "PART_TRADED")]

    def _change(self) -> None:
        for row in self._chosen():
            changes: dict[str, Any] = {}
            if row["orderType"] == "LIMIT":
                changes["price"] = round(row["price"] * self.chance.uniform(0.98, 1.02))
            lot = 130 if str(row["securityId"]) == NIFTY_CALL[1] else 10
            if self.chance.random() < 0.4 or not changes:
                more = row["filledQty"] // lot * lot + lot * self.chance.randint(1, 5)
                changes["quantity"] = min(more, lot * _MOST_LOTS)
            self._try(lambda: self.house.changes(row["orderId"], **changes))  # noqa: B023

    def _cancel(self) -> None:
        for row in self._chosen():
            self._try(lambda: self.house.control.cancel(LEADER, row["orderId"]))  # noqa: B023

    def _chosen(self) -> list[dict[str, Any]]:
        rows = self._open_orders()
        return [self.chance.choice(rows)] if rows else []

    def _market(self) -> None:
        key = self.chance.choice(list(_PRICES))
        price = round(_PRICES[key] * self.chance.uniform(0.98, 1.02))
        part = self.chance.choice((None, None, 0.5))
        self.house.price(key, price, part=part)

    def _burst(self) -> None:
        for _ in range(4):
            self._place()

    @staticmethod
    def _try(act: Callable[[], None]) -> None:
        """Do what the broker may refuse by now."""
        try:
            act()
        except ControlError:
            return

    # What goes wrong

    def _account(self) -> str:
        return self.chance.choice([LEADER, *(member.client_id for member in MEMBERS)])

    def _follower(self) -> str:
        return self.chance.choice(MEMBERS).client_id

    def _rest_fault(self) -> None:
        kind = self.chance.choice(_REST)
        operation = self.chance.choice(("place", "place", "modify", "cancel", "read"))
        after = self.chance.random() < 0.5
        times = self.chance.randint(1, 4)
        account = self._follower() if operation != "read" else self._account()
        self.house.control.fault(
            account, operation, kind, times=times, after=after, ms=self.chance.randint(50, 1500)
        )
        self.struck[f"{operation} {kind} {'after' if after else 'before'}"] += 1

    def _feed_fault(self) -> None:
        kind = self.chance.choice(_FEED)
        times = self.chance.randint(1, 6)
        self.house.control.fault(
            self._account(), "feed", kind, times=times, ms=self.chance.randint(10, 800)
        )
        self.struck[f"feed {kind}"] += 1

    def _cut(self) -> None:
        self.house.control.cut(self._account(), with_close=self.chance.random() < 0.5)

    def _silence(self) -> None:
        self.house.control.silence(self._account())

    def _kill(self) -> None:
        process = self.house.process
        if process is not None and process.poll() is None:
            self.house.kill()

    def _stop(self) -> None:
        process = self.house.process
        if process is not None and process.poll() is None:
            self.house.stop(timeout=15)

    def _token(self) -> None:
        """The token ends; a new one is in its file a moment later."""
        account = self._account()
        self.house.control.rotate_token(account)
        time.sleep(self.chance.uniform(0, 0.3))
        self.house.write_config()

    def _lock_ledger(self) -> None:
        """Another program writes to the ledger for a while."""
        path, seconds = self.folder / "copy_trading.db", self.chance.uniform(0.3, 1.5)

        def hold() -> None:
            other = sqlite3.connect(path, isolation_level=None, timeout=5)
            try:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                other.execute("ROLLBACK")
            except sqlite3.Error:
                return
            finally:
                other.close()

        if self._locker is not None:
            self._locker.join()
        if path.exists():
            self._locker = threading.Thread(target=hold)
            self._locker.start()

    def _full_disk(self) -> None:
        """No file of the process can grow for a while."""
        process = self.house.process
        if process is None or process.poll() is not None:
            return
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        try:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, hard))
            time.sleep(self.chance.uniform(0.2, 1.0))
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        except ProcessLookupError:
            return

    def _clock_jump(self) -> None:
        self.clock.write_text(str(self.chance.choice((-200, -3, 3, 200))))


_Act = Callable[[Day], None]
_LEADER_ACTS: tuple[_Act, ...] = (
    Day._place,
    Day._place,
    Day._place,
    Day._change,
    Day._change,
    Day._cancel,
    Day._market,
    Day._market,
    Day._burst,
)
_FAULTS: tuple[tuple[str, _Act], ...] = (
    ("rest", Day._rest_fault),
    ("rest", Day._rest_fault),
    ("rest", Day._rest_fault),
    ("feed", Day._feed_fault),
    ("feed", Day._feed_fault),
    ("socket cut", Day._cut),
    ("silent death", Day._silence),
    ("kill -9", Day._kill),
    ("SIGTERM", Day._stop),
    ("token replaced", Day._token),
    ("ledger locked", Day._lock_ledger),
    ("disk full", Day._full_disk),
    ("clock jump", Day._clock_jump),
)
