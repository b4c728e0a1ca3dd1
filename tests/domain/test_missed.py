"""Entries that came too late: told once, with what they would have been and the last price."""

from dataclasses import replace
from datetime import timedelta

from domain.copies import CopyState, Skipped
from domain.instruments import Price
from domain.listings import Listings
from domain.messages import OrderSeen
from domain.missed import Missed
from domain.orders import Side, Status
from domain.rules import Mood
from domain.sessions import IST
from domain.steps import Skip
from tests.domain.builders import KEY, MARKET, NOON, RULES, after, leader_order, stamp
from tests.domain.pair import Pair

LATE = Missed(100, timedelta(seconds=31), timedelta(seconds=30))


def late(pair: Pair) -> Pair:
    """The pair once its order has been let go for its age."""
    pair.at(31).step()
    assert pair.copy.skipped is Skipped.STALE
    return pair


def test_a_missed_entry_is_told_once() -> None:
    pair = late(Pair(leader_order(symbol="NIFTY")))
    assert pair.copy.missed == LATE
    assert pair.book.missed() == ["BUY 100 NIFTY at 100.00 (31 s old, 30 s allowed)"]
    pair.at(40).step()
    pair.lead(status=Status.CANCELLED)
    pair.step()
    assert pair.book.missed() == []


def test_a_restart_does_not_tell_again_what_the_ledger_has() -> None:
    pair = late(Pair())
    again = Pair(leader_order(order_id="77"))
    again.book.restore([pair.copy], after(60))
    again.see(pair.leader)
    again.book.step(pair.leader.order_id, Mood.ACTIVE, True, after(60))
    assert again.book.missed() == []
    assert again.book.copies[pair.leader.order_id].missed == LATE


def test_the_last_price_goes_with_it_and_the_time_at_which_it_was_told() -> None:
    order = leader_order(terms=MARKET, symbol="NIFTY", side=Side.SELL, stamp=stamp(2))
    at = after(2).astimezone(IST)
    pair = Pair(replace(order, stamp=replace(order.stamp, updated_at=at)), ltp=9_990)
    late(pair)
    assert pair.copy.missed == replace(LATE, price=Price(9_990, at))
    assert pair.book.missed() == [
        "SELL 100 NIFTY at the market price (31 s old, 30 s allowed, last price 99.90 at 12:00:02)"
    ]


def test_what_a_pause_or_another_rule_kept_out_was_not_missed() -> None:
    pair = Pair()
    pair.mood = Mood.PAUSED
    pair.at(31).step()
    assert (pair.state, pair.copy.missed) == (CopyState.SKIPPED, None)
    ended = Pair(leader_order(status=Status.CANCELLED))
    ended.at(31).step()
    assert (ended.state, ended.copy.missed) == (CopyState.SKIPPED, None)
    assert pair.book.missed() == ended.book.missed() == []


def test_what_was_missed_of_an_unknown_contract_has_no_quantity_yet() -> None:
    order = leader_order(instrument=replace(KEY, security_id="1"), symbol="NIFTY")
    pair = late(Pair(order, RULES))
    assert pair.copy.missed == replace(LATE, quantity=0)
    assert pair.book.missed() == ["BUY some NIFTY at 100.00 (31 s old, 30 s allowed)"]


def test_an_exit_of_what_was_missed_is_nothing_to_this_follower() -> None:
    """Else it would sell short what it never bought."""
    pair = late(Pair())
    pair.leader_trades()
    out = leader_order(order_id="78", side=Side.SELL, stamp=stamp(31))
    pair.book.seen(OrderSeen(out, after(31), 1))
    step = pair.book.step("78", Mood.ACTIVE, True, after(31))
    assert isinstance(step, Skip)
    assert step.reason is Skipped.UNDER_ONE_LOT


def test_an_older_price_is_no_news() -> None:
    listings = Listings()
    assert listings.told(KEY) is None
    for paise, seconds in ((100, 5), (90, 4), (110, 5), (None, 9), (0, 9)):
        listings.price(KEY, paise, after(seconds))
    assert listings.told(KEY) == Price(110, after(5))
    assert listings.last_price(KEY) == listings.market(KEY, True).reference == 110
    listings.price(KEY, 120, NOON + timedelta(seconds=6))
    assert listings.last_price(KEY) == 120
