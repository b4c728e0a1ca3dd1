"""How a copy follows its leader's order once it is placed (scenarios 2, 3, 8)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attempts import Withdrawal
from domain.copies import CopyState
from domain.orders import OrderType, Status, Terms, Validity
from domain.outcomes import Accepted, Refusal, Refused, Throttled, Unknown
from domain.rules import Mood
from domain.steps import Done, Hold, Modify, Place, Why
from tests.domain.builders import MARKET, RULES, leader_order, terms
from tests.domain.pair import Pair

SL, SLM = OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET


@pytest.mark.parametrize(
    ("first", "then", "copied"),
    [
        (terms(100), terms(200), terms(100)),
        (terms(300), terms(200), terms(100)),
        (terms(200), terms(200, price=10_050), terms(100, price=10_050)),
        (terms(200, SL, 10_000, 9_950), terms(200, SL, 10_000, 9_960), None),
        (terms(200), terms(200, validity=Validity.IOC), terms(100, validity=Validity.IOC)),
        (terms(200), MARKET, terms(100, price=10_605)),
        (terms(200), terms(200, SLM, 0, 9_950), terms(100, SL, 10_045, 9_950)),
        (terms(200), terms(200, disclosed=100), terms(100, disclosed=50)),
    ],
)
def test_s2_1_to_s2_5_the_copy_gets_the_leaders_new_terms(
    first: Terms, then: Terms, copied: Terms | None
) -> None:
    pair = Pair(leader_order(terms=first), ltp=10_500)
    pair.place()
    pair.at(1).lead(terms=then)
    step = pair.modify()
    assert step.order_id == "20000"
    assert step.terms == (copied or replace(then, quantity=100))
    assert isinstance(pair.step(), Hold)


def test_s2_6_many_changes_end_at_the_last_values() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_005))
    pair.send()
    for price in range(10_010, 10_100, 5):
        pair.lead(terms=terms(price=price))
        assert pair.step() == Hold(Why.IN_FLIGHT)
    pair.answer(Accepted())
    assert pair.modify().terms.price == 10_095
    assert pair.step() == Hold(Why.RESTING)


def test_s2_6_past_the_cap_the_copy_is_cancelled_and_placed_anew() -> None:
    pair = Pair()
    pair.place()
    for number in range(1, 26):
        pair.at(number).lead(terms=terms(price=10_000 + 5 * number))
        pair.modify()
    pair.at(3_600).lead(terms=terms(price=10_500))
    assert pair.cancel().why is Withdrawal.REPLACED
    anew = pair.place()
    assert anew.number == 1
    assert anew.ticket.terms == terms(100, price=10_500)
    pair.lead(terms=terms(price=10_505))
    assert pair.modify().order_id == "20001"


def test_s2_6_what_traded_before_the_cancel_is_not_placed_again() -> None:
    pair = Pair(rules=replace(RULES, modification_cap=1))
    pair.place()
    pair.fill(50)
    pair.lead(terms=terms(price=10_050))
    pair.modify()
    pair.lead(terms=terms(price=10_100))
    pair.cancel()
    assert pair.place().ticket.terms.quantity == 50
    pair.lead(terms=terms(300, price=10_100))
    assert pair.modify().terms.quantity == 100, "150 in all, 50 of them traded before"


def test_s2_6_the_broker_may_count_otherwise() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.answer(Refusal(Refused.MODIFICATIONS, "too many"))
    assert pair.cancel().why is Withdrawal.REPLACED
    assert isinstance(pair.step(), Place)


def test_s2_6_at_the_cap_an_unclear_change_is_looked_up_before_anything_is_cancelled() -> None:
    pair = Pair(rules=replace(RULES, modification_cap=1))
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.answer(Unknown("timeout"))
    assert pair.at(5).step() == Hold(Why.UNKNOWN_OUTCOME)
    pair.at(20).read(pair.own(terms=terms(100, price=10_050)))
    assert pair.step() == Hold(Why.RESTING)


def test_s2_7_after_a_part_fill_only_the_rest_changes() -> None:
    pair = Pair()
    pair.place()
    pair.fill(50)
    pair.lead(terms=terms(400))
    assert pair.modify().terms.quantity == 200, "Dhan wants the total"
    pair.lead(terms=terms(100))
    assert pair.cancel().why is Withdrawal.REDUCED, "all that is left to want has traded"
    assert pair.step() == Done()
    assert pair.copy.filled == 50
    assert pair.report.in_step


def test_s2_7_a_quantity_below_what_is_filled_keeps_the_fills() -> None:
    pair = Pair(leader_order(terms=terms(400)))
    pair.place()
    pair.fill(150)
    pair.lead(terms=terms(100))
    assert pair.cancel().why is Withdrawal.REDUCED
    assert pair.step() == Done()
    assert (pair.copy.filled, pair.report.in_step) == (150, False)
    assert pair.report.reason == "the leader's quantity leaves nothing open"


def test_s2_1_a_reduced_order_that_grows_again_is_placed_anew_at_any_age() -> None:
    pair = Pair(leader_order(terms=terms(200)))
    pair.place()
    pair.lead(terms=terms(50))
    pair.cancel()
    pair.at(3_600).lead(terms=terms(300))
    assert pair.place().ticket.terms.quantity == 150


def test_s2_1_more_is_placed_when_the_leader_wants_more_than_has_traded() -> None:
    pair = Pair(leader_order(terms=terms(100)))
    pair.place()
    pair.fill(50)
    assert pair.step() == Done()
    pair.at(3_600).lead(terms=terms(300))
    assert pair.place().ticket.terms.quantity == 100


def test_s8_1_a_change_while_the_placement_is_in_flight_follows_right_after() -> None:
    pair = Pair()
    pair.send()
    pair.lead(terms=terms(price=10_050))
    assert pair.step() == Hold(Why.IN_FLIGHT)
    pair.answer(Accepted("20000"))
    assert pair.modify().terms.price == 10_050


def test_s8_3_a_copy_that_fills_first_is_in_step() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    assert pair.step() == Done()
    assert pair.report.in_step
    pair.lead(status=Status.TRADED, filled=200, traded_value=2_000_000)
    assert pair.report.in_step


@pytest.mark.parametrize("outcome", [Throttled("429"), Refusal(Refused.TOKEN, "expired")])
def test_cancels_and_changes_that_fail_are_repeated_after_growing_pauses(
    outcome: Throttled | Refusal,
) -> None:
    for changes in ({"status": Status.CANCELLED}, {"terms": terms(price=10_050)}):
        pair, pauses = Pair(), []
        pair.place()
        pair.at(2).lead(**changes)
        for _ in range(8):
            pair.send()
            pair.answer(outcome)
            held = pair.step()
            assert isinstance(held, Hold)
            assert held.until is not None
            pauses.append((held.until - pair.now).total_seconds())
            pair.now = held.until
        assert pauses == [0.25, 0.5, 1, 2, 4, 8, 15, 15]
        pair.send()
        pair.answer(Accepted())
        assert pair.attempt.failures == 0


def test_refused_terms_are_not_asked_for_again_but_others_are() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=20_000))
    pair.send()
    pair.answer(Refusal(Refused.PRICE, "above the circuit"))
    assert pair.at(100).step() == Hold(Why.DECLINED)
    assert (pair.state, pair.report.in_step) == (CopyState.OPEN, False)
    assert "above the circuit" in pair.report.reason
    pair.lead(terms=terms(price=10_050))
    assert pair.modify().terms.price == 10_050
    pair.hear()
    assert pair.report.in_step
    assert pair.report.reason == ""


def test_a_leader_who_goes_back_on_a_refused_change_is_in_step_again() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=20_000))
    pair.send()
    pair.answer(Refusal(Refused.PRICE, "above the circuit"))
    pair.lead(terms=terms())
    assert pair.step() == Hold(Why.RESTING)
    assert pair.report.in_step


def test_a_paused_follower_still_follows_in_what_is_open() -> None:
    pair = Pair()
    pair.place()
    pair.mood = Mood.PAUSED
    pair.lead(terms=terms(price=10_050))
    pair.modify()
    pair.lead(status=Status.CANCELLED)
    pair.cancel()


def test_in_a_closed_market_only_after_market_orders_are_changed() -> None:
    pair = Pair()
    pair.place()
    pair.open = False
    pair.lead(terms=terms(price=10_050))
    assert pair.step() == Hold(Why.MARKET_CLOSED)
    late = Pair(leader_order(after_market=True))
    late.open = False
    late.place()
    late.lead(terms=terms(price=10_050))
    assert isinstance(late.step(), Modify)


def test_a_word_nobody_knows_changes_nothing_until_the_order_is_read_again() -> None:
    pair = Pair()
    pair.place()
    pair.at(1).lead(status=Status.UNREADABLE, terms=terms(price=10_050))
    assert pair.step() == Hold(Why.LEADER_UNREADABLE)
    pair.lead(status=Status.PENDING)
    assert isinstance(pair.step(), Modify)


def test_age_counts_for_entries_only_once() -> None:
    pair = Pair(rules=replace(RULES, max_age=timedelta(seconds=2)))
    pair.place()
    pair.at(500).lead(terms=terms(price=10_050))
    assert isinstance(pair.step(), Modify)
