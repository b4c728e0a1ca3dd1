"""One seeded random trading day: the real process, five followers, a leader who never rests, and
everything going wrong at random moments. Twice the faults end, after the day and after the leader
has left its positions, and the books must be right then.

A seed says what happens, in which order; when within a request it happens is up to the host.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.again import differences
from tests.faults.hand import PRICES, LeadersHand
from tests.faults.mishaps import Mishaps
from tests.faults.verdict import INVERSE, books, violations
from tests.faults.witness import (
    alerts,
    placed_blindly,
    recalled,
    sent,
    sent_all_the_same,
    unrecorded,
)
from tests.scenarios.house import LEADER, House, Member
from tests.waiting import eventually

MEMBERS = (
    Member("half", "1000000002", "0.5"),
    Member("same", "1000000003"),
    Member("double", "1000000004", "2", more=("limits = { orders = { second = 4 } }",)),
    Member("more", "1000000005", "1.5", more=(INVERSE,)),
    Member("triple", "1000000006", "3"),
)
_ACTIONS = 16
_CALM_SECONDS = 90.0
_LOOK_SECONDS = 0.4
_START_SECONDS = 60.0
_MORE = "[recovery]\nsweep_seconds = 1\nmax_age_seconds = 900\nsettle_seconds = 2"


@dataclass
class Day:
    """The day of a seed. `struck` counts the faults that happened, `done` what else did."""

    seed: int
    folder: Path
    struck: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.house = House(self.folder, MEMBERS, more=_MORE, patience=_START_SECONDS)
        self.hand = LeadersHand(self.chance, self.house)
        self.mishaps = Mishaps(self.chance, self.house, self.hand)

    def play(self) -> list[str]:
        """Play the day; what was wrong in the books."""
        try:
            return self._by_day() or self._on_the_way_home() or self._looking_back()
        finally:
            self._count()
            self.mishaps.join()
            self.house.close()

    def _by_day(self) -> list[str]:
        self.mishaps.start()
        eventually(self._has_master, timeout=_START_SECONDS)
        self._act_amid_mishaps(_ACTIONS)
        if wrong := self._judged():
            return wrong
        self._move_prices()
        self.hand.cancel_all()
        return self._judged()

    def _on_the_way_home(self) -> list[str]:
        """The leader ends flat, and so must who follows; what rests away from the market, as the
        protected copy of a fill of long ago may, has it come by."""
        self._act_amid_mishaps(self.hand.turn_home())
        return self._judged(meanwhile=self._move_prices)

    def _move_prices(self) -> None:
        for key, price in PRICES.items():
            for move in (0.9, 1.1, 1.0):
                self.house.price(key, round(price * move))

    def _has_master(self) -> bool:
        """Whether freeze quantities are known: until then, the first time ever, a copy above one
        is not sliced."""
        self.mishaps.up()
        return self.house.has_master()

    def _act_amid_mishaps(self, times: int) -> None:
        for _ in range(times):
            self.hand.act()
            if self.chance.random() < 0.35:
                self.mishaps.strike()
            time.sleep(self.chance.uniform(0.0, 0.12))
            self.mishaps.up()

    def _judged(self, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
        """What stays wrong in the books once nothing else goes wrong."""
        self.mishaps.over()
        eventually(self._settled_leader)
        deadline = time.monotonic() + _CALM_SECONDS
        while wrong := violations(books(self.house), self.hand.exits):
            if time.monotonic() > deadline:
                break
            self.mishaps.up()
            meanwhile()
            time.sleep(_LOOK_SECONDS)
        return wrong

    def _settled_leader(self) -> bool:
        self.mishaps.up()
        rows = self.house.control.book(LEADER)
        return all(row["orderStatus"] != "TRANSIT" for row in rows)

    def _looking_back(self) -> list[str]:
        """What the books do not show: requests that were not recorded, decisions that come out
        differently when the record is followed again, crashes, strange ends."""
        self.mishaps.finish()
        wrong = unrecorded(self.house) + placed_blindly(self.house) + differences(self.house)
        wrong += sent_all_the_same(self.house)
        wrong += self.mishaps.unexpected_ends()
        crashed = [line for line in self.house.output().splitlines() if " crashed (" in line]
        return wrong + [line for line in crashed if "LedgerUnusable" not in line]

    def _count(self) -> None:
        house, control = self.house, self.house.control
        self.struck += self.mishaps.struck()
        told = alerts(house.folder / house.ledger)
        self.struck["ledger could not be written"] += sum(
            "cannot be written" in one for one in told
        )
        self.done += self.hand.did
        self.done["copies"] += sum(len(control.book(one.client_id)) for one in MEMBERS)
        self.done["requests"] += sent(house).total()
        self.done["requests called back"] += len(recalled(house.folder / house.ledger))
        self.done["slices"] += sum(_later_slice(name) for _, _, name in sent(house))
        self.done["starts of the process"] += house.output().count("LIVE: ")


def _later_slice(name: str) -> bool:
    """Whether a request placed another slice than the first of its copy."""
    parts = name.split("-")
    return len(parts) == 3 and parts[1] != "0"
