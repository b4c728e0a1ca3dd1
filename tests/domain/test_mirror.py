"""Inverse copy: what the leader's orders trade is traded on the other side, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.built import Built
from domain.copies import CopyState, Skipped
from domain.copybook import CopyBook
from domain.limits import Filter, Limits
from domain.messages import OrderSeen
from domain.orders import AmoTime, OrderType, Side, Status, Terms, Validity
from domain.rules import Mood, Rules
from domain.sizing import Fixed, Multiplier, Rounding
from domain.steps import Done, Hold, Modify, Place, Skip, Why
from tests.domain.builders import (
    CONTRACT,
    KEY,
    LOT,
    MARKET,
    NOON,
    RULES,
    after,
    leader_order,
    stamp,
    terms,
)
from tests.domain.pair import Pair
from tests.domain.two import Two

INVERSE = replace(RULES, inverse=True)
SAME = replace(INVERSE, sizing=Multiplier(Fraction(1)))
STOP = terms(order_type=OrderType.STOP_LOSS, trigger=9_950)


# What is copied, and when


@pytest.mark.parametrize(
    "asked",
    [
        terms(),
        STOP,
        MARKET,
        terms(order_type=OrderType.STOP_LOSS_MARKET, price=0, trigger=9_950),
        terms(validity=Validity.IOC),
        terms(disclosed=100),
    ],
)
def test_only_fills_are_copied_at_the_market_on_the_other_side(asked: Terms) -> None:
    pair = Pair(leader_order(terms=asked), INVERSE)
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.leader_trades(100)
    step = pair.place()
    ticket = step.ticket
    assert (ticket.side, ticket.terms) == (Side.SELL, terms(50, price=9_900))
    assert (step.reference, ticket.amo_time) == (10_000, None)


def test_a_leaders_sale_is_bought() -> None:
    pair = Pair(leader_order(side=Side.SELL), INVERSE)
    pair.leader_trades(200)
    step = pair.place()
    assert (step.ticket.side, step.ticket.terms.price) == (Side.BUY, 10_100)


def test_what_waits_for_a_fill_is_held_in_plain_words_and_in_step() -> None:
    pair = Pair(rules=INVERSE)
    step = pair.step()
    assert isinstance(step, Hold)
    pair.book.hold(pair.leader.order_id, step.why)
    assert pair.state is CopyState.HELD
    assert pair.copy.reason == "waits for the leader's fill, to take the other side"
    assert pair.report.in_step
    assert (pair.report.side, pair.report.quantity) == (Side.SELL, 0)


def test_less_than_a_lot_waits_for_the_next_fill() -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(50)
    assert pair.step() == Hold(Why.LEADER_FILL)
    assert pair.report.in_step
    pair.leader_trades(150)
    assert pair.placed().quantity == 50


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.REJECTED])
def test_an_order_that_ends_without_a_fill_is_skipped(status: Status) -> None:
    pair = Pair(rules=INVERSE)
    pair.step()
    pair.lead(status=status, reason="why")
    assert pair.step() == Skip(Skipped.LEADER_CLOSED, "why")
    pair.lead(filled=200, traded_value=2_000_000)  # a fill that is told late
    assert pair.placed().quantity == 100


def test_what_can_never_be_a_lot_is_skipped() -> None:
    pair = Pair(leader_order(terms=terms(50)), INVERSE)
    assert pair.step() == Skip(Skipped.UNDER_ONE_LOT, "50 by multiplier 1/2, lot 50")
    pair = Pair(rules=INVERSE)
    pair.leader_trades(50)
    pair.lead(status=Status.CANCELLED)
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.UNDER_ONE_LOT


def test_an_order_in_transit_or_unreadable_waits() -> None:
    pair = Pair(leader_order(status=Status.TRANSIT), INVERSE)
    assert pair.step() == Hold(Why.LEADER_TRANSIT)
    pair = Pair(leader_order(status=Status.UNREADABLE), INVERSE)
    assert pair.step() == Hold(Why.LEADER_UNREADABLE)


def test_after_market_orders_wait_for_their_fill_too() -> None:
    order = leader_order(after_market=True, amo_time=AmoTime.OPEN)
    pair = Pair(order, INVERSE)
    pair.open = False
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.open = True
    pair.leader_trades()
    assert pair.place().ticket.amo_time is None


# Further fills


def test_a_further_fill_raises_what_is_open() -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(100)
    pair.place()
    pair.leader_trades(200)
    assert pair.modify() == Modify("20000", terms(100, price=9_900), 10_000)
    pair.fill(100)
    assert pair.step() == Done()
    assert pair.report.in_step


def test_a_further_fill_is_another_attempt_once_the_first_has_traded() -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(100)
    pair.place()
    pair.fill(50)
    assert pair.step() == Done()
    assert pair.report.in_step
    pair.leader_trades(200)
    step = pair.place()
    assert (step.number, step.ticket.side, step.ticket.terms.quantity) == (1, Side.SELL, 50)
    pair.fill(50)
    assert (pair.copy.filled, pair.report.in_step) == (100, True)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED])
def test_a_part_of_what_was_cancelled_is_chased_like_any_other(status: Status) -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(100)
    pair.place()
    pair.lead(status=status)
    step = pair.step()
    assert step == Hold(Why.RESTING, after(3))
    assert pair.copy.standing is not None
    pair.at(3)
    moved = pair.modify()
    assert (moved.terms.price, moved.terms.validity) == (9_800, Validity.DAY)
    pair.fill(50)
    assert (pair.step(), pair.report.in_step) == (Done(), True)


def test_changes_of_what_rests_are_none_of_the_copy() -> None:
    pair = Pair(rules=INVERSE)
    pair.lead(terms=STOP)
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.leader_trades(100)
    pair.place()
    pair.lead(terms=terms(150, price=9_000))
    assert pair.step() == Hold(Why.RESTING, after(3))


def test_a_fixed_size_is_taken_in_proportion_to_the_fills() -> None:
    pair = Pair(rules=replace(INVERSE, sizing=Fixed(4, in_lots=True)))
    pair.leader_trades(50)
    assert pair.place().ticket.terms.quantity == LOT
    pair.fill(LOT)
    pair.leader_trades(200)
    assert pair.place().ticket.terms.quantity == 3 * LOT


def test_fills_above_the_freeze_quantity_are_slices() -> None:
    pair = Pair(leader_order(terms=terms(400)), SAME)
    pair.book.listings.learn((replace(CONTRACT, freeze=2 * LOT + 1),))
    pair.leader_trades(100)
    pair.place()
    pair.fill(100)
    pair.leader_trades(400)
    placed = []
    while isinstance(pair.step(), Place):
        placed.append(pair.place().ticket)
    assert [ticket.terms.quantity for ticket in placed] == [100, 100, 100]
    assert {ticket.side for ticket in placed} == {Side.SELL}
    for number in (1, 2, 3):
        pair.hear(number, filled=100, traded_value=1_000_000, status=Status.TRADED)
    assert (pair.copy.filled, pair.report.in_step) == (400, True)


# Age, limits, moods


def test_an_entry_is_as_old_as_its_fill_however_long_the_order_rested() -> None:
    pair = Pair(leader_order(placed_at=NOON), INVERSE).at(3600)
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.leader_trades(100)
    assert pair.copy.born == after(3600)
    pair.at(3630)
    assert isinstance(pair.step(), Place)
    pair.at(3631)
    step = pair.step()
    assert isinstance(step, Skip)
    assert (step.reason, step.detail) == (Skipped.STALE, "31 s old, 30 s allowed")


def test_a_fill_in_a_gap_is_as_old_as_the_broker_says() -> None:
    """Found by another process: the leader's order was placed an hour ago, and traded a minute
    ago."""
    order = leader_order(placed_at=after(-3600), stamp=stamp(-60))
    order = replace(order, filled=200, traded_value=2_000_000, status=Status.TRADED)
    book = CopyBook(INVERSE)
    book.listings.learn((CONTRACT,))
    book.seen(OrderSeen(order, after(-3600), 1))
    step = book.step(order.order_id, Mood.ACTIVE, True, NOON)
    assert isinstance(step, Skip)
    assert (step.reason, step.detail) == (Skipped.STALE, "60 s old, 30 s allowed")


def test_a_fill_without_a_time_of_its_own_is_of_now_and_ages_from_there() -> None:
    """The leader's trades may tell it before the order book does, with the order's old stamp."""
    pair = Pair(leader_order(placed_at=NOON), INVERSE).at(3600)
    pair.see(replace(pair.leader, filled=200, traded_value=2_000_000))
    pair.open = False
    until = after(3600) + pair.book.rules.max_age + timedelta.resolution
    assert pair.step() == Hold(Why.MARKET_CLOSED, until)
    pair.see(replace(pair.leader, filled=200, traded_value=2_000_000))
    pair.at(3631)
    assert isinstance(pair.step(), Skip)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (replace(INVERSE, filter=Filter(side=Side.BUY)), Skipped.FILTERED),
        (replace(INVERSE, limits=Limits(quantity=LOT)), Skipped.LIMITED),
        (replace(INVERSE, limits=Limits(moved_ticks=3)), Skipped.MOVED),
    ],
)
def test_limits_are_of_the_entry_that_the_follower_makes(rules: Rules, reason: Skipped) -> None:
    pair = Pair(rules=rules)
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.leader_trades()
    pair.book.listings.price(KEY, 9_980, NOON)  # it sells, so this is to its loss
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is reason


def test_slippage_is_positive_where_the_follower_got_less() -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(200, price=10_000)
    pair.place()
    pair.fill(100, price=9_990)
    assert (pair.report.slippage_paise, pair.report.slippage_bps) == (1_000, 10.0)


@pytest.mark.parametrize("mood", [Mood.PAUSED, Mood.HALTED])
def test_a_mood_counts_when_the_fill_comes(mood: Mood) -> None:
    pair = Pair(rules=INVERSE)
    pair.mood = mood
    assert pair.step() == Hold(Why.LEADER_FILL)
    pair.leader_trades()
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is (Skipped.PAUSED if mood is Mood.PAUSED else Skipped.HALTED)


def test_an_exit_is_not_held_up_by_limits_age_or_mood() -> None:
    pair = Two(replace(SAME, limits=Limits(quantity=4 * LOT)))
    pair.places(4, 4)
    assert pair.mine == -4 * LOT
    pair.book.resize(replace(SAME, limits=Limits(quantity=1), max_age=timedelta(0)))
    pair.places(-4, 4)
    assert (pair.leader, pair.mine) == (0, 0)


def test_locksteps_own_orders_are_never_turned() -> None:
    pair = Two(SAME)
    pair.places(4, 4)
    pair.is_flattened()
    assert pair.mine == 0


# Positions


FACTORS = st.fractions(min_value=Fraction(1, 20), max_value=5, max_denominator=20)
SIZES = st.builds(Multiplier, FACTORS, st.sampled_from(Rounding)) | st.builds(
    Fixed, st.integers(1, 5), st.just(True)
)
ORDERS = st.lists(
    st.tuples(
        st.integers(-6, 6).filter(bool),
        st.lists(st.integers(1, 6), max_size=3, unique=True).map(sorted),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def _leads(pair: Two, lots: int, parts: list[int], cut: bool) -> Iterator[None]:
    """An order of the leader's that fills in parts, and is cut short or trades in full."""
    order_id, whole = pair.places(lots), abs(lots)
    for got in [part for part in parts if part < whole]:
        yield
        pair.fills(order_id, got)
    yield
    if cut:
        pair.cancels(order_id)
    else:
        pair.fills(order_id, whole)
    yield


