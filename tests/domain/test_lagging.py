"""When a copy has fallen behind its leader, in plain words and once (4.5)."""

from dataclasses import replace
from datetime import timedelta

from domain.copies import Skipped
from domain.lags import lagging, may_lag
from domain.orders import OrderType, Status
from domain.protection import Protection
from domain.rules import Mood
from domain.steps import Place
from tests.domain.builders import (
    LOT,
    MARKET,
    NOON,
    RULES,
    after,
    filled,
    leader_order,
    new_copy,
    stamp,
    terms,
)
from tests.domain.pair import Pair


def test_s4_5_a_copy_still_open_after_the_leader_traded_is_told_once() -> None:
    pair = Pair(rules=replace(RULES, lag_after=timedelta(seconds=4)))
    pair.place()
    pair.leader_trades()
    pair.fill(50)
    assert pair.book.lagging(after(4)) == []
    words = "filled 50 of 100 (part_filled), though the leader's order traded in full 5 s ago"
    assert pair.book.lagging(after(5)) == [(pair.leader.order_id, words)]
    assert pair.book.lagging(after(60)) == []


def test_s4_5_a_copy_that_filled_in_time_is_never_told() -> None:
    pair = Pair()
    pair.place()
    pair.leader_trades()
    pair.fill(100)
    assert pair.book.lagging(after(3_600)) == []


def test_s4_5_an_open_copy_of_an_open_order_does_not_lag() -> None:
    pair = Pair()
    pair.place()
    pair.leader_trades(100)
    assert pair.book.lagging(after(3_600)) == []
    pair.at(3_600).lead(status=Status.CANCELLED)
    assert pair.book.lagging(after(3_700)) == []


def test_s4_5_a_late_copy_has_its_time_too() -> None:
    """Counted from when it was sent: the broker's times may be wrong or missing."""
    pair = Pair(leader_order(stamp=stamp(-86_400)))
    pair.leader_trades()
    pair.at(20).place()
    assert pair.book.lagging(after(24)) == []
    assert len(pair.book.lagging(after(26))) == 1


def test_s4_5_what_ended_short_or_was_never_placed_lags_too() -> None:
    short = Pair()
    short.place()
    short.hear(status=Status.CANCELLED, filled=50, traded_value=500_000)
    short.leader_trades()
    ((_, words),) = short.book.lagging(after(6))
    assert words.startswith("filled 50 of 100 (cancelled), though")
    held = Pair()
    held.open = False
    held.leader_trades()
    ((_, words),) = held.book.lagging(after(6))
    assert words.startswith("filled 0 of 100 (held), though")


def test_s4_5_what_is_left_out_does_not_lag() -> None:
    pair = Pair()
    pair.mood = Mood.PAUSED
    pair.step()
    pair.leader_trades()
    assert pair.book.lagging(after(60)) == []


def test_s4_5_a_leader_who_wants_more_is_waited_for_again() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    assert pair.book.lagging(after(1)) == []
    pair.at(2).lead(terms=terms(400))
    assert isinstance(pair.step(), Place)
    pair.leader_trades(400)
    assert len(pair.book.lagging(after(60))) == 1


def test_s4_5_a_protected_order_is_told_after_its_last_chase() -> None:
    """Whatever becomes of the leader's own order."""
    rules = replace(RULES, protection=Protection(chase_seconds=2.0, chase_times=2))
    pair = Pair(leader_order(terms=MARKET), rules, ltp=10_000)
    pair.place()
    for seconds in (2, 4):
        pair.at(seconds).modify()
        pair.hear()
        assert pair.book.lagging(pair.now) == []
    assert pair.book.lagging(after(5.9)) == []
    words = "filled 0 of 100 (open), and its limit is not moved any further"
    assert pair.book.lagging(after(6)) == [(pair.leader.order_id, words)]


def test_s4_5_only_orders_that_are_chased_are_told_so() -> None:
    stop = leader_order(terms=terms(200, OrderType.STOP_LOSS_MARKET, 0, 9_950))
    for order in (leader_order(), stop):
        pair = Pair(order, ltp=10_000)
        pair.place()
        assert pair.book.lagging(after(3_600)) == []


def test_s4_5_whether_a_copy_may_ever_lag() -> None:
    copy = new_copy()
    assert may_lag(leader_order(), copy, LOT)
    assert not may_lag(leader_order(status=Status.CANCELLED), copy, LOT)
    assert not may_lag(leader_order(), replace(copy, skipped=Skipped.STALE), LOT)
    assert may_lag(filled(leader_order(), 200), copy, LOT)
    assert not may_lag(filled(leader_order(terms=terms(50)), 50), copy, LOT)
    assert lagging(leader_order(), copy, LOT, RULES, NOON) == ""
