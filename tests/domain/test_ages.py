"""How old an entry is whose market was closed (scenarios 5.5, 6.1 and 6.6)."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.ages import age, drops_at
from domain.orders import Order, Source, Stamp
from domain.rules import Market
from domain.sessions import Phase
from tests.domain.builders import NOON, after, filled, leader_order, new_copy

NOTHING = timedelta(0)
WITHIN_HOURS = st.integers(-3 * 3600, 3 * 3600).map(after)
HOLDING = st.sampled_from([phase for phase in Phase if not phase.takes_orders])


def opened(at: datetime, phase: Phase = Phase.OPEN) -> Market:
    return Market(open=True, phase=phase, since=at)


def traded(order: Order, at: datetime) -> Order:
    return replace(filled(order, 100), stamp=Stamp(at, Source.FEED, 1))


@given(born=WITHIN_HOURS, now=WITHIN_HOURS, phase=HOLDING)
def test_what_waits_with_its_market_has_no_age(born: datetime, now: datetime, phase: Phase) -> None:
    market, copy = Market(open=False, phase=phase, since=born), new_copy(born=born)
    waits = age(leader_order(), copy, market, False, max(born, now))
    assert waits == NOTHING
    assert drops_at(leader_order(), copy, timedelta(30)) is None


@given(born=WITHIN_HOURS, opening=WITHIN_HOURS, passed=st.integers(0, 3600))
def test_it_is_no_older_than_the_opening_and_never_older_than_it_is(
    born: datetime, opening: datetime, passed: int
) -> None:
    now = max(born, opening) + timedelta(seconds=passed)
    order, copy = leader_order(), new_copy(born=born)
    assert age(order, copy, opened(opening), True, now) == timedelta(seconds=passed)
    fresh = traded(order, opening)
    assert age(fresh, copy, opened(opening), True, now) == timedelta(seconds=passed)


@given(born=WITHIN_HOURS, closed=st.integers(60, 3600), passed=st.integers(0, 3600))
def test_what_traded_while_it_was_closed_to_the_copy_is_as_old_as_it_is(
    born: datetime, closed: int, passed: int
) -> None:
    opening = born + timedelta(seconds=closed)
    now = opening + timedelta(seconds=passed)
    order, copy = traded(leader_order(), born), new_copy(born=born)
    assert age(order, copy, opened(opening), True, now) == now - born
    shut = Market(open=False, phase=Phase.BUFFER, since=born)
    assert age(order, copy, shut, False, now) == now - born


def test_an_entry_that_traded_is_dropped_at_its_second_while_the_market_is_closed() -> None:
    order, copy = traded(leader_order(), NOON), new_copy()
    allowed = timedelta(seconds=30)
    dropped = drops_at(order, copy, allowed)
    assert dropped is not None
    assert NOON + allowed < dropped < NOON + allowed + timedelta(milliseconds=1)


def test_an_order_is_good_for_its_day_but_for_one_after_market() -> None:
    order, copy = leader_order(), new_copy()
    tomorrow = after(21 * 3600)
    now = tomorrow + timedelta(seconds=2)
    assert age(order, copy, opened(tomorrow), True, now) == now - NOON
    evening = Market(open=False, phase=Phase.CLOSED, since=after(4 * 3600))
    assert age(order, copy, evening, False, after(8 * 3600)) == NOTHING
    assert age(order, copy, evening, False, tomorrow) == tomorrow - NOON
    late = replace(order, after_market=True)
    assert age(late, copy, opened(tomorrow), True, now) == timedelta(seconds=2)
    assert age(late, copy, evening, False, tomorrow) == NOTHING


def test_the_closing_auction_makes_nothing_younger_nor_does_what_was_never_closed() -> None:
    """What an auction at the close takes could be placed before it."""
    now = after(60)
    for market in (opened(after(50), Phase.CLOSING_AUCTION), Market(open=True)):
        assert age(leader_order(), new_copy(), market, True, now) == now - NOON


def test_an_order_of_unknown_age_has_none() -> None:
    assert age(leader_order(), new_copy(born=None), Market(True), True, after(99)) == NOTHING
