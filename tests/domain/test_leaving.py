"""The orders that leave the positions of a flattened follower."""

from datetime import timedelta

from domain.leaving import Leaving, withdrawn
from domain.orders import Order, OrderType, Product, Side, Status, Terms
from domain.rules import Mood
from domain.steps import Done, Place
from tests.domain.builders import FOLLOWER, KEY
from tests.domain.pair import Pair


def holding() -> tuple[Pair, Leaving]:
    """A copy that holds 50 and has 50 open."""
    pair = Pair(ltp=10_000)
    pair.place()
    pair.fill(50)
    pair.mood = Mood.FLATTENED
    return pair, Leaving(pair.book, FOLLOWER)


def due(pair: Pair, leaving: Leaving, seconds: float, takes: bool = True) -> list[Order]:
    pair.at(seconds)
    live = [one for one in pair.book.orders if one.startswith("FLAT-") and not over(pair, one)]
    return leaving.due(live, lambda key: takes, pair.now)


def over(pair: Pair, order_id: str) -> bool:
    return isinstance(pair.book.step(order_id, pair.mood, True, pair.now), Done)


def test_it_waits_for_the_cancel_and_then_for_an_order_book_asked_for_since() -> None:
    pair, leaving = holding()
    leaving.read(pair.now)
    assert due(pair, leaving, 1) == []
    assert leaving.words == "open orders to end: 1, positions to leave: 1"
    assert not leaving.awaits_book
    pair.cancel()
    assert due(pair, leaving, 2) == []
    assert leaving.awaits_book
    leaving.read(pair.at(1.9).now)
    assert due(pair, leaving, 2.2) == []
    leaving.read(pair.at(2.3).now)
    (order,) = due(pair, leaving, 2.4)
    assert (order.side, order.product, order.instrument) == (Side.SELL, Product.INTRADAY, KEY)
    assert order.terms == Terms(50, OrderType.MARKET)


def test_it_waits_for_the_market() -> None:
    pair, leaving = holding()
    pair.cancel()
    due(pair, leaving, 1)
    leaving.read(pair.at(2).now)
    assert due(pair, leaving, 3, takes=False) == []
    assert len(due(pair, leaving, 4)) == 1


def made(pair: Pair, leaving: Leaving) -> Order:
    """The order that leaves the 50, as it is noted."""
    pair.cancel()
    due(pair, leaving, 1)
    leaving.read(pair.at(2).now)
    (order,) = due(pair, leaving, 3)
    pair.book.make(order, pair.now)
    return order


def test_it_is_copied_whole_at_a_protected_limit_and_once() -> None:
    pair, leaving = holding()
    order = made(pair, leaving)
    step = pair.book.step(order.order_id, pair.mood, True, pair.now)
    assert isinstance(step, Place)
    assert step.ticket.terms == Terms(50, OrderType.LIMIT, 9_900)
    assert due(pair, leaving, 4) == [], "one is enough"
    assert pair.book.holdings.positions() == {(KEY, Product.INTRADAY): 50}


def test_what_came_to_nothing_is_made_again_after_a_pause() -> None:
    pair, leaving = holding()
    order = made(pair, leaving)
    live: list[str] = []
    for seconds, count in ((3.1, 0), (4.9, 0), (5.1, 1)):
        pair.at(seconds)
        leaving.read(pair.now + timedelta(seconds=0.05))
        assert len(leaving.due(live, lambda key: True, pair.now)) == count, seconds
    assert leaving.failed(order.order_id)


def test_a_released_follower_places_it_no_more() -> None:
    pair, leaving = holding()
    order = made(pair, leaving)
    pair.book.make(withdrawn(order, pair.at(4).now), pair.now)
    pair.mood = Mood.ACTIVE
    step = pair.book.step(order.order_id, pair.mood, True, pair.now)
    assert not isinstance(step, Place)
    assert pair.book.orders[order.order_id].status is Status.CANCELLED
