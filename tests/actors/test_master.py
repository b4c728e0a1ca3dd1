"""Loading the instrument master in a process of its own, and asking it from many threads."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.master import Master
from actors.master_load import MasterLoad
from dhan.master import read
from domain.instruments import Instrument, InstrumentKey, Segment
from ledger.instruments import MasterFile, NoMaster
from ledger.lock import Lock
from simulator.instruments import master as master_lines
from simulator.server import Simulator
from tests.actors.masters import CALL, NOWHERE, SBIN, Source, gone, listed, needs_proc, written
from tests.dhan.broker import Asked, Broker, answer
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as served:
        yield served


def place(folder: Path, source: str) -> MasterFile:
    return MasterFile.beside(folder / "copy_trading.db", source)


def loaded(file: MasterFile) -> str:
    """Load it; what kept it from that."""
    load = MasterLoad(file)
    eventually(load.ended, 30, "it is still loading")
    return load.trouble


def held_up(file: MasterFile, source: Source, most_seconds: float = 60.0) -> MasterLoad:
    """A process that waits for the master's first byte."""
    asked = len(source.asked)
    load = MasterLoad(file, most_seconds)
    eventually(lambda: len(source.asked) > asked, 30, "nobody asks for the master")
    return load


def test_a_master_is_loaded_over_http(tmp_path: Path) -> None:
    with Simulator() as broker:
        broker.control.list_many(3000)
        file = place(tmp_path, broker.master_url)
        assert loaded(file) == ""
    edition, found = file.find([CALL, NOWHERE])
    assert edition.instruments == len(listed(more=3000))
    assert edition.fresh(datetime.now(UTC))
    call = found[CALL]
    assert call is not None
    assert (call.lot, call.freeze, found[NOWHERE]) == (65, 1756, None)


@pytest.mark.parametrize(
    ("spoil", "trouble"),
    [
        (lambda whole: answer("SECURITY_ID,LOT_SIZE\n1,1\n"), "no column EXCH_ID in it"),
        (lambda whole: answer("", "503 Service Unavailable"), "HTTPError while reading it"),
        (lambda whole: whole[:-700], "its last row is not whole"),
        (lambda whole: whole[: whole.rindex(b"\n", 0, -1) + 1], "it ended early"),
        (lambda whole: b"", "RemoteDisconnected"),
    ],
)
def test_what_is_no_master_or_half_of_one_leaves_the_one_before(
    tmp_path: Path, source: Source, spoil: Callable[[bytes], bytes], trouble: str
) -> None:
    file = place(tmp_path, source.address)
    assert loaded(file) == ""
    before = file.edition()
    source.content = spoil(source.content)
    assert trouble in loaded(file)
    assert file.edition() == before


def test_without_any_before_there_is_none(tmp_path: Path) -> None:
    file = place(tmp_path, str(tmp_path / "nowhere.csv"))
    assert loaded(file) == "FileNotFoundError while reading it"
    with pytest.raises(NoMaster, match="none was loaded yet"):
        file.edition()


def test_a_process_that_hangs_is_ended(tmp_path: Path, source: Source) -> None:
    file = place(tmp_path, source.address)
    assert loaded(file) == ""
    before = file.edition()
    source.hold()
    load = held_up(file, source, most_seconds=1.0)
    eventually(load.ended, 10)
    assert load.trouble == "it was not done after 1 s"
    assert (gone(load.pid), file.edition()) == (True, before)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_leaves_the_one_before(
    tmp_path: Path, source: Source, kind: signal.Signals
) -> None:
    file = place(tmp_path, source.address)
    assert loaded(file) == ""
    before = file.edition()
    source.hold()
    load = held_up(file, source)
    os.kill(load.pid, kind)
    eventually(load.ended, 10)
    assert load.trouble == f"the process that loads it ended ({-kind})"
    assert file.edition() == before
    source.go_on.set()
    assert loaded(file) == ""
    assert file.edition().loaded_at > before.loaded_at


