"""Which orders a follower enters at all, and when not any more (scenarios 5, 6, 8.7)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import CopyState, Skipped
from domain.instruments import InstrumentKey, Segment
from domain.messages import OrderSeen
from domain.missed import Missed
from domain.orders import AmoTime, Product, Side, Status
from domain.rules import Mood, WhenClosed
from domain.steps import Done, Hold, Place, Skip, Why
from tests.domain.builders import (
    NOON,
    RULES,
    after,
    leader_order,
    terms,
)
from tests.domain.pair import Pair


def test_s8_7_under_one_lot_nothing_is_copied() -> None:
    pair = Pair(leader_order(terms=terms(50)))
    assert pair.step() == Skip(Skipped.UNDER_ONE_LOT, "50 by multiplier 1/2, lot 50")
    assert pair.report.reason.startswith("the scaled quantity is under one lot")


def test_s7_4_an_order_that_grows_to_a_lot_is_copied_like_one_first_seen_so() -> None:
    pair = Pair(leader_order(terms=terms(50)))
    assert isinstance(pair.step(), Skip)
    pair.at(10).lead(terms=terms(100))
    assert pair.placed() == terms(50)
    assert pair.state is CopyState.PLACING


def test_s7_4_fills_that_are_learnt_after_the_cancel_count() -> None:
    pair = Pair(leader_order(status=Status.CANCELLED))
    assert isinstance(pair.step(), Skip)
    pair.at(2).lead(filled=100, traded_value=1_000_000)
    assert pair.placed().quantity == 50


def test_an_order_once_too_old_or_passed_over_stays_so() -> None:
    pair = Pair().at(31)
    late = Missed(100, timedelta(seconds=31), timedelta(seconds=30))
    assert pair.step() == Skip(Skipped.STALE, "31 s old, 30 s allowed", late)
    assert pair.at(5).step() == Done()
    paused = Pair()
    paused.mood = Mood.PAUSED
    assert paused.step() == Skip(Skipped.PAUSED)
    paused.mood = Mood.ACTIVE
    assert paused.step() == Done()
    assert paused.report.in_step


def test_what_was_under_one_lot_is_not_called_too_old_later() -> None:
    pair = Pair(leader_order(terms=terms(50)))
    pair.step()
    assert pair.at(100).step() == Skip(Skipped.UNDER_ONE_LOT, "50 by multiplier 1/2, lot 50")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"product": Product.CO}, "product CO"),
        ({"product": Product.BO}, "product BO"),
        ({"leg": 2, "parent_id": "9"}, "leg 2 of order 9"),
        ({"parent_id": "9", "platform": "FOVR"}, "leg 1 of order 9"),
        ({"instrument": InstrumentKey(Segment.INX_EQ, "1")}, "segment INX_EQ"),
    ],
)
def test_what_is_not_supported_is_said(changes: dict[str, object], what: str) -> None:
    assert Pair(leader_order(**changes)).step() == Skip(Skipped.UNSUPPORTED, what)


def test_an_exit_is_never_too_late() -> None:
    """Neither age nor a pause keeps a follower in a position that the leader has left."""
    pair = Pair()
    pair.place()
    pair.fill(100)
    for mood, seconds in ((Mood.ACTIVE, 3_600), (Mood.PAUSED, 3_601)):
        order = leader_order(order_id=f"7{seconds}", side=Side.SELL)
        pair.book.seen(OrderSeen(order, NOON, 1))
        assert isinstance(pair.book.step(order.order_id, mood, True, after(seconds)), Place)
    entry = leader_order(order_id="8", side=Side.BUY)
    pair.book.seen(OrderSeen(entry, NOON, 1))
    assert isinstance(pair.book.step("8", Mood.ACTIVE, True, after(3_600)), Skip)
    other = leader_order(order_id="9", side=Side.SELL, product=Product.MARGIN)
    pair.book.seen(OrderSeen(other, NOON, 1))
    assert isinstance(pair.book.step("9", Mood.ACTIVE, True, after(3_600)), Skip)


@pytest.mark.parametrize(
    ("when_closed", "step"),
    [
        (WhenClosed.HOLD, Hold(Why.MARKET_CLOSED)),
        (WhenClosed.SKIP, Skip(Skipped.MARKET_CLOSED)),
    ],
)
def test_s5_5_outside_hours_the_follower_chooses(
    when_closed: WhenClosed, step: Hold | Skip
) -> None:
    pair = Pair(rules=replace(RULES, when_closed=when_closed))
    pair.open = False
    assert pair.step() == step


def test_s5_5_a_follower_may_want_an_after_market_order() -> None:
    pair = Pair(rules=replace(RULES, when_closed=WhenClosed.AMO))
    pair.open = False
    step = pair.send()
    assert isinstance(step, Place)
    assert step.ticket.amo_time is AmoTime.OPEN


@pytest.mark.parametrize(
    ("is_open", "told", "timing"),
    [
        (False, AmoTime.OPEN_30, AmoTime.OPEN_30),
        (False, None, AmoTime.OPEN),
        (True, AmoTime.OPEN_30, None),
    ],
)
def test_s1_6_an_after_market_order_keeps_its_timing(
    is_open: bool, told: AmoTime | None, timing: AmoTime | None
) -> None:
    pair = Pair(leader_order(after_market=True, amo_time=told))
    pair.open = is_open
    step = pair.send()
    assert isinstance(step, Place)
    assert step.ticket.amo_time is timing


def test_a_parked_account_sends_nothing_and_then_goes_on() -> None:
    pair = Pair()
    pair.mood = Mood.PARKED
    assert pair.step() == Hold(Why.ACCOUNT)
    pair.mood = Mood.ACTIVE
    pair.place()
    pair.mood = Mood.PARKED
    pair.lead(status=Status.CANCELLED)
    assert pair.at(5).step() == Hold(Why.ACCOUNT)
