"""The operator's word is left beside the ledger, taken in once, and never lost or taken twice."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from domain.copies import CopyState
from domain.instructions import Settled, Verdict
from ledger.instructions import Impossible, instruct, take_over, waiting
from ledger.ledger import Ledger, LedgerFailure
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.makers import NOW, changed
from tests.ledger.words import BY_HAND, left, parked, said, take

# On its way


def test_it_is_left_beside_an_engine_and_taken_in_once(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    assert waiting(ledger) == []
    told = said(path, Verdict.PLACED, "9009")
    assert (told.leader_order_id, told.follower, told.attempt) == ("1001", "asha", 0)
    assert waiting(ledger) == [], "nobody but the engine writes the ledger"
    take_over(ledger)
    take_over(ledger)
    assert waiting(ledger) == [told]
    assert left(path) == []


def test_it_is_left_for_the_next_start(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    ledger.close()
    told = said(path)
    with Ledger.open(path) as again:
        take_over(again)
        assert waiting(again) == [told]


def test_it_is_for_its_owner_only(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    said(path)
    (file,) = left(path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_process_that_dies_before_it_removes_the_file_does_not_take_it_twice(
    ledger: Ledger, path: Path
) -> None:
    copy = parked(ledger)
    told = said(path)
    (file,) = left(path)
    kept = file.read_text()
    take_over(ledger)
    file.write_text(kept)
    take_over(ledger)
    assert waiting(ledger) == [told]
    take(ledger, copy, told)
    file.write_text(kept)
    take_over(ledger)
    assert waiting(ledger) == []


def test_one_that_cannot_be_kept_now_is_not_lost(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    told = said(path)
    ledger.connection.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerFailure):
        take_over(ledger)
    ledger.connection.execute("PRAGMA query_only = 0")
    assert len(left(path)) == 1
    take_over(ledger)
    assert waiting(ledger) == [told]


@pytest.mark.parametrize("junk", ["", "{}", "[]", '{"key": 1}', "\x00", '{"attempt": "none"}'])
def test_what_is_no_instruction_is_set_aside_and_does_not_hold_up_the_next(
    ledger: Ledger, path: Path, junk: str
) -> None:
    parked(ledger)
    told = said(path)
    (file,) = left(path)
    file.with_name("0.json").write_text(junk)
    take_over(ledger)
    assert waiting(ledger) == [told]
    assert [one.name for one in left(path)] == ["0.unreadable"]


def test_one_that_is_not_whole_is_not_looked_at(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    said(path)
    (file,) = left(path)
    half = file.rename(file.with_suffix(""))
    take_over(ledger)
    assert waiting(ledger) == []
    assert left(path) == [half]


# Which one counts


def test_the_newest_that_waits_counts_and_closes_the_others(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    first = said(path, Verdict.PLACED, "9008")
    take_over(ledger)
    second = said(path, Verdict.PLACED, "9009", NOW + timedelta(seconds=1))
    take_over(ledger)
    assert waiting(ledger) == [second]
    take(ledger, copy, second, BY_HAND)
    assert waiting(ledger) == []
    with Reader.open(path) as reader:
        replaced, taken = reader.instruction(first.key), reader.instruction(second.key)
    assert replaced is not None
    assert taken is not None
    assert (replaced.taken, replaced.outcome) == (False, "replaced by a later one")
    assert (taken.taken, taken.outcome, taken.at) == (True, "taken", NOW)


def test_each_copy_has_one_of_its_own(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    parked(ledger, "bala")
    mine, other = said(path), instruct(path, "1001", "bala", Verdict.ABSENT, "", NOW)
    take_over(ledger)
    assert {one.key for one in waiting(ledger)} == {mine.key, other.key}
    ledger.commit([Settled(mine, False, "refused: no", NOW)])
    assert waiting(ledger) == [other]


def test_an_outcome_is_told_once_and_stays(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    told = said(path)
    with Reader.open(path) as reader:
        assert reader.instruction(told.key) is None, "it is not taken in"
        take_over(ledger)
        assert reader.instruction(told.key) is None, "it waits"
        ledger.commit([Settled(told, False, "refused: no", NOW)])
        ledger.commit([Settled(told, True, "taken", NOW + timedelta(seconds=1))])
        closed = reader.instruction(told.key)
    assert closed is not None
    assert (closed.at, closed.taken, closed.outcome) == (NOW, False, "refused: no")


# What is impossible


@pytest.mark.parametrize(
    ("order_id", "follower", "said"),
    [
        ("1001", "bala", "bala has no copy of order 1001"),
        ("1002", "asha", "asha has no copy of order 1002"),
    ],
)
def test_a_copy_that_is_not_there_cannot_be_settled(
    ledger: Ledger, path: Path, order_id: str, follower: str, said: str
) -> None:
    parked(ledger)
    with pytest.raises(Impossible, match=said):
        instruct(path, order_id, follower, Verdict.ABSENT, "", NOW)
    assert left(path) == []


@pytest.mark.parametrize("state", [one for one in CopyState if one is not CopyState.PARKED])
def test_a_copy_that_is_not_parked_cannot_be_settled(
    ledger: Ledger, path: Path, state: CopyState
) -> None:
    ledger.commit([changed(state=state)])
    with pytest.raises(Impossible, match=f"the copy of order 1001 is {state}"):
        said(path)
    assert left(path) == []


def test_no_ledger_has_no_copies_to_settle(path: Path) -> None:
    with pytest.raises(LedgerUnusable, match="there is no such ledger"):
        said(path)
    path.touch()
    with pytest.raises(LedgerUnusable, match="nothing was written"):
        said(path)
    assert left(path) == []


def test_a_place_that_cannot_be_written_is_named(ledger: Ledger, path: Path) -> None:
    parked(ledger)
    path.with_name(f"{path.name}.instructions").write_text("in the way")
    with pytest.raises(LedgerUnusable, match=r"copy_trading\.db\.instructions"):
        said(path)
