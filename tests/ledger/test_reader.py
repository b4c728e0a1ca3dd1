"""What readers get: copies, requests, fills and alerts, beside a running engine or without one."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.attempts import Change
from domain.copies import CopyState
from domain.messages import Alert, Level
from domain.orders import OrderType, Terms
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Recalled,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)
from ledger.entries import OrderKnown
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.conftest import Other
from tests.ledger.makers import NOW, TERMS, answered, cancel, changed, intent, modify, order


def test_an_absent_ledger_is_said_to_be_absent_and_not_made(path: Path) -> None:
    with pytest.raises(LedgerUnusable, match="no such ledger"):
        Reader.open(path)
    assert not path.exists()


def test_an_empty_file_holds_nothing_yet(path: Path) -> None:
    path.touch()
    with pytest.raises(LedgerUnusable, match="nothing was written in it yet"):
        Reader.open(path)
    assert path.stat().st_size == 0


def test_copies_come_back_as_they_were_told(ledger: Ledger, path: Path) -> None:
    told = changed()
    ledger.commit([told])
    with Reader.open(path) as reader:
        assert reader.copies() == [told.report]


def test_what_is_asked_at_once_is_of_one_instant(ledger: Ledger, path: Path) -> None:
    before, after = changed("asha", "1001"), changed("asha", "1002")
    ledger.commit([before])
    with Reader.open(path) as reader:
        with reader.standing_still():
            assert reader.copies() == [before.report]
            ledger.commit([after])
            assert reader.copies() == [before.report]
        assert reader.copies() == [before.report, after.report]


def test_copies_can_be_chosen(ledger: Ledger, path: Path) -> None:
    late = NOW + timedelta(hours=1)
    ledger.commit(
        [
            changed("asha", "1001"),
            changed("bala", "1001", at=late, state=CopyState.FILLED),
            changed("asha", "1002", at=late),
        ]
    )
    with Reader.open(path) as reader:

        def found(**choice: object) -> list[tuple[str, str]]:
            copies = reader.copies(**choice)  # type: ignore[arg-type]
            return [(copy.leader_order_id, copy.follower) for copy in copies]

        assert found() == [("1001", "asha"), ("1001", "bala"), ("1002", "asha")]
        assert found(follower="asha") == [("1001", "asha"), ("1002", "asha")]
        assert found(order="1001") == [("1001", "asha"), ("1001", "bala")]
        assert found(since=late) == [("1001", "bala"), ("1002", "asha")]
        assert found(follower="asha", order="1001", since=late) == []


def test_a_reader_sees_the_last_commit_of_a_running_engine(ledger: Ledger, path: Path) -> None:
    with Reader.open(path) as reader:
        assert reader.copies() == []
        ledger.commit([changed()])
        assert [copy.state for copy in reader.copies()] == [CopyState.OPEN]
        ledger.commit([changed(state=CopyState.FILLED)])
        assert [copy.state for copy in reader.copies()] == [CopyState.FILLED]


def test_a_reader_looks_on_beside_a_lock_of_a_writer(path: Path, other: Other) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([changed()])
    other("holder", path, "lock")
    with Reader.open(path) as reader:
        assert len(reader.copies()) == 1


def test_a_reader_finds_what_a_killed_engine_left(path: Path, other: Other) -> None:
    writer = other("writer", path, 2)
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 50:
        pass
    writer.kill()
    writer.wait()
    with Reader.open(path) as reader:
        assert len(reader.intents("50")) == 2
        assert reader.running_pid() is None


def test_requests_tell_what_was_asked_and_what_came(ledger: Ledger, path: Path) -> None:
    more = Terms(20, OrderType.LIMIT, 10_050)
    asked = [
        intent(),
        intent(modify(terms=more), planned_ns=2_000),
        intent(cancel(), planned_ns=3_000),
        intent(follower="bala"),
    ]
    ledger.commit(asked)
    ledger.commit(
        [
            answered(asked[0]),
            answered(asked[1], Refusal(Refused.PRICE, "beyond the band", "DH-905", 400)),
        ]
    )
    with Reader.open(path) as reader:
        placed, modified, cancelled = reader.intents("1001", "asha")
        assert len(reader.intents("1001")) == 4
        assert reader.intents("1002") == []
    assert (placed.change, placed.terms, placed.outcome) == (None, TERMS, "accepted")
    assert (placed.given_order_id, placed.http_status) == ("9001", 200)
    assert (placed.commit_us, placed.wire_us, placed.answer_us) == (1_000, 2_000, 20_000)
    assert (modified.change, modified.terms, modified.outcome) == (Change.MODIFY, more, "refused")
    assert (modified.message, modified.code, modified.http_status) == (
        "beyond the band",
        "DH-905",
        400,
    )
    assert (cancelled.change, cancelled.terms, cancelled.outcome) == (Change.CANCEL, None, None)
    assert cancelled.why == "the leader's order is closed"
    assert (cancelled.commit_us, cancelled.wire_us, cancelled.answer_us) == (None, None, None)


@pytest.mark.parametrize(
    ("outcome", "word", "message"),
    [
        (Accepted(), "accepted", ""),
        (Throttled("slow down"), "throttled", "slow down"),
        (Unknown("timed out"), "unknown", "timed out"),
        (NotSent("no route"), "not_sent", "no route"),
        (Recalled(), "recalled", ""),
    ],
)
def test_every_outcome_has_its_word(
    outcome: Outcome,
    word: str,
    message: str,
    ledger: Ledger,
    path: Path,
) -> None:
    asked = intent()
    ledger.commit([asked, answered(asked, outcome)])
    with Reader.open(path) as reader:
        (found,) = reader.intents("1001")
    assert (found.outcome, found.message) == (word, message)


def test_fills_of_several_orders(ledger: Ledger, path: Path) -> None:
    ledger.commit(
        [
            OrderKnown("leader", order("1001", "leader", filled=8, value=800)),
            OrderKnown("follower", order("9001", filled=4, value=404)),
            OrderKnown("follower", order("9002", filled=1, value=100)),
        ]
    )
    with Reader.open(path) as reader:
        found = reader.fills(["1001", "9001"])
        assert reader.fills([]) == []
    assert [(fill.order_id, fill.quantity, fill.value) for fill in found] == [
        ("1001", 8, 800),
        ("9001", 4, 404),
    ]
    assert found[0].at == NOW


def test_the_newest_alerts_come_first(ledger: Ledger, path: Path) -> None:
    alerts = [Alert(Level.ERROR, f"trouble {n}", "asha", "look") for n in range(5)]
    ledger.commit(alerts)
    with Reader.open(path) as reader:
        found = reader.alerts(2)
    assert [told.alert for told in found] == [alerts[4], alerts[3]]
    assert found[0].at.tzinfo is not None


def test_a_reader_cannot_write(ledger: Ledger, path: Path) -> None:
    ledger.commit([changed()])
    with Reader.open(path) as reader, pytest.raises(LedgerUnusable, match="readonly"):
        reader.rows("DELETE FROM copies")
    assert len(ledger.rows("SELECT * FROM copies")) == 1
