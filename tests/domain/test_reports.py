"""What readers are told of a copy: its state, whether it is in step, and when it lags (4.5)."""

from dataclasses import replace

import pytest

from domain.attempts import Stage, Withdrawal
from domain.copies import CopyState, Skipped
from domain.orders import OrderType, Side, Status, Terms, Validity
from domain.outcomes import Accepted, NotSent, Refusal, Refused
from domain.steps import Hold, Why
from tests.domain.builders import (
    MARKET,
    RULES,
    leader_order,
    terms,
)
from tests.domain.pair import Pair

# States and reasons


def test_the_state_of_a_copy_through_its_life() -> None:
    pair = Pair()
    states = [pair.state]
    pair.send()
    states.append(pair.state)
    pair.answer(Accepted("20000"))
    states.append(pair.state)
    pair.hear(status=Status.PENDING)
    states.append(pair.state)
    pair.fill(50)
    states.append(pair.state)
    pair.fill(100)
    states.append(pair.state)
    assert states == [
        CopyState.HELD,
        CopyState.PLACING,
        CopyState.PLACING,
        CopyState.OPEN,
        CopyState.PART_FILLED,
        CopyState.FILLED,
    ]


@pytest.mark.parametrize(
    ("status", "traded", "state"),
    [
        (Status.REJECTED, 0, CopyState.REJECTED),
        (Status.CANCELLED, 0, CopyState.CANCELLED),
        (Status.CANCELLED, 50, CopyState.CANCELLED),
        (Status.EXPIRED, 0, CopyState.CANCELLED),
        (Status.TRADED, 100, CopyState.FILLED),
    ],
)
def test_the_state_of_a_copy_that_ended(status: Status, traded: int, state: CopyState) -> None:
    pair = Pair()
    pair.place()
    pair.hear(status=status, filled=traded, traded_value=traded * 10_000, reason="so said")
    assert pair.state is state
    assert pair.copy.reason == ("" if status is Status.TRADED else "so said")


@pytest.mark.parametrize(
    ("stage", "state"),
    [
        (Stage.SENT, CopyState.PLACING),
        (Stage.UNKNOWN, CopyState.UNKNOWN),
        (Stage.REFUSED, CopyState.REJECTED),
        (Stage.TURNED_BACK, CopyState.HELD),
        (Stage.ABSENT, CopyState.HELD),
        (Stage.PARKED, CopyState.PARKED),
    ],
)
def test_the_state_of_a_copy_without_an_order(stage: Stage, state: CopyState) -> None:
    pair = Pair()
    pair.send()
    assert pair.copy.with_attempt(replace(pair.attempt, stage=stage)).state is state


def test_a_verdict_is_the_state_only_while_there_is_no_order() -> None:
    pair = Pair()
    verdict = replace(pair.copy, skipped=Skipped.STALE, detail="31 s old")
    assert (verdict.state, verdict.reason) == (
        CopyState.SKIPPED,
        "it was too old when it could be copied: 31 s old",
    )
    pair.place()
    assert replace(pair.copy, skipped=Skipped.STALE).state is CopyState.OPEN


def test_why_a_copy_was_withdrawn_is_said_unless_it_traded_first() -> None:
    pair = Pair()
    pair.place()
    pair.lead(status=Status.CANCELLED)
    pair.cancel(status=None)
    assert pair.copy.reason == Withdrawal.LEADER
    pair.fill(100)
    assert pair.copy.reason == ""


def test_what_a_held_copy_waits_for_is_said() -> None:
    pair = Pair()
    pair.open = False
    held = pair.step()
    assert isinstance(held, Hold)
    pair.book.hold(pair.leader.order_id, held.why)
    assert pair.report.reason == Why.MARKET_CLOSED
    pair.open = True
    pair.send()
    assert pair.report.reason == "placing"


# In step or not


