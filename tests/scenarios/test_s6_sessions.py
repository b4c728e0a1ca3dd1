"""Scenarios 5.5, 1.6 and 6.1 to 6.6: copies around the edges of the sessions of a day in November,
to the second, with the real process."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.sessions import IST
from tests.scenarios.house import NIFTY_CALL, SBIN, Member
from tests.scenarios.trading_day import (
    AMO,
    BRIEF,
    DAY,
    DOLLAR,
    GOLD,
    HOLD,
    NIFTY_PUT,
    SKIP,
    TradingDay,
)
from tests.waiting import eventually

scenario = pytest.mark.scenario
CLOSED = "the market is closed"
HALT = f"""
[[closed]]
segments = ["NSE_FNO"]
from = {DAY}T11:00:00+05:30
to = {DAY}T11:30:00+05:30
why = "halt"
"""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingDay]:
    """One process for all of the day, with a follower of each policy, and one that holds but does
    not chase what is older than a second."""
    house = TradingDay.begun(tmp_path_factory.mktemp("day"), "09:12:00", calendar=HALT)
    try:
        house.start()
        yield house
    finally:
        house.close()


def at(clock: str) -> datetime:
    local: datetime = IST.localize(datetime.fromisoformat(f"{DAY} {clock}"))
    return local


def placed_in_time(day: TradingDay, clock: str) -> str:
    """The leader's order of that second, early enough in it to be heard of within it."""
    for _ in range(5):
        day.set(clock)
        order = day.places(NIFTY_CALL, "BUY", 65, price=100)
        if day.wall < at(clock) + timedelta(seconds=0.5):
            return order
    raise AssertionError("this host is too slow for a test of one second")


@scenario("6.1")
@scenario("6.3")
@scenario("5.5")
def test_an_order_of_a_second_before_the_open_is_held_or_skipped(day: TradingDay) -> None:
    early = placed_in_time(day, "09:14:59")
    day.reason(early, SKIP, "skipped", CLOSED)
    for member in (HOLD, AMO):
        arrived = day.arrived(early, member)
        assert at("09:15:00") <= arrived <= at("09:15:01")
        assert not day.only(early, member)["afterMarketOrder"]
    assert day.orders(early, SKIP) == []
    late = day.places(NIFTY_CALL, "BUY", 65, price=101)
    day.all_wait(late, orderStatus="PENDING", afterMarketOrder=False)


@scenario("6.1")
def test_at_the_second_of_the_open_everybody_is_sent_to_the_market(day: TradingDay) -> None:
    day.set("09:15:00")
    order = day.places(NIFTY_PUT, "BUY", 65, price=100)
    day.all_wait(order, orderStatus="PENDING", afterMarketOrder=False)


@scenario("6.3")
def test_the_pre_open_of_shares_takes_limits_and_no_stops(day: TradingDay) -> None:
    day.set("09:07:00")
    limit = day.places(SBIN, "BUY", 10, price=780)
    day.all_wait(limit, orderStatus="PENDING", afterMarketOrder=False)
    stop = day.places(SBIN, "BUY", 10, price=830, trigger=820, order_type="STOP_LOSS")
    day.reason(stop, SKIP, "skipped", CLOSED)
    for member in (HOLD, AMO):
        day.reason(stop, member, "held", CLOSED)
    day.set("09:15:00")
    day.waits(stop, HOLD, orderStatus="PENDING", afterMarketOrder=False)
    day.waits(stop, AMO, orderStatus="PENDING", afterMarketOrder=False)


@scenario("6.2")
@scenario("6.4")
@scenario("5.5")
@pytest.mark.parametrize(
    ("key", "quantity", "price", "last", "close"),
    [
        (NIFTY_CALL, 65, 100, "15:39:58", "15:40:00"),
        (DOLLAR, 1, 87, "16:59:58", "17:00:00"),
        (GOLD, 10, 89_000, "23:54:58", "23:55:00"),
    ],
    ids=["derivatives", "currency", "commodities"],
)
def test_the_last_second_is_open_and_the_close_is_not(
    day: TradingDay, key: tuple[str, str], quantity: int, price: int, last: str, close: str
) -> None:
    day.set(last)
    order = day.places(key, "BUY", quantity, price=price, product="MARGIN")
    day.all_wait(order, orderStatus="PENDING", afterMarketOrder=False)
    day.set(close)
    order = day.places(key, "BUY", quantity, price=price, product="MARGIN")
    day.waits(order, AMO, orderStatus="PENDING", afterMarketOrder=True, amoTime="OPEN")
    day.reason(order, SKIP, "skipped", CLOSED)
    day.reason(order, HOLD, "held", CLOSED)
    day.cancels(order)
    day.waits(order, AMO, orderStatus="CANCELLED")
    day.reason(order, HOLD, "skipped", "closed without a fill")
    assert day.orders(order, HOLD) == day.orders(order, SKIP) == []


