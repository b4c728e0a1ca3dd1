"""What the leader did while nobody heard it is found as soon as it can be."""

import pytest

from tests.actors.shop import LEADER, ONE, TWO, Shop
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
