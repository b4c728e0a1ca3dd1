"""`replay` of a life that a kill ended: only what could not be recorded is no difference."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from actors.following import Following
from actors.hands import HoldingNothing, Timing
from actors.intents import intent
from actors.post import Post
from desk.replaying import Day, follow_again
from domain.copies import Copy
from domain.inputs import Granted, Input, InstrumentsFound, Mandate, MarketFound, Rang, Restored
from domain.messages import CopyChanged, Intent, NotRecorded, OrderSeen
from domain.reports import report
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
class Record(HoldingNothing):
    """What a follower noted and was to send, in the order in which the ledger gets it."""

    entries: list[Entry] = field(default_factory=list)

    def note(self, told: Input, now: datetime) -> None:
        self.entries.append(Noted(NAME, now, told))

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        self.entries.append(intent(NAME, FOLLOWER, copy, step, timing, now, 1))

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Nothing rings."""


def life(*told: Input, since: float = 0) -> list[Entry]:
    """What a follower that takes all this, four seconds apart, has for the ledger, with what it
    tells of its copies once it has them."""
    record = Record()
    following = Following(NAME, FOLLOWER, Mandate(RULES), Post(), record)
    following.open(after(since))
    for number, one in enumerate(told):
        following.take(one, after(since + 4 * number))
    book = following.book
    shown = [shown for one in book.copies if following.ready and (shown := book.shown(one))]
    changes = [CopyChanged(report(*one, after(since)), one[1]) for one in shown]
    return [*record.entries, *changes]


def intents(entries: Sequence[Entry]) -> list[Intent]:
    return [entry for entry in entries if isinstance(entry, Intent)]


def notes(entries: Sequence[Entry]) -> list[Noted]:
    return [entry for entry in entries if isinstance(entry, Noted)]


def differences(folder: Path, entries: Sequence[Entry]) -> tuple[str, ...]:
    """What comes out differently when these entries are followed again."""
    with Ledger.open(folder / "copy_trading.db") as ledger:
        ledger.commit(entries)
    with Reader.open(folder / "copy_trading.db") as reader:
        compared = follow_again(reader, NAME, Day(NOON, after(3600)))
    assert (compared.inputs, compared.copies) == (len(notes(entries)), len(SEEN))
    return compared.differences


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
    gone = intents(life(*WAITING, Granted(10)))
    words = [NotRecorded(one, "the disk is full") for one in gone] if learnt else []
    entries = life(*WAITING, Granted(10), *words, *LATER)
    kept: list[Entry] = [Unsent(one) if one in gone else one for one in entries]
    assert not intents(kept)
    assert differences(tmp_path, kept) == ()


def test_a_life_that_ended_before_it_had_its_copies_tells_of_none(tmp_path: Path) -> None:
    """As of a start that was killed while the ledger was read."""
    whole, short = life(*WAITING, Granted(10)), life(*SEEN, since=600)
    assert len(notes(short)) == 3
    assert differences(tmp_path, [*whole, *short]) == ()