def test_an_open_copy_is_in_step_when_the_broker_has_the_leaders_terms() -> None:
    pair = Pair()
    assert pair.report.reason == "held"
    pair.place(None)
    assert pair.report.reason == "placing"
    pair.hear(status=Status.PENDING)
    assert (pair.report.in_step, pair.report.reason) == (True, "")
    pair.lead(terms=terms(price=10_050))
    assert pair.report.reason == "its terms are not those of the leader's order"
    pair.send()
    assert pair.report.reason == "a change is on its way"
    pair.answer(Accepted())
    assert pair.report.reason == "the broker shows other terms than it was given"
    pair.hear()
    assert pair.report.in_step


@pytest.mark.parametrize(
    "asked",
    [MARKET, terms(200, OrderType.STOP_LOSS_MARKET, 0, 9_950), terms(200, disclosed=100)],
)
def test_a_protected_copy_is_in_step_at_its_own_price(asked: Terms) -> None:
    pair = Pair(leader_order(terms=asked), ltp=10_000)
    pair.place()
    assert pair.report.in_step
    pair.lead(terms=replace(asked, validity=Validity.IOC))
    assert not pair.report.in_step


def test_an_order_that_the_broker_translated_is_not_called_changed() -> None:
    pair = Pair(leader_order(terms=MARKET))
    pair.place()
    pair.hear(terms=terms(100, price=10_300))
    assert pair.report.in_step


def test_a_quantity_that_leaves_nothing_open_is_said() -> None:
    pair = Pair(rules=replace(RULES, modification_cap=0))
    pair.place()
    pair.fill(50)
    pair.lead(terms=terms(200, price=10_050))
    pair.cancel()
    pair.place()
    pair.lead(terms=terms(100, price=10_050))
    assert pair.report.reason == "open, though the leader's quantity leaves nothing to trade"


def test_a_leaders_end_makes_open_copies_drift() -> None:
    pair = Pair()
    pair.place()
    pair.leader_trades()
    assert pair.report.reason == "open, though the leader's order is traded"
    pair.fill(100)
    assert pair.report.in_step
    sent = Pair()
    sent.send()
    sent.lead(status=Status.CANCELLED)
    assert sent.report.reason == "placing, though the leader's order is cancelled"


def test_a_refused_copy_of_a_refused_order_is_in_step() -> None:
    """Leader and follower may be refused for the same reason: neither has anything."""
    pair = Pair()
    pair.send()
    pair.answer(Refusal(Refused.MARGIN, "short"))
    assert pair.report.reason == "margin: short"
    assert not pair.report.in_step
    pair.lead(status=Status.REJECTED)
    assert pair.report.in_step


def test_a_copy_that_got_nothing_says_why() -> None:
    pair = Pair()
    pair.send()
    pair.answer(Refusal(Refused.MARGIN, "short"))
    pair.leader_trades()
    assert not pair.report.in_step
    assert pair.report.reason == "margin: short"
    held = Pair()
    held.send()
    held.answer(NotSent("no route"))
    held.leader_trades()
    assert held.report.reason == "filled 0, the leader's fills imply 100"


@pytest.mark.parametrize(
    ("traded", "quantity", "words"),
    [
        (100, 200, ""),
        (100, 400, "filled 100, the leader's order implies 200"),
        (100, 100, "filled 100, the leader's order implies 50"),
    ],
)
def test_a_copy_that_filled_first_is_measured_by_what_is_wanted(
    traded: int, quantity: int, words: str
) -> None:
    pair = Pair()
    pair.place()
    pair.fill(traded)
    pair.lead(terms=terms(quantity))
    assert pair.report.reason == words


def test_a_copy_that_somebody_cancelled_is_said() -> None:
    pair = Pair()
    pair.place()
    pair.hear(status=Status.CANCELLED)
    assert pair.report.reason == "cancelled, though the leader's order is open"


def test_a_report_speaks_of_all_attempts() -> None:
    pair = Pair(rules=replace(RULES, modification_cap=0))
    assert pair.report.quantity == 0
    pair.place()
    pair.fill(50)
    pair.lead(terms=terms(price=10_050))
    pair.cancel()
    pair.place()
    report = pair.report
    assert (report.quantity, report.filled, report.traded_value) == (100, 50, 500_000)
    assert len(report.order_ids) == len(report.correlation_ids) == 2
    assert (report.side, report.sizing) == (Side.BUY, "multiplier 1/2")
    assert report.slippage_paise is None
