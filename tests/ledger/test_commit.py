"""A batch is kept whole and for good, or not at all, whatever the disk does."""

import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from domain.messages import Alert, Level
from domain.outcomes import Accepted, Refusal, Refused
from ledger.entries import Entry, OrderKnown, Setting
from ledger.ledger import Ledger, LedgerFailure
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.conftest import Other
from tests.ledger.makers import LONG_AGO, answered, cancel, changed, intent, modify, order
from tests.ledger.writer import batch


def _count(ledger: Ledger, table: str) -> int:
    return int(ledger.rows(f"SELECT count(*) FROM {table}")[0][0])


def _all_counts(ledger: Ledger) -> dict[str, int]:
    tables = ("intents", "answers", "order_states", "fills", "copies", "alerts", "settings")
    return {table: _count(ledger, table) for table in tables}


def test_every_kind_of_entry_goes_in_one_batch(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit(
        [
            asked,
            answered(asked),
            OrderKnown("follower", order(filled=3, value=300)),
            changed(),
            Alert(Level.ERROR, "it burns", "asha", "water"),
            Setting("watermark", "1"),
        ]
    )
    assert set(_all_counts(ledger).values()) == {1}


def test_an_empty_batch_touches_nothing(ledger: Ledger) -> None:
    before = ledger.connection.total_changes
    ledger.commit([])
    assert ledger.connection.total_changes == before


def test_one_bad_entry_keeps_the_whole_batch_out(ledger: Ledger) -> None:
    good: list[Entry] = [
        intent(follower="asha"),
        OrderKnown("leader", order(filled=1, value=100)),
        changed(),
    ]
    naive = intent(follower="bala", at=datetime(2026, 11, 25))
    with pytest.raises(LedgerFailure) as failure:
        ledger.commit([*good, naive])
    assert not failure.value.passing
    assert set(_all_counts(ledger).values()) == {0}
    ledger.commit(good)
    assert [row["id"] for row in ledger.rows("SELECT id FROM intents")] == [1]
    assert _count(ledger, "fills") == 1


def test_a_second_placement_by_the_same_name_is_impossible(ledger: Ledger) -> None:
    ledger.commit([intent()])
    with pytest.raises(LedgerFailure, match="UNIQUE") as failure:
        ledger.commit([intent(follower="bala"), intent(planned_ns=2_000)])
    assert not failure.value.passing
    with pytest.raises(LedgerFailure, match="UNIQUE"):
        ledger.commit([intent(number=1), intent(number=1, planned_ns=9_000)])
    ledger.commit([intent(follower="bala"), intent(number=1), intent(leader_order_id="1002")])
    assert _count(ledger, "intents") == 4


def test_changes_of_one_order_may_repeat(ledger: Ledger) -> None:
    ledger.commit([intent()])
    ledger.commit([intent(modify(), planned_ns=2_000), intent(modify(), planned_ns=3_000)])
    ledger.commit([intent(cancel(), planned_ns=4_000), intent(cancel(), planned_ns=5_000)])
    assert _count(ledger, "intents") == 5


def test_an_answer_belongs_to_its_own_intent(ledger: Ledger) -> None:
    first, second = intent(modify(), planned_ns=2_000), intent(modify(), planned_ns=3_000)
    ledger.commit([intent(), first, second])
    no = Refusal(Refused.PRICE, "out of the circuit", "DH-905", 400)
    ledger.commit([answered(second, no), answered(first, Accepted("9001", "PENDING"))])
    rows = ledger.rows("SELECT * FROM answers ORDER BY intent_id")
    assert [(row["intent_id"], row["outcome"], row["after"]) for row in rows] == [
        (2, "accepted", 3),
        (3, "refused", 3),
    ]


def test_an_answer_finds_its_intent_after_a_restart(path: Path) -> None:
    asked = intent()
    with Ledger.open(path) as ledger:
        ledger.commit([intent(follower="bala"), asked])
    with Ledger.open(path) as ledger:
        ledger.commit([answered(asked)])
        assert [row["intent_id"] for row in ledger.rows("SELECT * FROM answers")] == [2]


def test_an_answer_without_an_intent_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerFailure, match="not recorded") as failure:
        ledger.commit([answered(intent())])
    assert not failure.value.passing


def test_a_second_answer_is_refused_and_the_first_stays(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked, answered(asked)])
    second = answered(asked, Accepted("9999", ""))
    batches: tuple[list[Entry], ...] = ([second], [intent(number=1), second])
    for again in batches:
        with pytest.raises(LedgerFailure) as failure:
            ledger.commit(again)
        assert not failure.value.passing
    assert [row["given_order_id"] for row in ledger.rows("SELECT * FROM answers")] == ["9001"]
    assert _count(ledger, "intents") == 1


def test_an_answer_whose_commit_failed_can_be_kept_later(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked])
    with pytest.raises(LedgerFailure):
        ledger.commit([answered(asked), intent()])
    ledger.commit([answered(asked)])
    assert _count(ledger, "answers") == 1


def test_a_failed_intent_gives_its_number_back(ledger: Ledger) -> None:
    ledger.commit([intent()])
    with pytest.raises(LedgerFailure):
        ledger.commit([intent(number=1), intent()])
    ledger.commit([intent(number=1)])
    assert [row["id"] for row in ledger.rows("SELECT id FROM intents")] == [1, 2]


def test_the_first_dispatch_time_of_a_copy_is_kept(ledger: Ledger, path: Path) -> None:
    ledger.commit([changed(dispatch_us=900)])
    ledger.commit([changed(dispatch_us=None)])
    with Reader.open(path) as reader:
        (copy,) = reader.copies()
    assert copy.dispatch_us == 900