def test_a_process_that_is_killed_while_it_writes_leaves_the_one_before(tmp_path: Path) -> None:
    whole = answer("".join(master_lines(listed(more=2000))))
    cut = threading.Event()

    def half(asked: Asked) -> None:
        asked.peer.send(whole[: len(whole) // 2])
        cut.wait(30)
        asked.peer.close()

    with Broker(half) as broker:
        file = place(tmp_path, f"{broker.url}/master.csv")
        before = file.write(read(written(tmp_path / "master.csv", listed()), 1.0), NOW)
        load = MasterLoad(file)
        draft = file.path.with_name(f"{file.path.name}.new")
        eventually(lambda: draft.exists() and draft.stat().st_size > 0, 30, "nothing is written")
        os.kill(load.pid, signal.SIGKILL)
        eventually(load.ended, 10)
        cut.set()
    assert load.trouble == "the process that loads it ended (-9)"
    assert (file.edition(), draft.exists()) == (before, True)
    file.write(read(str(tmp_path / "master.csv"), 1.0), NOW)
    assert not draft.exists()


def test_it_is_ended_when_nobody_wants_it_any_more(tmp_path: Path, source: Source) -> None:
    source.hold()
    load = held_up(place(tmp_path, source.address), source)
    load.stop()
    assert gone(load.pid)


def test_a_ctrl_c_is_not_for_it(tmp_path: Path, source: Source) -> None:
    source.hold()
    load = held_up(place(tmp_path, source.address), source)
    os.kill(load.pid, signal.SIGINT)
    source.go_on.set()
    eventually(load.ended, 30)
    assert load.trouble == ""


@needs_proc
def test_it_ends_with_whoever_started_it_however_that_ends(tmp_path: Path, source: Source) -> None:
    source.hold()
    file = place(tmp_path, source.address)
    program = (
        "import sys; from pathlib import Path; from actors.master_load import MasterLoad; "
        "from ledger.instruments import MasterFile; "
        "load = MasterLoad(MasterFile(Path(sys.argv[1]), sys.argv[2])); "
        "print(load.pid, flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(file.path), file.source],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    eventually(lambda: source.asked, 30)
    starter.kill()
    starter.communicate()
    eventually(lambda: gone(pid), why="it outlives whoever started it")


@needs_proc
def test_what_it_loads_stands_in_no_list_of_processes(tmp_path: Path, source: Source) -> None:
    source.hold()
    load = held_up(place(tmp_path, f"{source.address}?key=secret"), source)
    words = Path(f"/proc/{load.pid}/cmdline").read_text()
    load.stop()
    assert "master_process" in words
    assert "secret" not in words
    assert str(tmp_path) not in words


def test_two_are_never_at_it_at_once(tmp_path: Path) -> None:
    file = place(tmp_path, written(tmp_path / "master.csv", listed()))
    lock = Lock.take(file.path)
    assert loaded(file) == "another process is loading it"
    lock.release()
    assert loaded(file) == ""


# The master in this process


def test_it_says_what_it_has_what_not_and_nothing_without_an_edition(tmp_path: Path) -> None:
    file = place(tmp_path, written(tmp_path / "master.csv", listed(SBIN)))
    master = Master(file)
    assert master.renew() == "none was loaded yet"
    assert (master.find([CALL, SBIN]), master.edition) == ({}, None)
    assert loaded(file) == ""
    assert master.find([CALL]) == {}
    assert master.renew() == ""
    found = master.find([CALL, SBIN])
    call = found[CALL]
    assert call is not None
    assert (call.lot, found[SBIN], master.edition) == (65, None, file.edition())


def test_another_edition_answers_once_it_is_renewed(tmp_path: Path) -> None:
    csv = tmp_path / "master.csv"
    file = place(tmp_path, written(csv, listed(SBIN)))
    master = Master(file)
    assert loaded(file) == ""
    master.renew()
    assert master.find([SBIN]) == {SBIN: None}
    written(csv, listed(CALL))
    assert loaded(file) == ""
    assert master.find([SBIN]) == {SBIN: None}
    assert master.renew() == ""
    found = master.find([SBIN, CALL])
    assert (found[SBIN] is None, found[CALL]) == (False, None)


def test_a_file_that_vanishes_or_is_damaged_answers_nothing_new(tmp_path: Path) -> None:
    file = place(tmp_path, written(tmp_path / "master.csv", listed()))
    master = Master(file)
    assert loaded(file) == ""
    master.renew()
    known = master.find([CALL])
    file.path.write_bytes(b"damaged")
    assert master.find([CALL, SBIN]) == known
    assert "cannot be read" in master.renew()
    assert (master.find([CALL]), master.edition) == ({}, None)


def test_any_number_of_threads_may_ask_while_it_is_renewed(tmp_path: Path) -> None:
    listings = listed(more=300)
    file = place(tmp_path, written(tmp_path / "master.csv", listings))
    assert loaded(file) == ""
    master = Master(file)
    master.renew()
    keys = [InstrumentKey(Segment(one.segment), one.security_id) for one in listings]
    lots = {(one.segment, one.security_id): one.lot for one in listings}
    wrong: list[Instrument | None] = []

    def ask(offset: int) -> None:
        for key in (*keys[offset:], *keys[:offset]):
            one = master.find([key])[key]
            if one is None or one.lot != lots[key.segment, key.security_id]:
                wrong.append(one)

    threads = [threading.Thread(target=ask, args=(30 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        master.renew()
    for thread in threads:
        thread.join()
    assert wrong == []
