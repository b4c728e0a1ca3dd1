"""The InstrumentsActor: a master a day, one more look for what it lacks, and never two at once."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pykka
import pytest

from actors.clock import HostClock
from actors.floor import Begin, Floor
from actors.instruments import InstrumentsActor
from actors.ledger import Record
from actors.master import Master
from actors.post import BOARD, INSTRUMENTS, LEDGER, Post, Ref, follower_name
from actors.settings import MasterPace
from actors.timer import Timer
from dhan.master import read
from dhan.wire import Wire
from domain.inputs import InstrumentsMissed
from domain.instruments import InstrumentKey, Listing
from domain.messages import Alert, Level, MasterRenewed, Unlisted
from domain.sessions import IST
from ledger.instruments import MasterFile
from tests.actors.masters import (
    CALL,
    NOWHERE,
    SBIN,
    Source,
    children_of,
    gone,
    listed,
    needs_proc,
    written,
)
from tests.waiting import eventually

QUICK = MasterPace(look=0.05, retry=0.1, retry_most=0.2, again=60.0)
YESTERDAY = timedelta(hours=25)


class Clock(HostClock):
    """This host's, set ahead by hand, with a count of how often it was looked at."""

    ahead = timedelta(0)
    looks = 0

    def wall(self) -> datetime:
        self.looks += 1
        return super().wall() + self.ahead


class Listener(pykka.ThreadingActor):
    """Keeps what it is told."""

    use_daemon_thread = True

    def __init__(self, told: list[object]) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: object) -> None:
        self._told.append(message)


