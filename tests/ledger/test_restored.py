"""Single cases of copies and leader orders that come back from the ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.attempts import Change, Stage, Withdrawal
from domain.copies import Copy, CopyState, Skipped
from domain.instruments import Price
from domain.messages import CopyChanged
from domain.missed import Missed
from domain.orders import Order, Side
from domain.outcomes import Accepted, Refusal, Refused, Throttled, Unknown
from domain.steps import Cancel
from ledger.entries import OrderKnown
from ledger.history import copies_of, leader_orders
from ledger.ledger import Ledger
from ledger.reader import Reader
from tests.ledger.makers import (
    HALF,
    LONG_AGO,
    NOW,
    TERMS,
    answered,
    changed,
    intent,
    modify,
    order,
    place,
    unheard,
)

_NAME = place().ticket.correlation_id


def _restored(ledger: Ledger) -> Copy:
    (copy,) = copies_of(ledger, "asha", LONG_AGO)
    return copy


def _verdict(copy: Copy) -> CopyChanged:
    return replace(changed(), copy=copy)


def _unsure(ledger: Ledger) -> Copy:
    """A copy whose placement was answered unclearly, as the ledger gives it back."""
    asked = intent()
    ledger.commit([asked, answered(asked, Unknown("lost"))])
    return _restored(ledger)


def _proven(copy: Copy, stage: Stage) -> Copy:
    attempt = copy.current
    assert attempt is not None
    return copy.with_attempt(replace(attempt, stage=stage))


def test_an_empty_ledger_has_no_copies(ledger: Ledger) -> None:
    assert copies_of(ledger, "asha", LONG_AGO) == []
    assert leader_orders(ledger, LONG_AGO) == []


def test_an_intent_alone_is_a_request_in_flight(ledger: Ledger) -> None:
    ledger.commit([intent(), intent(follower="bala")])
    copy = _restored(ledger)
    assert (copy.leader_order_id, copy.follower, copy.sizing, copy.born) == (
        "1001",
        "asha",
        HALF,
        NOW,
    )
    (attempt,) = copy.attempts
    assert (attempt.stage, attempt.ticket, attempt.sent_at) == (Stage.SENT, place().ticket, NOW)


def test_an_answer_counts_from_when_it_came(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked, answered(asked, Throttled("slow down"), took_us=30_000)])
    (attempt,) = _restored(ledger).attempts
    assert attempt.stage is Stage.TURNED_BACK
    assert attempt.retry_at == NOW + timedelta(milliseconds=30 + 250)


def test_a_refusal_comes_back_with_its_words(ledger: Ledger) -> None:
    asked, no = intent(), Refusal(Refused.MARGIN, "no funds", "DH-906", 400)
    ledger.commit([asked, answered(asked, no)])
    (attempt,) = _restored(ledger).attempts
    assert (attempt.stage, attempt.refusal) == (Stage.REFUSED, no)


@pytest.mark.parametrize("named", [True, False])
def test_an_order_is_found_by_its_id_or_by_its_name(named: bool, ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked])
    if not named:
        ledger.commit([answered(asked, Accepted("9001", "PENDING"))])
    told = order(filled=3, value=300, correlation=_NAME if named else None)
    ledger.commit([OrderKnown("follower", told), OrderKnown("follower", order("9009"))])
    (attempt,) = _restored(ledger).attempts
    assert (attempt.stage, attempt.order_id) == (Stage.LIVE, "9001")
    assert attempt.order == unheard(told)


def test_an_order_of_the_same_name_in_another_account_is_another_one(ledger: Ledger) -> None:
    ledger.commit([intent(), intent(follower="bala")])
    told = order(client_id="client of bala", correlation=_NAME)
    ledger.commit([OrderKnown("follower", told)])
    assert _restored(ledger).attempts[0].order is None
    assert copies_of(ledger, "bala", LONG_AGO)[0].attempts[0].order == unheard(told)


def test_a_change_names_an_order_that_nothing_else_told(ledger: Ledger) -> None:
    more = replace(TERMS, quantity=20)
    ledger.commit([intent(), intent(modify("9001", more), planned_ns=2_000)])
    (attempt,) = _restored(ledger).attempts
    assert (attempt.stage, attempt.order_id) == (Stage.LIVE, "9001")
    assert attempt.pending is not None
    assert (attempt.pending.change, attempt.pending.terms) == (Change.MODIFY, more)


def test_a_change_without_its_placement_is_refused(ledger: Ledger) -> None:
    ledger.commit([intent(modify())])
    with pytest.raises(ValueError, match="placement is not recorded"):
        copies_of(ledger, "asha", LONG_AGO)


def test_another_attempt_means_that_the_unclear_one_was_absent(ledger: Ledger) -> None:
    _unsure(ledger)
    ledger.commit([intent(number=2, planned_ns=9_000)])
    first, second = _restored(ledger).attempts
    assert (first.number, first.stage) == (0, Stage.ABSENT)
    assert (second.number, second.stage) == (2, Stage.SENT)


@pytest.mark.parametrize("stage", [Stage.ABSENT, Stage.PARKED])
def test_what_books_proved_is_kept(stage: Stage, ledger: Ledger) -> None:
    ledger.commit([_verdict(_proven(_unsure(ledger), stage))])
    assert _restored(ledger).attempts[0].stage is stage


def test_an_order_that_was_found_after_all_counts_more_than_the_proof(ledger: Ledger) -> None:
    ledger.commit([_verdict(_proven(_unsure(ledger), Stage.ABSENT))])
    ledger.commit([OrderKnown("follower", order(correlation=_NAME))])
    assert _restored(ledger).attempts[0].stage is Stage.LIVE


def test_an_answer_counts_more_than_an_older_verdict(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked])
    ledger.commit([_verdict(_proven(_restored(ledger), Stage.PARKED))])
    ledger.commit([answered(asked)])
    assert _restored(ledger).attempts[0].stage is Stage.LIVE


def test_a_verdict_stays_until_a_newer_attempt(ledger: Ledger) -> None:
    skipped = Copy("1001", "asha", HALF, NOW, (), Skipped.UNDER_ONE_LOT, "1 by half")
    ledger.commit([_verdict(skipped)])
    assert _restored(ledger) == skipped
    ledger.commit([intent()])
    assert _restored(ledger).skipped is None


@pytest.mark.parametrize(("price", "side"), [(None, Side.BUY), (Price(9_990, NOW), Side.SELL)])
def test_a_missed_entry_is_kept_and_listed_with_its_order(
    price: Price | None, side: Side, ledger: Ledger, path: Path
) -> None:
    missed = Missed(5, timedelta(seconds=31.5), timedelta(seconds=30), price)
    skipped = Copy("1001", "asha", HALF, NOW, (), Skipped.STALE, missed.aged, missed)
    leaders = order("1001", "leader", filled=4, value=40_200)
    told = replace(changed(state=CopyState.SKIPPED), copy=skipped)
    told = replace(told, report=replace(told.report, side=side))
    ledger.commit([told, OrderKnown("leader", leaders), OrderKnown("follower", order("1001"))])
    ledger.commit([changed("bala"), changed("asha", "1002")])
    assert copies_of(ledger, "asha", LONG_AGO)[0] == skipped
    with Reader.open(path) as reader:
        (entry,) = reader.missed()
        assert reader.missed("asha", "1001") == [entry]
        assert reader.missed("bala") == reader.missed("asha", "1002") == []
    assert (entry.follower, entry.symbol, entry.side) == ("asha", "HDFCBANK", side)
    assert (entry.terms, entry.filled, entry.traded_value) == (TERMS, 4, 40_200)
    assert (entry.born, entry.missed) == (NOW, missed)


def test_a_copy_is_rebuilt_from_all_of_its_intents_however_old(ledger: Ledger) -> None:
    old = NOW - timedelta(days=30)
    ledger.commit([intent(at=old), intent(leader_order_id="1002", at=old)])
    ledger.commit([intent(modify(), planned_ns=2_000)])
    (copy,) = copies_of(ledger, "asha", LONG_AGO)
    assert copy.leader_order_id == "1001"
    assert copy.attempts[0].sent_at == old


def test_a_rule_of_another_version_is_not_guessed(ledger: Ledger) -> None:
    ledger.commit([replace(intent(), sizing="astrology 7")])
    with pytest.raises(ValueError, match="astrology"):
        copies_of(ledger, "asha", LONG_AGO)


def test_the_orders_of_the_leader_come_oldest_first(ledger: Ledger, path: Path) -> None:
    def leaders(order_id: str, second: int) -> Order:
        return order(order_id, "leader", second=second, filled=1, value=100)

    ledger.commit(
        [
            OrderKnown("leader", leaders("1002", 20)),
            OrderKnown("leader", leaders("1001", 10)),
            OrderKnown("leader", leaders("1000", -10)),
            OrderKnown("follower", order("9001", second=15)),
        ]
    )
    ledger.close()
    with Ledger.open(path) as again:
        found = leader_orders(again, NOW)
    assert found == [unheard(leaders("1001", 10)), unheard(leaders("1002", 20))]


def test_a_leg_that_is_left_stays_so_by_its_verdict_or_by_its_cancel(ledger: Ledger) -> None:
    asked = intent()
    ledger.commit([asked, answered(asked, Accepted("9001"))])
    copy = _restored(ledger)
    assert not copy.lone
    verdict = replace(copy, skipped=Skipped.LONE_LEG, detail="the put is rejected")
    ledger.commit([_verdict(verdict)])
    copy = _restored(ledger)
    assert (copy.lone, copy.detail, copy.state) == (True, "the put is rejected", verdict.state)
    ledger.commit([_verdict(replace(copy, skipped=None, detail=""))])
    gone = intent(Cancel("9001", Withdrawal.LONE_LEG))
    ledger.commit([gone, answered(gone, Accepted("9001"))])
    assert _restored(ledger).lone
