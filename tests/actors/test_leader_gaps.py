"""What the leader did while nobody heard it is found as soon as it can be."""

import time

import pytest

from tests.actors.shop import LEADER, ONE, TWO, Shop
from tests.actors.test_recovery import sweeps
from tests.waiting import eventually


@pytest.mark.scenario("7.2")
def test_a_book_that_hangs_does_not_delay_the_one_after_the_reconnect(shop: Shop) -> None:
    """What was asked for before the socket was up would be waited for for ten seconds."""
    shop.control.fault(LEADER, "feed", "drop", times=-1)
    shop.control.fault(LEADER, "read", "hang", times=1)
    eventually(lambda: "read:hang:after" in shop.control.struck())
    order = shop.buys(2400)
    shop.control.cut(LEADER)
    for account in (ONE, TWO):
        shop.waits(order, account, timeout=6, orderStatus="PENDING")


def test_a_book_asked_for_before_a_change_does_not_undo_it(shop: Shop) -> None:
    """Dhan's times are whole seconds: neither the event nor the book says which is newer, but the
    book was asked for before the event came in."""
    eventually(lambda: time.time() % 1 < 0.1, why="no second begins")
    order = shop.buys(2400)
    shop.waits(order, ONE, orderStatus="PENDING")
    shop.control.fault(LEADER, "read", "delay", times=1, ms=700)
    eventually(lambda: "read:delay:after" in shop.control.struck())
    shop.control.modify(LEADER, order, price=2390)
    shop.waits(order, ONE, price=2390.0)
    sweeps(shop, 3)
    assert changes(shop, ONE) == 1


def changes(shop: Shop, account: str) -> int:
    """How often a copy was changed."""
    return sum(one["method"] == "PUT" for one in shop.control.requests(account))
