"""Requests whose outcome nobody knows: never twice, never forgotten (design: exactly once)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attempts import Stage, Withdrawal
from domain.copies import CopyState
from domain.orders import Status
from domain.outcomes import Accepted, NotSent, Refusal, Refused, Throttled, Unknown
from domain.steps import Cancel, Done, Hold, Place, Why
from tests.domain.builders import MARKET, RULES, after, filled, leader_order, terms
from tests.domain.pair import Pair

PATIENT = replace(RULES, max_age=timedelta(hours=9))


def test_an_unknown_placement_is_neither_repeated_nor_forgotten() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    assert pair.at(9_999).step() == Hold(Why.UNKNOWN_OUTCOME)
    assert pair.state is CopyState.UNKNOWN
    pair.hear(status=Status.PENDING)
    assert (pair.attempt.stage, pair.attempt.order_id) == (Stage.LIVE, "20000")
    assert pair.step() == Hold(Why.RESTING)


def test_absence_is_proven_by_two_books_that_were_asked_for_after_the_settling_time() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    for seconds in (8, 12, 16.9):
        pair.at(seconds).read()
        assert pair.step() == Hold(Why.UNKNOWN_OUTCOME), "an order in transit is not shown"
    pair.at(17).read()
    assert pair.step() == Hold(Why.UNKNOWN_OUTCOME), "one book may lag behind"
    pair.at(30).read(asked_at=after(16))
    assert pair.step() == Hold(Why.UNKNOWN_OUTCOME), "a book that was asked for before"
    pair.at(31).read()
    step = pair.send()
    assert isinstance(step, Place)
    assert step.number == 1


def test_a_book_with_unreadable_rows_proves_no_absence() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    for seconds in range(20, 60):
        pair.book.read((), after(seconds), complete=False)
    assert pair.at(60).step() == Hold(Why.UNKNOWN_OUTCOME)


def test_an_order_found_in_a_book_is_the_copy() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    pair.lead(terms=terms(price=10_050))
    pair.at(20).read(pair.own(status=Status.PENDING))
    assert pair.book.unresolved() == []
    assert pair.modify().terms.price == 10_050


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        (Accepted("20000"), Hold(Why.RESTING)),
        (Refusal(Refused.MARGIN, "short"), Done()),
        (Throttled("429"), Hold(Why.RETRY, after(20.25))),
        (NotSent("no route"), Hold(Why.RETRY, after(20.25))),
        (Unknown("timeout"), Hold(Why.UNKNOWN_OUTCOME)),
    ],
)
def test_an_answer_that_comes_after_all_is_believed(
    outcome: Accepted | Refusal | Throttled | NotSent | Unknown, step: Hold | Done
) -> None:
    pair = Pair(rules=PATIENT)
    pair.send()
    assert pair.book.overdue([pair.leader.order_id], after(3)) == [pair.leader.order_id]
    assert pair.at(20).step() == Hold(Why.UNKNOWN_OUTCOME)
    pair.answer(outcome)
    assert pair.step() == step


def test_what_cannot_be_proven_is_parked_until_it_is_found() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    assert pair.book.give_up(after(126)) == []
    assert pair.book.give_up(after(127)) == [pair.leader.order_id]
    assert pair.at(200).step() == Hold(Why.PARKED)
    assert pair.state is CopyState.PARKED
    for seconds in (201, 205, 209):
        pair.at(seconds).read()
    assert pair.step() == Hold(Why.PARKED), "an operator looks at it; no second order"
    pair.at(210).read(pair.own(status=Status.PENDING))
    assert pair.step() == Hold(Why.RESTING)


def test_an_order_believed_absent_that_turns_up_is_cancelled() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    for seconds in (17, 20):
        pair.at(seconds).read()
    pair.place()
    pair.hear(0, order_id="29999", status=Status.PENDING)
    assert pair.send() == Cancel("29999", Withdrawal.REPLACED)
    pair.lead(terms=terms(400))
    assert pair.step() == Hold(Why.IN_FLIGHT), "nothing is raised meanwhile"
    pair.answer(Accepted())
    pair.hear(0, status=Status.CANCELLED, filled=50, traded_value=500_000)
    assert pair.modify().terms.quantity == 150, "what it got is not bought twice"


def test_a_stray_order_that_is_hard_to_cancel_does_not_hold_up_the_cancel_of_the_other() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    for seconds in (17, 20):
        pair.at(seconds).read()
    pair.place()
    pair.hear(0, order_id="29999", status=Status.PENDING)
    pair.send()
    pair.answer(Throttled("429"))
    pair.lead(status=Status.CANCELLED)
    assert pair.send() == Cancel("20001", Withdrawal.LEADER)


def test_a_late_word_that_a_lost_placement_was_taken_is_not_ignored() -> None:
    pair = Pair(rules=PATIENT).lose_answer()
    for seconds in (17, 20):
        pair.at(seconds).read()
    pair.place()
    pair.answer(Accepted("29999"), to=0)
    assert pair.send() == Cancel("29999", Withdrawal.REPLACED)


def test_an_unclear_change_is_made_again_and_then_verified() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    first = pair.send()
    pair.answer(Unknown("reset"))
    assert pair.report.reason == "whether the last change was made is not known yet"
    assert pair.step() == Hold(Why.RETRY, after(0.25))
    assert pair.at(0.25).modify() == first
    pair.at(12).read(pair.own(terms=terms(100)))
    assert pair.modify() == first, "the book shows the terms of before"


def test_an_unclear_change_is_verified_only_by_a_book_that_shows_the_order() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.answer(Unknown("reset"))
    pair.at(12).read()
    assert pair.attempt.terms is None
    pair.at(13).read(pair.own(terms=terms(100, price=10_050)))
    assert pair.attempt.terms == terms(100, price=10_050)


def test_an_answer_to_an_earlier_change_is_not_taken_for_one_to_the_next() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.book.overdue([pair.leader.order_id], after(17))
    pair.at(20).lead(terms=terms(price=10_100))
    pair.send()
    pair.answer(Accepted(), to=-2)
    assert pair.step() == Hold(Why.IN_FLIGHT), "the second is not answered yet"
    pair.answer(Refusal(Refused.PRICE, "no"))
    assert pair.step() == Hold(Why.DECLINED)


def test_an_unclear_cancel_is_repeated_until_the_end_is_heard() -> None:
    pair = Pair()
    pair.place()
    pair.lead(status=Status.CANCELLED)
    pair.send()
    pair.answer(Unknown("timeout"))
    assert pair.step() == Hold(Why.RETRY, after(0.25))
    pair.at(0.25).send()
    pair.answer(Refusal(Refused.GONE, "is cancelled"))
    pair.hear(status=Status.CANCELLED)
    assert pair.step() == Done()


def test_a_request_that_was_answered_in_time_is_not_doubted() -> None:
    pair = Pair()
    pair.send()
    assert pair.book.overdue([pair.leader.order_id], after(0)) == []
    pair.answer(Accepted("20000"))
    assert pair.book.overdue([pair.leader.order_id], after(100)) == []


def test_a_fill_that_comes_before_the_answer_is_known_by_the_name() -> None:
    pair = Pair()
    pair.send()
    pair.hear(status=Status.TRADED, filled=100, traded_value=1_000_000)
    pair.answer(Unknown("timeout"))
    assert pair.step() == Done()
    assert pair.state is CopyState.FILLED


def test_total_and_fills_of_different_instants_do_not_end_an_order() -> None:
    """A stale total of the same second beside newer fills looks full, and is not: to place the
    rest beside an open order would be too much."""
    pair = Pair(leader_order(terms=terms(100)))
    pair.place()
    pair.lead(terms=terms(400))
    pair.modify()
    pair.hear(status=Status.PART_TRADED, filled=50, traded_value=500_000)
    pair.hear(status=Status.PENDING, filled=0, terms=terms(50))
    assert pair.attempt.order is not None
    assert pair.attempt.order.filled == pair.attempt.order.terms.quantity == 50
    assert pair.step() == Hold(Why.RESTING)


def test_a_refusal_that_leaves_a_rejected_order_behind_is_one() -> None:
    pair = Pair(rules=PATIENT)
    pair.send()
    pair.answer(Refusal(Refused.MARKET_CLOSED, "closed"))
    pair.hear(status=Status.REJECTED)
    assert pair.attempt.stage is Stage.REFUSED
    assert isinstance(pair.at(30).step(), Place)


def test_orders_that_lockstep_did_not_place_are_left_alone() -> None:
    pair = Pair()
    pair.place()
    strange = replace(pair.own(), order_id="5", correlation_id="mine")
    assert pair.book.heard(strange) is None
    assert pair.book.heard(replace(strange, correlation_id=None)) is None
    assert pair.book.known("5") is None
    assert pair.book.known("20000") == pair.attempt.order


def test_a_market_copy_keeps_its_reference_while_it_is_looked_for() -> None:
    pair = Pair(leader_order(terms=MARKET), PATIENT, ltp=10_000)
    pair.send()
    pair.at(7).answer(Unknown("timeout"))
    pair.book.listings.price(pair.leader.instrument, 20_000, pair.now)
    pair.hear(status=Status.PENDING)
    assert pair.modify().terms.price == 10_300


def test_s4_3_fills_are_counted_once_over_all_attempts() -> None:
    pair = Pair(rules=replace(PATIENT, modification_cap=0))
    pair.place()
    pair.fill(50, price=10_000)
    pair.fill(50, price=10_000)
    pair.lead(terms=terms(price=10_050))
    pair.cancel()
    pair.place()
    pair.fill(50, price=10_100)
    assert (pair.copy.filled, pair.copy.traded_value) == (100, 1_005_000)
    assert pair.book.position(pair.leader.instrument, pair.leader.product) == 100
    pair.lead(**_traded())
    report = pair.report
    assert (report.state, report.in_step) == (CopyState.FILLED, True)
    assert (report.slippage_paise, report.slippage_bps) == (5_000, 50.0)
    assert report.order_ids == ("20000", "20001")
    assert report.dispatch_us == 4


def _traded() -> dict[str, object]:
    order = filled(leader_order(), 200)
    return {"status": order.status, "filled": order.filled, "traded_value": order.traded_value}
