"""`replay` of a life that a kill ended: only what could not be recorded is no difference."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from actors.following import Following
from actors.intents import intent
from actors.post import Post
from desk.replaying import Day, follow_again
from domain.copies import Copy
from domain.inputs import Granted, Input, InstrumentsFound, Mandate, MarketFound, Rang, Restored
from domain.messages import Intent, NotRecorded, OrderSeen
from domain.schedules import Schedule
from domain.steps import Request
from ledger.entries import Entry, Noted, Unsent
from ledger.ledger import Ledger
from ledger.reader import Reader
from tests.domain.builders import CONTRACT, FOLLOWER, NOON, RULES, after, leader_order

NAME = RULES.follower
SEEN = [OrderSeen(leader_order(order_id=f"10226112500000{n}"), NOON, 1) for n in (1, 2)]
WAITING: tuple[Input, ...] = (
    Restored(()),
    MarketFound(Schedule.NSE_FNO, takes=True),
    InstrumentsFound((CONTRACT,)),
    *SEEN,
)
LATER = (Rang("another"), Rang("another"))


@dataclass
class Record:
    """What a follower noted and was to send, in the order in which the ledger gets it."""

    entries: list[Entry] = field(default_factory=list)

    def note(self, told: Input, now: datetime) -> None:
        self.entries.append(Noted(NAME, now, told))

    def send(
        self, copy: Copy, step: Request, heard_ns: int | None, now: datetime, waited: timedelta
    ) -> None:
        self.entries.append(intent(NAME, FOLLOWER, copy, step, heard_ns, now, 1, waited))

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Nothing rings."""


def life(*told: Input) -> list[Entry]:
    """What a follower that takes all this, four seconds apart, has for the ledger."""
    record = Record()
    following = Following(NAME, FOLLOWER, Mandate(RULES), Post(), record)
    following.open(NOON)
    for number, one in enumerate(told):
        following.take(one, after(4 * number))
    return record.entries


def intents(entries: Sequence[Entry]) -> list[Intent]:
    return [entry for entry in entries if isinstance(entry, Intent)]


def differences(folder: Path, entries: Sequence[Entry]) -> tuple[str, ...]:
    with Ledger.open(folder / "copy_trading.db") as ledger:
        ledger.commit(entries)
    with Reader.open(folder / "copy_trading.db") as reader:
        compared = follow_again(reader, NAME, Day(NOON, after(3600)))
    requests = [one for one in compared.differences if "asked for" in one]
    assert compared.inputs
    return tuple(requests)


@pytest.mark.parametrize("kept", [2, 1, 0])
def test_what_the_last_input_led_to_may_be_cut_off(tmp_path: Path, kept: int) -> None:
    entries = life(*WAITING, Granted(10))
    assert len(intents(entries)) == 2
    gone = intents(entries)[kept:]
    assert differences(tmp_path, [one for one in entries if one not in gone]) == ()


def test_what_an_earlier_input_led_to_was_recorded_before(tmp_path: Path) -> None:
    entries = life(*WAITING, Granted(10), *LATER)
    gone = intents(entries)[1]
    (difference,) = differences(tmp_path, [one for one in entries if one != gone])
    assert gone.correlation_id in difference
    assert "is asked for now, and was not" in difference


@pytest.mark.parametrize("learnt", [False, True])
def test_what_the_ledger_could_not_keep_was_not_asked_for(tmp_path: Path, learnt: bool) -> None:
    entries = life(*WAITING, Granted(10), *LATER)
    gone = intents(entries)
    kept: list[Entry] = [Unsent(one) if one in gone else one for one in entries]
    if learnt:
        words = [NotRecorded(one, "the disk is full") for one in gone]
        kept += [Noted(NAME, after(100), one) for one in words]
    assert differences(tmp_path, kept) == ()
