"""What waits for the account's own order book, and what does not."""

import pytest

from domain.attempts import Withdrawal
from domain.copies import Skipped
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip, Step, Why
from domain.unread import Unread
from tests.domain.builders import after, terms
from tests.domain.pair import Pair

ENTRIES = (Skipped.STALE, Skipped.PAUSED, Skipped.HALTED, Skipped.MARKET_CLOSED)
OTHERS = [reason for reason in Skipped if reason not in ENTRIES]


def _place() -> Place:
    step = Pair().step()
    assert isinstance(step, Place)
    return step


@pytest.mark.parametrize("reason", ENTRIES)
def test_an_entry_is_let_go_only_by_a_book_asked_for_after_it_was_heard_of(reason: Skipped) -> None:
    """Before that it may be an exit: of fills that nobody told of yet."""
    unread, verdict = Unread(), Skip(reason)
    unread.heard("1", after(10))
    assert unread.before("1", verdict, unresolved=False)
    for seconds in (9, 10):
        assert unread.read(after(seconds)) == ["1"]
        assert unread.before("1", verdict, unresolved=False)
        assert unread.awaited
    assert unread.read(after(11)) == ["1"]
    assert not unread.before("1", verdict, unresolved=False)
    assert not unread.awaited
    unread.heard("1", after(12))
    assert not unread.before("1", verdict, unresolved=False), "it was heard of before"


def test_a_book_is_asked_for_once_for_what_begins_to_wait() -> None:
    unread, verdict = Unread(), Skip(Skipped.STALE)
    assert not unread.asks
    for leader_id in ("1", "2"):
        unread.heard(leader_id, after(10))
        assert unread.before(leader_id, verdict, unresolved=False)
    assert unread.asks
    unread.asks = False
    assert unread.before("1", verdict, unresolved=False)
    assert not unread.asks, "it is asked for already"


@pytest.mark.parametrize("step", [_place(), Modify("20000", terms())])
def test_a_start_with_unknown_outcomes_reads_a_book_before_it_sends(step: Step) -> None:
    unread = Unread()
    unread.heard("1", after(0))
    assert not unread.before("1", step, unresolved=False)
    assert unread.before("1", step, unresolved=True)
    assert unread.read(after(-1)) == ["1"]
    assert not unread.before("1", step, unresolved=True)


@pytest.mark.parametrize(
    "step",
    [Cancel("20000", Withdrawal.LEADER), Hold(Why.RESTING), Done(), *map(Skip, OTHERS)],
)
def test_nothing_else_waits(step: Step) -> None:
    unread = Unread()
    unread.heard("1", after(0))
    assert not unread.before("1", step, unresolved=True)
    assert unread.read(after(1)) == []


def test_what_lockstep_makes_itself_waits_for_the_first_book_only() -> None:
    unread, verdict = Unread(), Skip(Skipped.HALTED)
    assert unread.before("FLAT-1", verdict, unresolved=False)
    assert unread.read(after(1)) == ["FLAT-1"]
    assert not unread.before("FLAT-1", verdict, unresolved=False)
