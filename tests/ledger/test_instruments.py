"""The master's file: whole editions only, one after the other, found by key."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.instruments import Instrument, InstrumentKey, OptionType, Segment
from domain.sessions import IST
from ledger.instruments import Edition, MasterFile, NoMaster
from ledger.lock import Held, Lock

NOON = IST.localize(datetime(2026, 11, 25, 12, 0))
SOURCE = "https://example.test/master.csv"
CALL = Instrument(
    key=InstrumentKey(Segment.NSE_FNO, "35070"),
    lot=65,
    tick=5,
    symbol="NIFTY-Nov2026-18950-CE",
    underlying="NIFTY",
    kind="OPTIDX",
    freeze=1756,
    upper=450_040,
    lower=336_930,
    expiry=date(2026, 11, 23),
    strike=1_895_000,
    option_type=OptionType.CALL,
)
SHARE = Instrument(InstrumentKey(Segment.NSE_EQ, "35070"), 1, 5, "RELIANCE LTD", "RELIANCE")
NOWHERE = InstrumentKey(Segment.BSE_EQ, "35070")


@pytest.fixture
def master(tmp_path: Path) -> MasterFile:
    return MasterFile.beside(tmp_path / "copy_trading.db", SOURCE)


def many(count: int) -> Iterator[Instrument]:
    for number in range(count):
        yield replace(SHARE, key=InstrumentKey(Segment.NSE_EQ, str(number)))


def left(master: MasterFile) -> list[str]:
    """What stands beside the ledger."""
    return sorted(path.name for path in master.path.parent.iterdir())


def test_an_instrument_comes_back_by_segment_and_id(master: MasterFile) -> None:
    written = master.write([CALL, None, SHARE], NOON)
    assert written == Edition(SOURCE, NOON, instruments=2, left_out=1)
    edition, found = master.find([CALL.key, SHARE.key, NOWHERE])
    assert edition == master.edition() == written
    assert found == {CALL.key: CALL, SHARE.key: SHARE, NOWHERE: None}


def test_a_share_has_derivatives_where_a_future_is_of_it(master: MasterFile) -> None:
    future = replace(CALL, key=InstrumentKey(Segment.NSE_FNO, "1"), underlying="RELIANCE")
    future = replace(future, kind="FUTSTK", strike=None, option_type=None)
    both = [replace(SHARE, key=InstrumentKey(one, "2")) for one in (Segment.NSE_EQ, Segment.BSE_EQ)]
    nameless = replace(SHARE, key=InstrumentKey(Segment.NSE_EQ, "4"), underlying="")
    tiny = [replace(one, key=replace(one.key, security_id="3"), underlying="TINY") for one in both]
    master.write([*both, *tiny, nameless, CALL, future], NOON)
    _, found = master.find([one.key for one in (*both, *tiny, nameless, CALL)])
    told = {one: known.derivatives for one, known in found.items() if known is not None}
    assert told == {
        **{one.key: True for one in both},
        **{one.key: False for one in tiny},
        nameless.key: True,
        CALL.key: True,
    }


def test_where_no_share_has_a_future_nobody_knows_and_all_count_as_having_some(
    master: MasterFile,
) -> None:
    index = replace(CALL, kind="FUTIDX", strike=None, option_type=None)
    stock = replace(index, kind="FUTSTK", underlying="OTHER")
    for future in (index, stock):
        master.write([SHARE, future], NOON)
        found = master.find([SHARE.key])[1][SHARE.key]
        assert found is not None
        assert found.derivatives


def test_the_last_of_several_rows_with_one_key_counts(master: MasterFile) -> None:
    newer = replace(CALL, lot=75)
    assert master.write([CALL, newer], NOON).instruments == 1
    assert master.find([CALL.key])[1] == {CALL.key: newer}


def test_nobody_else_may_read_it_and_nothing_else_is_left(master: MasterFile) -> None:
    before = os.umask(0)
    try:
        master.write([CALL], NOON)
    finally:
        os.umask(before)
    assert stat.S_IMODE(master.path.stat().st_mode) == 0o600
    name = master.path.name
    assert left(master) == [name, f"{name}.lock"]
    assert name == "copy_trading.db.instruments"


@pytest.mark.parametrize(
    ("word", "count"),
    [("35070", 2), ("reliance", 1), ("NIFTY", 1), ("nov2026", 1), ("18950-ce", 1), ("SBIN", 0)],
)
def test_it_is_searched_by_id_underlying_and_symbol(
    master: MasterFile, word: str, count: int
) -> None:
    master.write([CALL, SHARE], NOON)
    assert len(master.search(word, 10)) == count
    assert len(master.search(word, 1)) == min(count, 1)


def _broken() -> Iterator[Instrument]:
    yield replace(CALL, lot=75)
    raise OSError("the line is cut")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no instrument in it"),
        ([None], "no instrument in it"),
        ([CALL, None, None], "2 of its rows cannot be read, only 1 can"),
        (list(many(49)), "only 49 instruments, the one before 100"),
    ],
)
def test_what_can_hardly_be_a_whole_master_is_refused(
    master: MasterFile, rows: list[Instrument | None], why: str
) -> None:
    before = master.write(many(100), NOON)
    with pytest.raises(NoMaster, match=why):
        master.write(rows, NOON)
    assert master.edition() == before
    assert f"{master.path.name}.new" not in left(master)


def test_a_smaller_master_is_taken_once_the_one_before_is_gone(master: MasterFile) -> None:
    master.write(many(100), NOON)
    assert master.write(many(50), NOON).instruments == 50
    master.path.unlink()
    assert master.write(many(2), NOON).instruments == 2


def test_a_writer_that_breaks_off_leaves_the_edition_before(master: MasterFile) -> None:
    before = master.write([CALL], NOON)
    with pytest.raises(OSError, match="cut"):
        master.write(_broken(), NOON)
    assert master.find([CALL.key]) == (before, {CALL.key: CALL})
    assert f"{master.path.name}.new" not in left(master)


def test_what_a_killed_writer_left_is_in_nobodys_way(master: MasterFile) -> None:
    master.path.with_name(f"{master.path.name}.new").write_bytes(b"half of a master")
    master.write([CALL], NOON)
    assert master.edition().instruments == 1


def test_only_one_process_writes_at_a_time(master: MasterFile) -> None:
    lock = Lock.take(master.path)
    with pytest.raises(Held):
        master.write([CALL], NOON)
    lock.release()
    master.write([CALL], NOON)


def test_a_reader_goes_on_with_its_edition_while_the_next_is_put_in_place(
    master: MasterFile,
) -> None:
    master.write([CALL], NOON)
    with closing(sqlite3.connect(master.path)) as reader:
        rows = reader.execute("SELECT lot FROM instruments")
        master.write([replace(CALL, lot=75)], NOON)
        assert rows.fetchall() == [(65,)]
    assert master.find([CALL.key])[1] == {CALL.key: replace(CALL, lot=75)}


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE something (a)")


def _half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _senseless(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE instruments SET segment = 'MOON', lot = 0")
        other.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize("spoil", [_garbage, _empty, _foreign, _half, Path.unlink])
def test_a_file_that_is_none_is_said_to_be_none(
    master: MasterFile, spoil: Callable[[Path], None]
) -> None:
    master.write(many(3000), NOON)
    spoil(master.path)
    with pytest.raises(NoMaster):
        master.find([InstrumentKey(Segment.NSE_EQ, str(n)) for n in range(3000)])
    assert master.write([CALL], NOON).instruments == 1


def test_a_row_that_makes_no_sense_is_no_answer(master: MasterFile) -> None:
    master.write([CALL], NOON)
    _senseless(master.path)
    with pytest.raises(NoMaster):
        master.search("NIFTY", 1)


def test_a_master_of_another_source_is_none(master: MasterFile) -> None:
    master.write([CALL], NOON)
    other = MasterFile(master.path, "/somewhere/else.csv")
    with pytest.raises(NoMaster, match="another source"):
        other.edition()
    assert other.write([SHARE], NOON).source == "/somewhere/else.csv"


@pytest.mark.parametrize(
    ("loaded", "now", "fresh"),
    [
        ("2026-11-25T08:30:00", "2026-11-25T08:30:00", True),
        ("2026-11-25T08:29:59", "2026-11-25T08:30:00", False),
        ("2026-11-25T08:29:59", "2026-11-25T08:29:59", True),
        ("2026-11-24T08:30:00", "2026-11-25T08:29:59", True),
        ("2026-11-24T23:00:00", "2026-11-25T09:15:00", False),
        ("2026-11-24T08:00:00", "2026-11-25T00:10:00", False),
    ],
)
def test_a_master_is_fresh_until_the_next_is_published(loaded: str, now: str, fresh: bool) -> None:
    at, then = (IST.localize(datetime.fromisoformat(text)) for text in (loaded, now))
    edition = Edition(SOURCE, at, 1, 0)
    assert edition.fresh(then) is fresh
    assert edition.fresh(then.astimezone(UTC)) is fresh
    assert replace(edition, loaded_at=then + timedelta(days=1)).fresh(then)