@dataclass
class Exchange:
    """The actor on a floor of its own, with listeners in the places of all others."""

    folder: Path
    source: str
    pace: MasterPace = QUICK
    told: dict[str, list[object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.actor: Ref | None = None
        self.file = MasterFile.beside(self.folder / "copy_trading.db", self.source)
        self.clock, self.post, self.timer = Clock(), Post(), Timer()
        self.master = Master(self.file)
        self.floor = Floor(self.clock, self.post, self.timer, Wire(), self.master)
        self.listeners: list[Ref] = []
        for name in (BOARD, LEDGER, follower_name("one"), follower_name("two")):
            self.told[name] = []
            ref = Listener.start(self.told[name])
            self.listeners.append(ref)
            self.post.register(name, ref)
        self.timer.start()

    def seed(self, *without: InstrumentKey, ago: timedelta = timedelta(0)) -> datetime:
        """Have an edition in place that was loaded a while ago; when."""
        path = written(self.folder / "seed.csv", listed(*without))
        return self.file.write(read(path, 1.0), datetime.now(UTC) - ago).loaded_at

    def open(self) -> "Exchange":
        self.actor = InstrumentsActor.start(self.floor, self.pace)
        self.post.register(INSTRUMENTS, self.actor)
        self.actor.tell(Begin())
        return self

    def close(self) -> None:
        if self.actor is not None:
            self.actor.stop()
        for ref in self.listeners:
            ref.stop()
        self.timer.stop()

    def alerts(self, level: Level) -> list[str]:
        """What the board was told, which the ledger keeps as well."""
        board = [one for one in self.told[BOARD] if isinstance(one, Alert)]
        kept = [one.entry for one in self.told[LEDGER] if isinstance(one, Record)]
        assert board[: len(kept)] == kept[: len(board)]
        return [one.what for one in board if one.level is level]

    def renewals(self, follower: str = "one") -> int:
        return self.told[follower_name(follower)].count(MasterRenewed())

    def verdicts(self, follower: str = "one") -> list[InstrumentsMissed]:
        told = self.told[follower_name(follower)]
        return [one for one in told if isinstance(one, InstrumentsMissed)]

    def misses(self, *keys: InstrumentKey, follower: str = "one") -> None:
        """A follower has an order in what the master does not have."""
        self.post.tell(INSTRUMENTS, Unlisted(follower, keys))

    def edition(self) -> datetime | None:
        """When the edition that answers was loaded."""
        edition = self.master.edition
        return edition.loaded_at if edition else None


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as served:
        yield served


@pytest.fixture
def exchange(tmp_path: Path, source: Source) -> Iterator[Exchange]:
    built = Exchange(tmp_path, source.address)
    yield built
    built.close()


def test_where_there_is_none_it_is_loaded_at_the_start(exchange: Exchange) -> None:
    exchange.open()
    eventually(exchange.edition, 30, "nothing is loaded")
    eventually(lambda: exchange.renewals("two") >= 2)
    assert exchange.master.find([CALL])[CALL] is not None
    assert exchange.told[BOARD] == []


def test_one_of_today_is_not_loaded_again(exchange: Exchange, source: Source) -> None:
    exchange.seed()
    exchange.open()
    eventually(lambda: exchange.clock.looks > 10)
    assert exchange.renewals() == 1
    assert source.asked == []


def test_yesterdays_serves_at_once_and_is_called_stale(exchange: Exchange, source: Source) -> None:
    before = exchange.seed(ago=YESTERDAY)
    source.hold()
    exchange.open()
    eventually(lambda: source.asked, 30)
    assert exchange.edition() == before
    assert exchange.master.find([CALL])[CALL] is not None
    (said,) = exchange.alerts(Level.NOTE)
    assert before.astimezone(IST).strftime("%Y-%m-%d %H:%M") in said
    assert "today's is being loaded" in said
    source.go_on.set()
    eventually(lambda: exchange.edition() != before, 30)
    eventually(lambda: exchange.renewals() == 2)


def test_the_next_day_the_next_one_is_loaded(exchange: Exchange) -> None:
    before = exchange.seed()
    exchange.pace = MasterPace(look=0.05, again=0.0)
    exchange.open()
    eventually(lambda: exchange.renewals() == 1)
    assert exchange.edition() == before
    exchange.clock.ahead = timedelta(days=1)
    eventually(lambda: exchange.edition() != before, 30, "nothing is loaded on the next day")


def test_trouble_is_said_once_and_so_is_its_end(tmp_path: Path) -> None:
    csv = tmp_path / "master.csv"
    exchange = Exchange(tmp_path, str(csv)).open()
    try:
        eventually(lambda: exchange.alerts(Level.WARNING), 30)
        csv.write_text("nothing of the kind")
        eventually(lambda: len(exchange.alerts(Level.WARNING)) == 2, 30)
        written(csv, listed())
        eventually(exchange.edition, 30)
        eventually(lambda: exchange.alerts(Level.NOTE))
        assert exchange.alerts(Level.WARNING) == [
            "the instrument master could not be loaded: FileNotFoundError while reading it",
            "the instrument master could not be loaded: no column EXCH_ID in it",
        ]
        assert exchange.alerts(Level.NOTE) == ["the instrument master could be loaded again"]
    finally:
        exchange.close()


def test_what_is_missed_is_looked_for_once_and_then_unknown(
    exchange: Exchange, source: Source
) -> None:
    before = exchange.seed(SBIN)
    exchange.open()
    eventually(lambda: exchange.renewals() == 1)
    exchange.misses(NOWHERE, follower="one")
    exchange.misses(NOWHERE, SBIN, follower="two")
    eventually(lambda: exchange.edition() != before, 30, "it is not loaded anew")
    eventually(lambda: exchange.renewals() == 2)
    assert exchange.master.find([SBIN])[SBIN] is not None
    for follower in ("one", "two"):
        exchange.misses(NOWHERE, follower=follower)  # as a follower does after a renewal
    eventually(lambda: exchange.verdicts("one") and exchange.verdicts("two"))
    for follower in ("one", "two"):
        assert exchange.verdicts(follower) == [InstrumentsMissed((NOWHERE,), Listing.UNKNOWN)]
    assert len(source.asked) == 1
    (said,) = eventually(lambda: exchange.alerts(Level.WARNING))
    assert "NSE_FNO 99999999 is not in the instrument master" in said


def test_a_loading_that_is_under_way_is_waited_for(exchange: Exchange, source: Source) -> None:
    exchange.seed(ago=YESTERDAY)
    source.hold()
    exchange.open()
    eventually(lambda: source.asked, 30)
    for _ in range(20):
        exchange.misses(NOWHERE)
    eventually(lambda: exchange.actor is not None and exchange.actor.actor_inbox.empty())
    assert exchange.verdicts() == []
    source.go_on.set()
    eventually(lambda: exchange.renewals() == 2, 30)
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("ago", "listing"), [(timedelta(0), Listing.UNKNOWN), (YESTERDAY, Listing.PRESUMED)]
)
def test_where_it_cannot_be_had_again_only_one_of_today_makes_unknown(
    exchange: Exchange, source: Source, ago: timedelta, listing: Listing
) -> None:
    source.content = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    exchange.seed(ago=ago)
    exchange.open()
    eventually(lambda: exchange.renewals() == 1)
    exchange.misses(NOWHERE)
    eventually(exchange.verdicts, 30, "nothing is said of it")
    assert exchange.verdicts() == [InstrumentsMissed((NOWHERE,), listing)]
    assert exchange.master.find([CALL])[CALL] is not None


def test_an_edition_that_another_process_puts_in_place_is_noticed(exchange: Exchange) -> None:
    before = exchange.seed(SBIN)
    exchange.open()
    eventually(lambda: exchange.renewals() == 1)
    assert exchange.edition() == before
    exchange.seed()
    eventually(lambda: exchange.renewals() == 2)
    assert exchange.master.find([SBIN])[SBIN] is not None


@needs_proc
def test_the_process_ends_with_the_actor(exchange: Exchange, source: Source) -> None:
    source.hold()
    exchange.open()
    eventually(lambda: source.asked, 30)
    pids = children_of(os.getpid())
    assert len(pids) == 1
    exchange.close()
    assert all(gone(pid) for pid in pids)


@needs_proc
def test_a_crash_leaves_no_process_and_the_next_incarnation_asks_again(
    exchange: Exchange, source: Source
) -> None:
    source.hold()
    exchange.open()
    eventually(lambda: source.asked, 30)
    pids = children_of(os.getpid())
    assert len(pids) == 1
    exchange.post.tell(INSTRUMENTS, object())
    eventually(lambda: all(gone(pid) for pid in pids))
    source.go_on.set()
    exchange.open()
    eventually(exchange.edition, 30)