def _leaves(pair: Two) -> None:
    if pair.leader:
        pair.places(-pair.leader // LOT, abs(pair.leader) // LOT)
    assert (pair.leader, pair.mine) == (0, 0)


@given(SIZES, ORDERS, st.booleans())
@settings(deadline=None, max_examples=100)
def test_flat_is_flat_and_never_on_the_leaders_side(
    share: Multiplier | Fixed, orders: list[tuple[int, list[int], bool]], restarts: bool
) -> None:
    """Scale-ins and scale-outs, in parts, cut short or whole."""
    pair = Two(replace(INVERSE, sizing=share))
    for order in orders:
        for _ in _leads(pair, *order):
            if restarts:
                pair.gap(())
            assert pair.mine % LOT == 0
            assert pair.mine * pair.leader <= 0, "on the leader's side"
            if pair.leader == 0:
                assert pair.mine == 0
    _leaves(pair)


def test_what_was_never_taken_is_not_left() -> None:
    pair = Two(replace(INVERSE, sizing=Multiplier(Fraction(1, 10))))
    pair.places(3, 3)
    pair.places(-3, 3)
    assert [copy.attempts for copy in pair.book.copies.values()] == [(), ()]


# Toggling


def turned(pair: Two, inverse: bool) -> None:
    pair.book.resize(replace(pair.book.rules, inverse=inverse))


@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.parametrize("restarts", [True, False])
def test_a_position_is_left_the_way_it_was_built(begins: bool, restarts: bool) -> None:
    side = -1 if begins else 1
    pair = Two(replace(SAME, inverse=begins))
    pair.places(4, 4)
    turned(pair, not begins)
    if restarts:
        pair.gap(())
    assert pair.mine == side * 4 * LOT
    pair.places(2, 2)
    assert pair.mine == side * 6 * LOT
    pair.places(-3, 3)
    assert pair.mine == side * 3 * LOT
    pair.places(-3, 3)
    assert pair.mine == 0
    pair.places(1, 1)
    assert pair.mine == -side * LOT
    pair.places(-1, 1)
    assert (pair.leader, pair.mine) == (0, 0)


@pytest.mark.parametrize("begins", [True, False])
def test_what_is_open_goes_on_the_way_it_began(begins: bool) -> None:
    pair = Two(replace(SAME, inverse=begins))
    order_id = pair.places(4, 2)
    turned(pair, not begins)
    pair.fills(order_id, 4)
    side = -1 if begins else 1
    assert pair.mine == side * 4 * LOT


@pytest.mark.parametrize("begins", [True, False])
def test_an_exit_of_what_is_still_to_be_placed_again_goes_its_way(begins: bool) -> None:
    pair = Two(replace(SAME, inverse=begins))
    pair.throttled = True
    pair.places(4, 4)
    turned(pair, not begins)
    pair.places(-4, 4)
    assert pair.mine == 0
    pair.relieve()
    assert (pair.leader, pair.mine) == (0, 0)


def test_what_waits_for_a_fill_turns_with_the_rule() -> None:
    pair = Two(SAME)
    order_id = pair.places(4)
    turned(pair, False)
    pair.fills(order_id, 4)
    assert pair.mine == 4 * LOT


@given(SIZES, ORDERS, st.booleans(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_flat_is_flat_however_often_the_rule_is_turned(
    share: Multiplier | Fixed,
    orders: list[tuple[int, list[int], bool]],
    begins: bool,
    seed: int,
) -> None:
    pair, chance = Two(replace(INVERSE, sizing=share, inverse=begins)), Random(seed)
    for order in orders:
        for _ in _leads(pair, *order):
            if chance.random() < 0.3:
                turned(pair, chance.random() < 0.5)
            if chance.random() < 0.3:
                pair.gap(())
    _leaves(pair)


@pytest.mark.parametrize("mine", [-100, 100])
def test_a_position_of_earlier_days_tells_by_its_sign_how_it_was_built(mine: int) -> None:
    """Whatever the rule is by now, the leader's exit is one of the follower's."""
    for rules in (SAME, replace(SAME, inverse=False)):
        book = CopyBook(rules)
        book.listings.learn((CONTRACT,))
        order = leader_order(side=Side.SELL, terms=terms(100))
        book.restore((), NOON, (), (Built(order.instrument, order.product, 100, mine),))
        done = replace(order, filled=100, traded_value=1_000_000, status=Status.TRADED)
        book.seen(OrderSeen(done, NOON, 1))
        step = book.step(order.order_id, Mood.ACTIVE, True, NOON)
        assert isinstance(step, Place)
        assert step.ticket.side is (Side.BUY if mine < 0 else Side.SELL)
        assert step.ticket.terms.quantity == 100


def test_a_copy_that_was_restored_without_the_leaders_order_stays_what_it_was() -> None:
    pair = Pair(rules=INVERSE)
    pair.leader_trades(100)
    pair.place()
    later = CopyBook(RULES)
    later.listings.learn((CONTRACT,))
    later.restore([pair.copy], after(1))
    later.seen(OrderSeen(pair.leader, NOON, 1))
    assert later.orders[pair.leader.order_id].mirrored
    assert later.orders[pair.leader.order_id].side is Side.SELL


@pytest.mark.parametrize("told_first", [False, True])
def test_what_is_told_before_the_ledger_is_read_goes_the_way_of_its_copy(told_first: bool) -> None:
    """The feed may be faster than the ledger at a start with another rule."""
    pair = Two(SAME)
    bought = pair.places(4, 4)
    order, copy = pair.book.told(bought), pair.book.copies[bought]
    assert order is not None
    later = CopyBook(replace(SAME, inverse=False))
    later.listings.learn((CONTRACT,))
    seen = OrderSeen(order, NOON, 1)
    if told_first:
        later.seen(seen)
    later.restore([copy], NOON, [order])
    later.resize(later.rules, NOON)
    if not told_first:
        later.seen(seen)
    sold = leader_order(order_id="9", side=Side.SELL, terms=terms(4 * LOT, OrderType.MARKET, 0))
    later.seen(OrderSeen(sold, NOON, 2))
    step = later.step("9", Mood.ACTIVE, True, NOON)
    assert later.holdings.positions() == {(KEY, sold.product): -4 * LOT}
    assert later.orders["9"].side is Side.BUY
    assert isinstance(step, Hold)


def test_a_flat_follower_turns_while_the_leader_still_holds() -> None:
    """It is told to be inverse no more once its copies are flat: what it does not hold, the
    leader's exit does not leave."""
    pair = Two(SAME)
    pair.places(4, 4)
    pair.is_flattened()
    assert (pair.leader, pair.mine) == (4 * LOT, 0)
    turned(pair, False)
    pair.places(-6, 6)
    assert (pair.leader, pair.mine) == (-2 * LOT, -2 * LOT)
