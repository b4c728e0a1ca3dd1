"""The audit: what was asked of the broker is found again, and let go of when it is old."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from actors.read_tally import ReadTally
from dhan.calls import ReadDone
from domain.attempts import Withdrawal
from domain.orders import Product
from domain.outcomes import Accepted, Refusal, Refused
from domain.steps import Cancel, Modify, Place
from ledger import schema
from ledger.audit import Audited, reads_made, requests_made
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from ledger.toolkit import Database
from tests.ledger.makers import NOW, answered, intent, place

_END = NOW + timedelta(days=1)


def _made(ledger: Ledger, follower: str | None = None, since: datetime = NOW) -> list[Audited]:
    return requests_made(ledger, since, _END, follower)


def test_a_request_is_told_with_its_wait_its_answer_and_how_long_that_took(ledger: Ledger) -> None:
    waited = replace(intent(), waited=timedelta(milliseconds=1500))
    refused = intent(follower="bala")
    unanswered = intent(follower="bala", leader_order_id="1002", at=NOW + timedelta(hours=1))
    said = Refusal(Refused.MARGIN, "Insufficient funds", "DH-906", 400)
    answer = answered(waited, Accepted("9001", "TRANSIT"), took_us=30_000)
    ledger.commit([waited, refused, unanswered, answer, answered(refused, said)])
    first, second, third = _made(ledger)
    assert (first.follower, first.leader_order_id, first.order_id) == ("asha", "1001", "9001")
    assert (first.outcome, first.waited_us) == ("accepted", 1_500_000)
    assert first.request.startswith("place BUY NSE_EQ ")
    assert answer.written_ns is not None
    assert first.took_us == (answer.answered_ns - answer.written_ns) // 1000
    assert (second.outcome, second.http_status) == ("refused", 400)
    assert (second.message, second.waited_us) == ("DH-906 Insufficient funds", 0)
    assert (third.outcome, third.http_status, third.took_us) == ("", None, None)
    assert _made(ledger, "asha") == [first]
    assert _made(ledger, since=NOW + timedelta(minutes=1)) == [third]


def test_what_is_old_goes_little_by_little_but_for_what_is_carried(ledger: Ledger) -> None:
    """A placement of what is carried overnight tells what was built, however long ago."""
    entry = place("1000", 0)
    intraday = replace(entry, ticket=replace(entry.ticket, product=Product.INTRADAY))
    carried = replace(entry, ticket=replace(entry.ticket, product=Product.CNC))
    old = [intent(intraday, leader_order_id=str(number)) for number in range(1100)]
    kept = intent(carried, leader_order_id="2000")
    change = intent(Modify("9001", entry.ticket.terms), leader_order_id="2000", planned_ns=2)
    cancel = intent(Cancel("9001", Withdrawal.LEADER), leader_order_id="2000", planned_ns=3)
    fresh = intent(intraday, leader_order_id="3000", at=NOW + timedelta(hours=2))
    asked = [*old, kept, change, cancel, fresh]
    ledger.commit([*asked, *map(answered, asked)])
    before = NOW + timedelta(hours=1)
    assert ledger.prune(NOW, before)
    assert len(_made(ledger)) == 104
    assert not ledger.prune(NOW, before)
    assert [one.leader_order_id for one in _made(ledger)] == ["2000", "3000"]
    assert all(one.outcome == "accepted" for one in _made(ledger))
    assert isinstance(kept.request, Place)
    assert not ledger.prune(NOW, None)
    ledger.commit([intent(leader_order_id="3001")])


def _done(status: int | None = 200, took_ms: int = 40, at_ms: int = 0, error: str = "") -> ReadDone:
    asked, took = at_ms * 1_000_000, took_ms * 1_000_000
    written = None if error else asked + 5_000_000
    return ReadDone("10", "GET /orders", status, error, asked, written, asked + 5_000_000 + took)


def test_reads_are_told_by_the_minute_and_pruned_with_the_journal(ledger: Ledger) -> None:
    tally = ReadTally()
    assert tally.due(_END) == []
    for number in range(3):
        tally.add(_done(took_ms=40 + number, at_ms=number), NOW, number * 1_000_000)
    tally.add(_done(429), NOW, 0)
    tally.add(_done(None, error="no connection"), NOW, 0)
    assert tally.due(NOW + timedelta(seconds=59)) == []
    due = tally.due(NOW + timedelta(seconds=60))
    assert tally.due(_END) == []
    ledger.commit(due)
    told = {one.http_status: one for one in reads_made(ledger, NOW, _END, "10")}
    assert [one.times for one in told.values()] == [3, 1, 1]
    assert (told[200].took_us, told[200].waited_us) == (41_000, 5_000)
    assert (told[None].outcome, told[None].message) == ("not answered", "no connection")
    assert reads_made(ledger, NOW, _END, "11") == []
    assert not ledger.prune(NOW)
    assert len(reads_made(ledger, NOW, _END, None)) == 3
    assert not ledger.prune(NOW + timedelta(seconds=1))
    assert reads_made(ledger, NOW, _END, None) == []


def test_an_older_ledger_is_to_be_brought_up_to_date_first(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        older = Database(connection, execute_plugins=False)
        with older.atomic():
            schema.migrations.apply(older, stop_before="0005 audit")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 4")
    for ask in (requests_made, reads_made):
        with Reader.open(path) as reader, pytest.raises(LedgerUnusable, match="older Lockstep"):
            ask(reader, NOW, _END, None)
    with Ledger.open(path) as ledger:
        assert _made(ledger) == reads_made(ledger, NOW, _END, None) == []


@pytest.mark.parametrize("kinds", [1000])
def test_no_more_kinds_of_reads_are_remembered_than_fit(kinds: int) -> None:
    tally = ReadTally()
    for number in range(kinds - 1):
        tally.add(replace(_done(), request=f"GET /orders/{number}"), NOW, 0)
    assert tally.due(NOW) == []
    tally.add(_done(), NOW, 0)
    assert len(tally.due(NOW)) == kinds
