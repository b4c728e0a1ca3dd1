"""Crashing actors: restarted, nothing lost or doubled; parked or given up when it goes on."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from actors.patience import Patience
from actors.post import BOARD, FEED, INSTRUMENTS, LEDGER, LIMITER, MARKET_CLOCK, RECOVERY
from domain.copies import CopyState
from domain.permits import Window
from domain.rules import Mood
from ledger.reader import Reader
from tests.actors.shop import ONE, TWO, Poison, Shop
from tests.waiting import eventually

scenario = pytest.mark.scenario
ACTORS = (FEED, RECOVERY, LIMITER, LEDGER, MARKET_CLOCK, INSTRUMENTS, BOARD, "follower:one")


@scenario("9.2")
@pytest.mark.parametrize("name", ACTORS)
def test_after_a_crash_all_goes_on_as_if_nothing_had_been(shop: Shop, name: str) -> None:
    resting = shop.buys(2400)
    shop.waits(resting, ONE, orderStatus="PENDING")
    shop.crash(name)
    shop.control.modify("1000000001", resting, price=2390)
    fresh = shop.buys(2410)
    for account, quantity in ((ONE, 10), (TWO, 20)):
        shop.waits(resting, account, price=2390.0, quantity=quantity, orderStatus="PENDING")
        shop.waits(fresh, account, quantity=quantity, orderStatus="PENDING")
    shop.control.cancel("1000000001", fresh)
    for account in (ONE, TWO):
        shop.waits(fresh, account, orderStatus="CANCELLED")
    eventually(lambda: _whole(shop), why="the board does not show all of it in step")


def _whole(shop: Shop) -> bool:
    view = shop.engine.view()
    return view.in_step and len(view.orders) == 2 and len(view.copies) == 4


@scenario("9.2")
@pytest.mark.parametrize("name", [LEDGER, "follower:one", LIMITER])
@pytest.mark.parametrize("after", [True, False])
def test_a_crash_while_an_answer_is_awaited(shop: Shop, name: str, after: bool) -> None:
    shop.control.fault(ONE, "place", "delay", ms=800, after=after)
    order = shop.buys(2400)
    shop.waits(order, TWO, orderStatus="PENDING")
    shop.crash(name)
    shop.control.modify("1000000001", order, price=2395)
    shop.waits(order, ONE, price=2395.0, quantity=10, orderStatus="PENDING")
    shop.waits(order, TWO, price=2395.0, quantity=20, orderStatus="PENDING")


@scenario("7.5", "9.2")
def test_a_limiter_that_crashes_counts_on(shop: Shop) -> None:
    shop.control.limits(ONE, orders={"hour": 6})
    an_hour = (Window(1.0, 10), Window(3600.0, 6))
    limited = shop.settings(ONE, windows=an_hour, reserve=Fraction(0))
    shop.engine.follow((limited, shop.settings(TWO)))
    for order in [shop.buys(2400 + n) for n in range(4)]:
        shop.waits(order, ONE, orderStatus="PENDING")
    shop.crash(LIMITER)
    for order in [shop.buys(2410 + n) for n in range(4)]:
        shop.waits(order, TWO, orderStatus="PENDING")
    eventually(lambda: len(shop.control.book(ONE)) == 6)
    assert shop.control.throttled(ONE) == 0


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Shop]:
    """A shop where a third crash within a minute is one too many."""
    built = Shop(tmp_path, patience=Patience(limit=2, first=0.01))
    try:
        yield built.start()
    finally:
        built.close()


@scenario("9.3")
def test_a_follower_that_crashes_again_and_again_is_parked_alone(impatient: Shop) -> None:
    shop = impatient
    for _ in range(2):
        shop.crash("follower:one")
    shop.engine.post.tell("follower:one", Poison())
    eventually(lambda: _mood(shop) is Mood.PARKED, why="not parked")
    order = shop.buys(2400)
    shop.waits(order, TWO, orderStatus="PENDING")
    assert shop.orders(order, ONE) == []
    assert not shop.engine.ended.is_set()
    assert any("parked" in alert.what for alert in shop.engine.view().alerts)

    paused = (shop.settings(ONE, paused=True), shop.settings(TWO))
    shop.engine.follow(paused)
    eventually(lambda: ("one", CopyState.SKIPPED) in _states(shop), why="not skipped while paused")
    shop.engine.follow((shop.settings(ONE), shop.settings(TWO)))
    eventually(lambda: _mood(shop) is Mood.ACTIVE, why="not taken up again")
    fresh = shop.buys(2401)
    shop.waits(fresh, ONE, orderStatus="PENDING")
    assert shop.orders(order, ONE) == []


def _states(shop: Shop) -> set[tuple[str, CopyState]]:
    return {(copy.follower, copy.state) for copy in shop.engine.view().copies}


def _mood(shop: Shop) -> Mood | None:
    moods = shop.engine.view().moods
    return next((mood.mood for mood in moods if mood.follower == "one"), None)


@scenario("9.3")
@pytest.mark.parametrize("name", [LEDGER, LIMITER, RECOVERY])
def test_the_engine_gives_up_where_trading_safely_is_impossible(impatient: Shop, name: str) -> None:
    shop = impatient
    for _ in range(2):
        shop.crash(name)
    shop.engine.post.tell(name, Poison())
    assert shop.engine.ended.wait(10)
    assert name in shop.engine.fatal


@scenario("9.3")
@pytest.mark.parametrize("name", [FEED, MARKET_CLOCK, INSTRUMENTS, BOARD])
def test_what_is_only_slower_or_blind_without_goes_on(impatient: Shop, name: str) -> None:
    shop = impatient
    resting = shop.buys(2400)
    for _ in range(2):
        shop.crash(name)
    shop.engine.post.tell(name, Poison())
    eventually(lambda: shop.engine.post.ref(name) is None)
    fresh = shop.buys(2401)
    shop.control.modify("1000000001", resting, price=2390)
    for account in (ONE, TWO):
        shop.waits(fresh, account, orderStatus="PENDING")
        shop.waits(resting, account, orderStatus="PENDING", price=2390.0)
    assert not shop.engine.ended.is_set()
    with Reader.open(shop.folder / "shop.db") as reader:
        alerts = eventually(lambda: [told.alert for told in reader.alerts(50)])
    assert [(alert.where, "crashed 3 times" in alert.what) for alert in alerts] == [(name, True)]
