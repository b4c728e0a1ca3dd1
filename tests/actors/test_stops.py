"""A stop while an actor is down: it ends in time all the same, and what was sent is recorded."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.patience import Patience
from actors.post import BOARD, FEED, LEDGER, LIMITER, RECOVERY, SUPERVISOR
from domain.copies import CopyState
from ledger.reader import Reader
from tests.actors.shop import ONE, TWO, Poison, Shop
from tests.waiting import eventually


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Shop]:
    """A shop where whoever crashes is down for longer than a stop may take."""
    built = Shop(tmp_path, patience=Patience(first=30.0, longest=30.0))
    try:
        yield built.start()
    finally:
        built.broker.stop()


@pytest.mark.scenario("9.5")
@pytest.mark.parametrize("name", [BOARD, LEDGER, LIMITER, FEED, RECOVERY, "follower:one"])
def test_a_stop_while_a_restart_waits(slow: Shop, name: str) -> None:
    order = slow.buys(2400)
    for account in (ONE, TWO):
        slow.waits(order, account, orderStatus="PENDING")
    eventually(lambda: len(_states(slow)) == 2 and CopyState.PLACING not in _states(slow))
    slow.engine.post.tell(name, Poison())
    eventually(lambda: slow.engine.post.ref(name) is None)
    view = _stopped(slow)
    assert len(view) == (0 if name == BOARD else 2)
    assert _states(slow) == [CopyState.OPEN] * 2


@pytest.mark.scenario("9.5")
@pytest.mark.parametrize("name", [BOARD, LEDGER, SUPERVISOR])
def test_answers_in_flight_are_recorded_whoever_is_down(slow: Shop, name: str) -> None:
    slow.control.fault(ONE, "place", "delay", ms=1500, after=False)
    order = slow.buys(2400)
    slow.waits(order, TWO, orderStatus="PENDING")
    eventually(lambda: len(_states(slow)) == 2)
    slow.engine.post.tell(name, Poison())
    eventually(lambda: not _alive(slow, name))
    _stopped(slow)
    assert len(slow.orders(order, ONE)) == 1
    with Reader.open(slow.folder / "shop.db") as reader:
        (asked,) = reader.intents(order, "one")
    if name != LEDGER:
        assert asked.http_status == 200


def _alive(shop: Shop, name: str) -> bool:
    ref = shop.engine.post.ref(name)
    return ref is not None and ref.is_alive()


def _states(shop: Shop) -> list[CopyState]:
    with Reader.open(shop.folder / "shop.db") as reader:
        return [copy.state for copy in reader.copies()]


def _stopped(shop: Shop) -> tuple[object, ...]:
    """Stop the engine within its time; the copies that the board showed last."""
    before = time.monotonic()
    view = shop.engine.stop()
    assert time.monotonic() - before < 9
    assert not any(ref.is_alive() for ref in shop.engine.post.refs())
    return view.copies