def test_a_setting_is_replaced(ledger: Ledger, path: Path) -> None:
    ledger.commit([Setting("watermark", "1")])
    ledger.commit([Setting("watermark", "2")])
    with Reader.open(path) as reader:
        assert reader.setting("watermark") == "2"
        assert reader.setting("other") is None


def test_a_lock_of_another_program_passes(ledger: Ledger, path: Path, other: Other) -> None:
    ledger.commit([intent()])
    locker = other("holder", path, "lock")
    began = time.monotonic()
    with pytest.raises(LedgerFailure, match="locked") as failure:
        ledger.commit([intent(follower="bala"), OrderKnown("leader", order())])
    assert time.monotonic() - began < 3
    assert failure.value.passing
    assert "end the program" in failure.value.fix
    locker.communicate()
    assert _count(ledger, "intents") == 1
    ledger.commit([intent(follower="bala"), OrderKnown("leader", order())])
    assert _count(ledger, "intents") == 2
    assert _count(ledger, "order_states") == 1


def test_a_full_disk_keeps_nothing_and_passes(ledger: Ledger) -> None:
    ledger.commit([intent()])
    (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
    ledger.connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [intent(follower=f"f{n}") for n in range(500)]
    with pytest.raises(LedgerFailure, match="full") as failure:
        ledger.commit([*many, OrderKnown("leader", order(filled=1, value=9))])
    assert failure.value.passing
    assert "free disk space" in failure.value.fix
    assert _count(ledger, "intents") == 1
    ledger.connection.execute("PRAGMA max_page_count = 1073741823")
    ledger.commit([*many, OrderKnown("leader", order(filled=1, value=9))])
    assert _count(ledger, "intents") == 501
    assert _count(ledger, "fills") == 1


def test_a_page_that_rots_while_running_is_told_as_damage(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for number in range(100):
            ledger.commit([intent(leader_order_id=str(number))])
    with Ledger.open(path) as ledger:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xee" * (path.stat().st_size - 4096))
        with pytest.raises(LedgerUnusable, match=r"damaged .*malformed") as unusable:
            ledger.commit([intent(leader_order_id="500")])
        with pytest.raises(LedgerUnusable, match="damaged"):
            ledger.rows("SELECT * FROM intents")
        with pytest.raises(LedgerUnusable, match="damaged"):
            ledger.prune(LONG_AGO)
    assert "restore a backup" in unusable.value.fix
    assert not unusable.value.passing


def test_a_text_that_rots_is_told_as_damage(ledger: Ledger) -> None:
    ledger.connection.execute("INSERT INTO settings VALUES ('mood', CAST(x'e9e9' AS TEXT))")
    with pytest.raises(LedgerUnusable, match=r"damaged .*decode"):
        ledger.rows("SELECT * FROM settings")


def test_nothing_is_kept_in_a_file_that_lost_its_name(ledger: Ledger, path: Path) -> None:
    ledger.commit([intent()])
    aside = path.with_name("aside.db")
    path.rename(aside)
    with pytest.raises(LedgerUnusable, match="it is gone"):
        ledger.commit([intent(number=1)])
    path.touch()
    with pytest.raises(LedgerUnusable, match="another file has taken its place"):
        ledger.commit([intent(number=1)])
    path.unlink()
    aside.rename(path)
    ledger.commit([intent(number=1)])
    assert _count(ledger, "intents") == 2


def test_many_readers_never_hold_up_the_writer(ledger: Ledger, path: Path) -> None:
    ledger.commit([changed()])
    with Reader.open(path) as one, closing(sqlite3.connect(path)) as looking:
        looking.execute("BEGIN")
        assert looking.execute("SELECT count(*) FROM copies").fetchone() == (1,)
        began = time.monotonic()
        for number in range(200):
            ledger.commit([changed(leader_order_id=str(number))])
        assert time.monotonic() - began < 10
        assert len(one.copies()) == 201
        assert looking.execute("SELECT count(*) FROM copies").fetchone() == (1,)


def test_the_log_is_folded_in_quiet_moments(ledger: Ledger, path: Path) -> None:
    before = path.stat().st_size
    ledger.commit([intent()])
    ledger.tidy()
    assert path.stat().st_size == before
    ledger.commit([intent(follower=f"f{n}") for n in range(3000)])
    assert path.stat().st_size == before
    ledger.tidy()
    assert path.stat().st_size > before


def test_a_folding_that_cannot_be_done_is_only_logged(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.commit([intent(follower=f"f{n}") for n in range(3000)])
    ledger.connection.execute("BEGIN IMMEDIATE")
    ledger.tidy()
    assert "could not be folded" in caplog.text
    ledger.connection.execute("ROLLBACK")


@pytest.mark.parametrize("committed", [1, 400, 1500])
def test_what_was_acknowledged_survives_a_kill(committed: int, path: Path, other: Other) -> None:
    size = 3
    writer = other("writer", path, size)
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < committed:
        pass
    writer.kill()
    acknowledged = max([committed, *map(int, writer.stdout.read().split())])
    with Ledger.open(path) as ledger:
        (found,) = ledger.connection.execute("PRAGMA integrity_check").fetchone()
        assert found == "ok"
        kept = ledger.rows(
            "SELECT leader_order_id, count(*) AS intents FROM intents GROUP BY leader_order_id"
        )
        by_order = {int(row["leader_order_id"]): row["intents"] for row in kept}
        assert set(range(1, acknowledged + 1)) <= set(by_order)
        assert len(by_order) - acknowledged in (0, 1)
        assert set(by_order.values()) == {size}
        assert _count(ledger, "order_states") == len(by_order)
        ledger.commit(batch(len(by_order) + 1, size))
        assert _count(ledger, "intents") == (len(by_order) + 1) * size
