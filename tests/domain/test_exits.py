"""Exits: whoever holds the copied position ends flat when the leader does."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.copies import CopyState
from domain.exits import within
from domain.orders import Status
from domain.sizing import Fixed, Multiplier, Rounding
from domain.wanted import Wanted
from tests.domain.builders import LOT, RULES, leader_order, new_copy, terms
from tests.domain.pair import Pair
from tests.domain.two import Two

FACTORS = st.fractions(min_value=Fraction(1, 20), max_value=5, max_denominator=20)
SIZES = st.builds(Multiplier, FACTORS, st.sampled_from(Rounding)) | st.builds(
    Fixed, st.integers(1, 5), st.just(True)
)


def two(share: Multiplier | Fixed) -> Two:
    return Two(replace(RULES, sizing=share))


@given(SIZES, st.lists(st.integers(-6, 6).filter(bool), min_size=1, max_size=12))
@settings(deadline=None, max_examples=100)
def test_whatever_the_sizes_were_flat_is_flat(share: Multiplier | Fixed, lots: list[int]) -> None:
    pair = two(share)
    for one in lots:
        pair.places(one, abs(one))
        assert pair.mine % LOT == 0
        assert pair.mine * pair.leader >= 0, "on the other side than the leader"
        if pair.leader == 0:
            assert pair.mine == 0
    if pair.leader:
        pair.places(-pair.leader // LOT, abs(pair.leader) // LOT)
    assert pair.mine == 0


@pytest.mark.parametrize("inverse", [False, True])
@given(SIZES, st.integers(1, 12), st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
@settings(deadline=None, max_examples=75)
def test_exits_that_are_open_together_end_flat_in_any_order(
    inverse: bool, share: Multiplier | Fixed, held: int, exits: list[int], drawn: st.DataObject
) -> None:
    pair = Two(replace(RULES, sizing=share, inverse=inverse))
    pair.places(held, held)
    rest, placed = held, []
    for lots in (*exits, held):
        lots = min(lots, rest)
        if lots:
            placed.append((pair.places(-lots), lots))
            rest -= lots
    for order_id, lots in drawn.draw(st.permutations(placed)):
        pair.fills(order_id, lots)
        assert pair.mine * (-1 if inverse else 1) >= 0
    assert (pair.leader, pair.mine) == (0, 0)


@given(
    SIZES,
    st.integers(2, 12),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), max_size=5),
)
@settings(deadline=None, max_examples=100)
def test_an_exit_that_was_cut_short_leaves_the_rest_to_the_next(
    share: Multiplier | Fixed, held: int, exits: list[tuple[int, int]]
) -> None:
    pair = two(share)
    pair.places(held, held)
    for asked, got in exits:
        left = pair.leader // LOT
        if left:
            lots = min(asked, left)
            pair.fills(pair.places(-lots), min(got, lots), ended=True)
            assert pair.mine >= 0
    if pair.leader:
        left = pair.leader // LOT
        pair.places(-left, left)
    assert pair.mine == 0


@given(
    SIZES,
    st.integers(2, 12),
    st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=100)
def test_exits_that_are_to_be_placed_again_leave_no_more_than_there_is(
    share: Multiplier | Fixed, held: int, exits: list[tuple[int, bool]]
) -> None:
    """An exit that the broker did not take yet still takes its part: the next counts on that."""
    pair = two(share)
    pair.places(held, held)
    for lots, pair.throttled in (*exits, (held, False)):
        lots = min(lots, pair.leader // LOT)
        if lots:
            pair.places(-lots, lots)
        assert pair.mine >= 0
    pair.relieve()
    assert (pair.leader, pair.mine) == (0, 0)


@given(SIZES, st.integers(2, 12), st.lists(st.integers(1, 5), min_size=1, max_size=6))
@settings(deadline=None, max_examples=100)
def test_exits_of_a_gap_are_sized_as_if_each_had_been_seen(
    share: Multiplier | Fixed, held: int, exits: list[int]
) -> None:
    """What a process finds when it starts is not all at once what it was when it happened."""
    seen, missed = two(share), two(share)
    for pair in (seen, missed):
        pair.places(held, held)
    sold = []
    for lots in (*exits, held):
        lots = min(lots, seen.leader // LOT)
        if lots:
            sold.append(lots)
            seen.places(-lots, lots)
    missed.gap(sold)
    assert (missed.leader, missed.mine) == (0, 0)
    if seen.entered % (held * LOT) == 0:  # else an exit may be too small until more are known
        assert _sizes(missed) == _sizes(seen)


def _sizes(pair: Two) -> list[int]:
    return [a.ticket.terms.quantity for copy in pair.book.copies.values() for a in copy.attempts]


def test_a_stop_and_a_target_each_take_the_whole_position() -> None:
    pair = two(Multiplier(Fraction(1, 2)))
    for _ in range(3):
        pair.places(1, 1)  # each is half a lot, so that nothing is held
    assert pair.mine == 0
    stop, target = pair.places(-3), pair.places(-3)
    states = [pair.book.copies[one].state for one in (stop, target)]
    assert states == [CopyState.HELD, CopyState.HELD]  # no short position is opened
    pair = two(Multiplier(Fraction(1, 2)))
    pair.places(4, 4)
    stop, target = pair.places(-4), pair.places(-4)
    quantities = [pair.book.copies[one].attempts[0].ticket.terms.quantity for one in (stop, target)]
    assert quantities == [2 * LOT, 2 * LOT]
    pair.fills(target, 4)
    pair.cancels(stop)
    assert (pair.leader, pair.mine) == (0, 0)


@pytest.mark.parametrize("lots", [1, 3])
def test_an_entry_that_was_skipped_is_not_left_by_a_sale(lots: int) -> None:
    """What the follower never bought, it must not sell."""
    pair = Two(replace(RULES, sizing=Multiplier(Fraction(1, 10))))
    pair.places(lots, lots)
    pair.places(-lots, lots)
    assert [copy.attempts for copy in pair.book.copies.values()] == [(), ()]


def test_what_goes_beyond_the_position_opens_another_one() -> None:
    pair = two(Multiplier(Fraction(1, 2)))
    pair.places(4, 4)
    pair.places(-10, 10)
    assert (pair.leader, pair.mine) == (-6 * LOT, -3 * LOT)


@pytest.mark.parametrize(
    ("most", "stands", "wants"),
    [
        (None, 0, 300),  # nothing limits it
        (1000, 0, 300),
        (120, 0, 100),  # in whole lots
        (30, 0, None),  # less than a lot: not yet
        (0, 0, None),
        (0, 200, 200),  # what stands is never made smaller
        (200, 100, 200),
        (300, 100, 300),
    ],
)
def test_no_more_is_on_sale_than_there_is(most: int | None, stands: int, wants: int | None) -> None:
    want, copy, attempt = Wanted(terms(300)), new_copy(), None
    if stands:
        pair = Pair(leader_order(terms=terms(2 * stands)))
        pair.place()
        copy, attempt = pair.copy, pair.attempt
    found = within(want, copy, attempt, most, LOT)
    assert (found and found.terms.quantity) == wants


def test_what_other_orders_of_the_copy_trade_counts() -> None:
    pair = Pair(leader_order(terms=terms(400)))
    pair.place()
    pair.hear(status=Status.TRADED, filled=200)
    found = within(Wanted(terms(300)), pair.copy, None, 300, LOT)
    assert found is not None
    assert found.terms.quantity == 100