@scenario("1.6")
@scenario("6.4")
@pytest.mark.parametrize("timing", ["OPEN", "OPEN_30"])
def test_an_after_market_order_is_one_for_everybody_and_cancelled_in_the_night(
    day: TradingDay, timing: str
) -> None:
    """Dhan tells that it is one, but not its timing: where that is not known it is OPEN."""
    day.set("20:00:00")
    order = day.places(NIFTY_PUT, "BUY", 65, price=100, amo=timing)
    day.all_wait(order, orderStatus="PENDING", afterMarketOrder=True, amoTime="OPEN")
    day.changes(order, price=99)
    day.all_wait(order, price=99.0)
    day.cancels(order)
    day.all_wait(order, orderStatus="CANCELLED")


@scenario("6.2")
def test_what_the_leader_got_when_its_followers_could_not_is_dropped_by_age(
    day: TradingDay,
) -> None:
    day.set("15:40:00")
    order = day.places(NIFTY_PUT, "BUY", 65, price=120)
    eventually(lambda: day.leader_order(order)["orderStatus"] == "TRADED")
    day.reason(order, BRIEF, "skipped", "1 s allowed")
    day.reason(order, HOLD, "held", CLOSED)
    day.waits(order, AMO, afterMarketOrder=True)


@scenario("5.5")
@scenario("6.2")
def test_an_exit_after_the_close_is_held_or_sent_for_the_open_and_never_skipped(
    day: TradingDay,
) -> None:
    day.set("15:30:00")
    day.price(NIFTY_CALL, 120)
    bought = day.places(NIFTY_CALL, "BUY", 65, price=121, product="MARGIN")
    day.all_wait(bought, orderStatus="TRADED")
    day.set("15:40:00")
    sold = day.places(NIFTY_CALL, "SELL", 65, price=119, product="MARGIN")
    eventually(lambda: day.leader_order(sold)["orderStatus"] == "TRADED")
    day.waits(sold, AMO, transactionType="SELL", afterMarketOrder=True, amoTime="OPEN")
    held = (HOLD, SKIP, BRIEF)
    for member in held:
        day.reason(sold, member, "held", CLOSED)
    day.set("09:15:00", "2026-11-26")
    for member in held:
        day.waits(sold, member, transactionType="SELL", quantity=65, afterMarketOrder=False)


@scenario("6.6")
def test_in_a_halt_it_is_held_until_trading_resumes(day: TradingDay) -> None:
    order = placed_in_time(day, "11:29:59")
    day.reason(order, SKIP, "skipped", CLOSED)
    for member in (HOLD, AMO):
        assert at("11:30:00") <= day.arrived(order, member) <= at("11:30:01")
        assert not day.only(order, member)["afterMarketOrder"]


def test_the_day_is_followed_again_as_it_was(day: TradingDay) -> None:
    again = day.ask("replay", DAY)
    assert [one["differences"] for one in again["followers"]] == [[]] * len(day.members)


@scenario("5.7")
def test_intraday_entries_end_before_the_square_off_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    late = Member("late", "1000000006", more=["limits = { intraday_cutoff_minutes = 10 }"])
    day = TradingDay.begun(tmp_path, "15:10:00", members=(HOLD, late))
    try:
        day.start()
        order = day.places(NIFTY_PUT, "BUY", 65, price=100)
        words = day.reason(order, late, "skipped")
        assert words.startswith("a limit of the follower is reached: intraday entry at 15:1")
        assert words.endswith(", limit 15:10:00 (10 min before the square-off at 15:20:00)")
        day.waits(order, HOLD, orderStatus="PENDING")
        carried = day.places(NIFTY_PUT, "BUY", 65, price=111, product="MARGIN")
        day.all_wait(carried, orderStatus="TRADED")
        story = day.ask("explain", order, late.name)
        assert "intraday cutoff minutes 10" in str(story)
    finally:
        day.close()


@scenario("6.2")
@scenario("7.7")
def test_an_exit_that_was_held_goes_out_after_a_night_without_lockstep(tmp_path: Path) -> None:
    day = TradingDay.begun(tmp_path, "15:30:00", members=(HOLD,))
    try:
        day.start()
        bought = day.places(NIFTY_PUT, "BUY", 65, price=111, product="MARGIN")
        day.all_wait(bought, orderStatus="TRADED")
        day.set("15:40:00")
        sold = day.places(NIFTY_PUT, "SELL", 65, price=109, product="MARGIN")
        eventually(lambda: day.leader_order(sold)["orderStatus"] == "TRADED")
        day.reason(sold, HOLD, "held", CLOSED)
        assert day.stop() == 0
        day.control.market("next_day")
        day.control.market("open")
        day.set("09:20:00", "2026-11-26")
        day.start()
        day.waits(sold, HOLD, orderStatus="TRADED", transactionType="SELL", quantity=65)
    finally:
        day.close()
