"""A market that is closed or halted though its hours say otherwise (scenario 6.6): what it refuses
is held, tried again after pauses that grow, and at once when its session changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import CopyState, Skipped
from domain.orders import Status
from domain.outcomes import Accepted, Refusal, Refused
from domain.shut import says_shut
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip, Why
from tests.domain.builders import RULES, after, terms
from tests.domain.pair import Pair

PATIENT = replace(RULES, max_age=timedelta(hours=8))
SHUT = Refusal(Refused.MARKET_CLOSED, "Market is Closed! You cannot modify/cancel an order now.")
RMS = "RMS:1126112500001:Market is Closed"
Shut = Callable[[Pair, float], None]
PAUSES = [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    "words",
    [
        "Market is Closed! You cannot modify/cancel an order now.",
        RMS,
        "Markets are closed",
        "The market is currently not open",
        "Trading halted",
        "17070: Trading has been suspended",
        "Order placed outside trading hours",
    ],
)
def test_words_of_a_market_that_takes_nothing(words: str) -> None:
    assert says_shut(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "CONFIRMED",
        "Super Market is a closed company",
        "Your market access is blocked",
        "Trading in this scrip is not allowed",
        "Segment is not active",
        "RMS: Insufficient funds",
    ],
)
def test_words_of_something_else(words: str) -> None:
    assert not says_shut(words)


def rejected(pair: Pair, seconds: float) -> None:
    """The exchange rejects what the broker took, a moment later."""
    pair.answer(Accepted(f"3000{seconds}", "TRANSIT"))
    pair.hear(order_id=f"3000{seconds}", status=Status.REJECTED, reason=RMS)


def refused(pair: Pair, seconds: float) -> None:
    pair.answer(SHUT)


@pytest.mark.parametrize("shut", [refused, rejected])
def test_a_copy_that_its_market_shuts_out_is_held_and_tried_again_ever_more_rarely(
    shut: Shut,
) -> None:
    pair, seconds = Pair(rules=PATIENT), 0.0
    for number, pause in enumerate(PAUSES):
        step = pair.at(seconds).send()
        assert isinstance(step, Place)
        assert step.number == number
        shut(pair, seconds)
        assert pair.state is CopyState.HELD
        assert "closed" in pair.report.reason.lower()
        seconds += pause
        assert pair.at(seconds - 0.1).step() == Hold(Why.RETRY, after(seconds))
    pair.at(seconds).place()
    assert pair.state is CopyState.OPEN


@pytest.mark.parametrize("shut", [refused, rejected])
def test_at_the_next_change_of_the_session_it_is_tried_at_once(shut: Shut) -> None:
    pair = Pair(rules=PATIENT)
    for seconds in (0, 1, 3):
        pair.at(seconds).send()
        shut(pair, seconds)
    assert isinstance(pair.at(4).step(), Hold)
    pair.book.reopened([pair.leader.order_id])
    assert isinstance(pair.step(), Place)


@pytest.mark.parametrize("shut", [refused, rejected])
def test_an_entry_that_is_shut_out_is_dropped_by_age(shut: Shut) -> None:
    pair = Pair()
    pair.send()
    shut(pair, 0)
    step = pair.at(31).step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.STALE
    assert pair.state is CopyState.SKIPPED
    assert pair.step() == Done()


@pytest.mark.parametrize("shut", [refused, rejected])
def test_what_the_leader_takes_back_meanwhile_is_not_tried_again(shut: Shut) -> None:
    pair = Pair()
    pair.send()
    shut(pair, 0)
    pair.lead(status=Status.CANCELLED)
    assert pair.at(2).step() == Skip(Skipped.LEADER_CLOSED)
    assert (pair.state, pair.report.in_step) == (CopyState.SKIPPED, True)


@pytest.mark.parametrize("kind", [Cancel, Modify])
def test_a_change_that_a_closed_market_refuses_is_asked_for_ever_more_rarely(
    kind: type[Cancel] | type[Modify],
) -> None:
    pair = Pair()
    pair.place()
    if kind is Cancel:
        pair.lead(status=Status.CANCELLED)
    else:
        pair.lead(terms=terms(price=10_050))
    seconds = 100.0
    for pause in PAUSES:
        assert isinstance(pair.at(seconds).send(), kind)
        pair.answer(SHUT)
        seconds += pause
        assert pair.at(seconds - 0.1).step() == Hold(Why.RETRY, after(seconds))
    pair.book.reopened([pair.leader.order_id])
    assert isinstance(pair.step(), kind)


def test_another_rejection_stays_one() -> None:
    pair = Pair()
    pair.place(Status.TRANSIT)
    pair.hear(status=Status.REJECTED, reason="RMS: Trading in this scrip is not allowed")
    assert pair.at(5).step() == Done()
    assert pair.state is CopyState.REJECTED
    pair.book.reopened([pair.leader.order_id])
    assert pair.step() == Done()
