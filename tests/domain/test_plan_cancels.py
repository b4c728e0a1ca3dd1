"""How a copy is cancelled with its leader's order, and no other way (scenarios 3, 8.2)."""

import pytest

from domain.attempts import Withdrawal
from domain.copies import CopyState
from domain.orders import Status, Validity
from domain.outcomes import Accepted, Refusal, Refused, Throttled
from domain.steps import Cancel, Done, Hold, Why
from tests.domain.builders import after, leader_order, terms
from tests.domain.pair import Pair


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.REJECTED])
def test_s3_1_and_s5_1_a_pending_copy_is_cancelled_with_its_leader(status: Status) -> None:
    pair = Pair()
    pair.place()
    pair.lead(status=status)
    assert pair.cancel() == Cancel("20000", Withdrawal.LEADER)
    assert pair.step() == Done()
    assert (pair.state, pair.report.in_step) == (CopyState.CANCELLED, True)


def test_s3_2_the_remainder_is_cancelled_and_the_fills_are_kept() -> None:
    pair = Pair()
    pair.place()
    pair.fill(50)
    pair.lead(status=Status.CANCELLED, filled=100, traded_value=1_000_000)
    pair.cancel()
    assert pair.copy.filled == 50
    assert pair.report.in_step


def test_s3_5_what_has_filled_already_is_drift_and_no_request() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    pair.lead(status=Status.CANCELLED)
    assert pair.step() == Done()
    assert pair.report.reason == "filled 100, the leader's fills imply 0"
    assert not pair.report.in_step


def test_s8_2_a_cancel_before_the_placement_leaves_nothing_to_do() -> None:
    pair = Pair(leader_order(status=Status.TRANSIT))
    pair.lead(status=Status.CANCELLED)
    assert pair.step() != Done()
    assert pair.copy.attempts == ()


def test_s8_2_a_cancel_during_the_placement_follows_as_soon_as_dhan_takes_it() -> None:
    pair = Pair()
    pair.send()
    pair.lead(status=Status.CANCELLED)
    pair.answer(Accepted("20000", "TRANSIT"))
    assert pair.step() == Hold(Why.TRANSIT, after(1))
    pair.hear(status=Status.PENDING)
    assert isinstance(pair.step(), Cancel)


def test_s8_2_a_transit_that_never_ends_is_cancelled_all_the_same() -> None:
    pair = Pair()
    pair.place(Status.TRANSIT)
    pair.lead(status=Status.CANCELLED)
    pair.at(1).send()
    pair.answer(Refusal(Refused.IN_TRANSIT, "transit state"))
    assert pair.step() == Hold(Why.RETRY, after(1.25))
    assert isinstance(pair.at(1.25).step(), Cancel)


def test_an_ioc_in_transit_is_left_to_end_by_itself() -> None:
    pair = Pair(leader_order(terms=terms(validity=Validity.IOC)))
    pair.place(None)
    pair.lead(status=Status.CANCELLED, filled=100, traded_value=1_000_000)
    assert pair.at(2).step() == Hold(Why.TRANSIT, after(3))
    assert isinstance(pair.at(3).step(), Cancel)


def test_a_cancel_that_the_broker_took_is_not_repeated_at_once() -> None:
    pair = Pair()
    pair.place()
    pair.lead(status=Status.CANCELLED)
    pair.cancel(status=None)
    assert pair.step() == Hold(Why.CANCELLING, after(3))
    assert isinstance(pair.at(3).step(), Cancel)


def test_an_order_that_is_being_cancelled_is_not_changed_any_more() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(50))
    pair.cancel(status=None)
    pair.lead(terms=terms(400))
    assert pair.step() == Hold(Why.CANCELLING, after(3))
    assert isinstance(pair.at(3).step(), Cancel), "the broker took one and it had no effect"
    pair.hear(status=Status.CANCELLED)
    assert pair.place().ticket.terms.quantity == 200


def test_a_change_that_failed_does_not_hold_up_a_cancel() -> None:
    pair = Pair()
    pair.place()
    for number in range(6):
        pair.at(20 * number).lead(terms=terms(price=10_005 + 5 * number))
        pair.send()
        pair.answer(Throttled("429"))
    assert pair.step() == Hold(Why.RETRY, after(108))
    pair.lead(status=Status.CANCELLED)
    assert isinstance(pair.step(), Cancel)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
def test_a_copy_that_somebody_else_ended_is_not_placed_again(status: Status) -> None:
    pair = Pair()
    pair.place()
    pair.hear(status=status)
    assert pair.step() == Done()
    assert not pair.report.in_step
