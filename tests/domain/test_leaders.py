"""The leader's orders of the day as recovery remembers them: what is told, and what is missed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings

from domain.leaders import LeaderOrders
from domain.messages import OrderSeen
from domain.orders import Order, Source, Stamp, Status
from tests.domain.builders import CONTRACT, NOON, after, filled, leader_order, stamp, terms
from tests.domain.lives import Life, lives, seeds

TODAY = date(2026, 11, 25)
SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def told(order: Order, heard_s: int = 1, **more: object) -> OrderSeen:
    """The feed told so many seconds after the start."""
    return replace(OrderSeen(order, NOON, heard_s * SECOND), **more)  # type: ignore[arg-type]


def row(order: Order, asked: int = 0) -> Order:
    """The order as a book shows it."""
    at = order.stamp.updated_at
    return replace(order, stamp=Stamp(at, Source.BOOK, asked))


def knowing(*orders: Order, heard_s: int = 1) -> LeaderOrders:
    """Recovery after these events."""
    known = LeaderOrders()
    for order in orders:
        known.tell(told(order, heard_s))
    return known


def days_ago(order: Order, days: int) -> Order:
    """The order as it was last heard of so many days ago."""
    then = order.stamp.updated_at - timedelta(days=days)
    return replace(order, stamp=replace(order.stamp, updated_at=then))


# What is told


@pytest.mark.parametrize(
    ("known", "shown", "asked", "outrun"),
    [
        (stamp(heard=5), stamp(), 4, True),
        (stamp(heard=5), stamp(), 6, False),
        (stamp(1, heard=5), stamp(), 4, False),
        (stamp(heard=5), stamp(1), 4, False),
        (stamp(0, Source.BOOK, 5), stamp(), 4, False),
    ],
    ids=["of before?", "asked since", "older", "newer", "book after book"],
)
def test_a_row_is_outrun_by_an_event_of_its_second_that_came_after_the_question(
    known: Stamp, shown: Stamp, asked: int, outrun: bool
) -> None:
    changed = leader_order(terms=terms(100), stamp=known)
    orders = knowing(changed)
    assert orders.outrun(row(leader_order(stamp=shown)), asked) is outrun
    assert not orders.outrun(row(replace(changed, stamp=shown)), asked), "it says the same"
    assert not LeaderOrders().outrun(row(leader_order()), asked), "nothing is known of it"


def test_a_row_is_told_when_it_says_more_or_weighs_more_than_what_is_known() -> None:
    order = leader_order()
    known = LeaderOrders()
    seen, weighs = known.row(row(order), 5, NOON)
    assert (seen, weighs) == (OrderSeen(row(order), NOON, 5), True)
    assert known.tell(seen) == row(order)
    seen, weighs = known.row(row(order, 9), 6, after(3))
    assert (seen.born, weighs) == (NOON, False), "it does not grow younger"
    assert known.tell(seen) is None
    changed = row(leader_order(terms=terms(100), stamp=stamp(4)))
    assert known.row(changed, 7, NOON)[1]


def test_what_only_the_ledger_says_is_not_told_before_the_book_confirms_it() -> None:
    """It may have been cancelled long ago; when it was placed is known all the same."""
    kept = OrderSeen(row(leader_order()), after(-90), 77)
    known = LeaderOrders()
    known.restore([kept])
    assert known.heard() == []
    seen, weighs = known.row(row(leader_order()), 5, after(-80))
    assert (seen.born, weighs) == (after(-90), True)
    assert known.tell(seen) == kept.order
    assert [one.born for one in known.heard()] == [after(-90)]
    assert not known.row(row(leader_order(), 8), 6, None)[1]


def test_what_the_ledger_says_late_changes_nothing_that_was_told() -> None:
    known = knowing(leader_order(terms=terms(100), stamp=stamp(5)))
    before = known.heard()
    known.restore([OrderSeen(leader_order(), after(-90), 0)])
    assert known.heard() == before


@given(lives, seeds)
@settings(deadline=None, max_examples=300)
def test_whatever_the_feed_lost_one_sweep_tells(life: Life, seed: int) -> None:
    """Whoever heard the events and then the rows that are told knows all that recovery knows."""
    known = LeaderOrders()
    for event in life.delivered(seed, complete=False):
        known.tell(told(event))
    asked = 9_000
    seen, weighs = known.row(life.book(asked), 2 * SECOND, NOON)
    known.tell(seen)
    (all_told,) = known.heard()
    assert all_told.order.filled == life.last.filled
    assert all_told.order.status is life.last.status
    assert weighs or all_told.order.terms == life.last.terms
    assert not known.row(life.book(asked + 1), 3 * SECOND, NOON)[1]


def test_a_price_keeps_the_time_at_which_it_was_told() -> None:
    known = LeaderOrders()
    known.tell(told(leader_order(), hint=CONTRACT, ltp=9_990))
    later = leader_order(status=Status.CANCELLED, stamp=stamp(60, Source.BOOK))
    known.tell(OrderSeen(later, NOON, 2 * SECOND))
    (seen,) = known.heard()
    assert (seen.order.status, seen.hint) == (Status.CANCELLED, CONTRACT)
    assert (seen.ltp, seen.ltp_at) == (9_990, after(0))
    known.tell(told(leader_order(stamp=stamp(70)), ltp=9_995))
    (seen,) = known.heard()
    assert (seen.ltp, seen.ltp_at) == (9_995, after(70))


def test_a_doubt_is_noticed() -> None:
    known = knowing(leader_order())
    assert not known.unclear(told(leader_order()))
    assert known.unclear(told(leader_order(terms=terms(100))))
    assert known.unclear(told(leader_order(order_id="2", status=Status.UNREADABLE)))
    assert not known.unclear(told(leader_order(order_id="2")))


def test_until_when_everything_is_known() -> None:
    known = LeaderOrders()
    assert known.newest is None
    known.tell(told(leader_order(stamp=stamp(9))))
    known.tell(told(leader_order(order_id="2", stamp=stamp(4))))
    assert known.newest == after(9)


# Trades


def test_trades_say_exactly_what_was_paid() -> None:
    """Whether the rounded average made it too much or too little."""
    for rounded in (-3, 0, 3):
        order = filled(leader_order(), 150)
        rough = replace(order, traded_value=order.traded_value + rounded)
        known = knowing(rough)
        seen = known.traded(order.order_id, 150, order.traded_value, 5)
        assert seen is not None
        assert known.tell(seen) == replace(order, exact=True)
        assert known.tell(told(rough, 3)) is None
        assert known.heard()[0].order == replace(order, exact=True)
        assert known.traded(order.order_id, 150, order.traded_value, 6) is None


def test_trades_may_be_ahead_of_the_book_and_behind_it() -> None:
    order = filled(leader_order(), 100)
    known = knowing(order)
    assert known.traded(order.order_id, 50, 500_000, 5) is None
    seen = known.traded(order.order_id, 150, 1_501_000, 5)
    assert seen is not None
    known.tell(seen)
    assert known.heard()[0].order.filled == 150
    more = filled(leader_order(stamp=stamp(9)), 200)
    known.tell(told(more))
    (last,) = known.heard()
    assert (last.order.filled, last.order.exact) == (200, False)


def test_trades_tell_of_known_orders_only() -> None:
    known = LeaderOrders()
    assert known.traded("1", 50, 500_000, 5) is None
    known.restore([OrderSeen(leader_order(order_id="1"), NOON, 0)])
    assert known.traded("1", 50, 500_000, 5) is None


def test_fills_without_a_price_are_noticed() -> None:
    order = filled(leader_order(), 100, price=0)
    known = knowing(leader_order())
    assert not known.unpriced()
    known.tell(told(order))
    assert known.unpriced()
    seen = known.traded(order.order_id, 100, 1_000_000, 5)
    assert seen is not None
    known.tell(seen)
    assert not known.unpriced()


# What a complete book does not show


def test_an_open_order_that_is_missing_from_two_books_is_noticed_once() -> None:
    order = leader_order()
    known = knowing(order, heard_s=100)
    assert known.missing([], 109 * SECOND) == [], "Dhan may take a while to show it"
    assert known.missing([], 110 * SECOND) == []
    assert known.missing([], 113 * SECOND) == [order]
    assert known.missing([], 116 * SECOND) == []
    assert known.missing([order.order_id], 119 * SECOND) == []
    assert known.missing([], 122 * SECOND) == []
    assert known.missing([], 125 * SECOND) == [order]


def test_what_the_ledger_says_was_open_and_the_book_does_not_show_is_noticed() -> None:
    known = LeaderOrders()
    known.restore([OrderSeen(leader_order(), NOON, 0)])
    assert known.over([], TODAY) == []
    assert known.missing([], HOUR) == []
    assert known.missing([], HOUR + 1) == [leader_order()]


def test_what_has_ended_may_be_missing() -> None:
    known = knowing(leader_order(status=Status.REJECTED))
    assert known.missing([], HOUR) == known.missing([], HOUR + 1) == []


@pytest.mark.parametrize("kept", [True, False])
def test_an_order_of_a_former_day_has_expired_with_it(kept: bool) -> None:
    """All orders that are copied have validity DAY or IOC."""
    open_ = days_ago(filled(leader_order(), 50), 1)
    known = LeaderOrders() if kept else knowing(open_)
    known.restore([OrderSeen(open_, NOON, 0)])
    assert known.over([open_.order_id], TODAY) == [], "the book knows better"
    (expired,) = known.over([], TODAY)
    assert (expired.status, expired.filled) == (Status.EXPIRED, 50)
    assert expired.stamp.updated_at == open_.stamp.updated_at
    assert known.over([], TODAY) == known.missing([], HOUR) == []
    assert known.heard() == []


def test_ended_orders_of_former_days_are_forgotten_and_after_market_orders_wait() -> None:
    ended = days_ago(leader_order(status=Status.CANCELLED), 1)
    waiting = days_ago(leader_order(order_id="2", after_market=True), 1)
    known = knowing(ended, waiting)
    assert known.over([], TODAY) == []
    assert known.heard() == []


def test_the_day_is_indias() -> None:
    """An order of 00:10 in India is of that day, though it is the day before in Greenwich."""
    order = leader_order(stamp=Stamp(NOON - timedelta(hours=11, minutes=50), Source.FEED, 1))
    known = knowing(order)
    assert known.over([], TODAY) == []
    assert known.over([], TODAY + timedelta(days=1)) != []
