"""`merge` is a join: duplicates, any order and lost events end in the same state (7.3, 7.4)."""

from dataclasses import replace
from functools import reduce
from random import Random

import pytest
from hypothesis import given, settings

from domain.merge import adds, ambiguous, merge, outweighs
from domain.orders import Order, Source, Stamp, Status
from tests.domain.builders import after, filled, leader_order, stamp, terms
from tests.domain.lives import Life, lives, pieces, seeds, truth

many = settings(deadline=None, max_examples=1000)


@given(pieces, pieces)
@many
def test_merge_is_commutative(one: Order, other: Order) -> None:
    assert merge(one, other) == merge(other, one)


@given(pieces, pieces, pieces)
@many
def test_merge_is_associative(one: Order, two: Order, three: Order) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(pieces, pieces)
@many
def test_merge_is_idempotent(one: Order, other: Order) -> None:
    both = merge(one, other)
    assert merge(one, one) == one
    assert merge(both, one) == merge(both, other) == both


@given(pieces, pieces)
@many
def test_nothing_is_ever_taken_back(one: Order, other: Order) -> None:
    both = merge(one, other)
    assert both.filled == max(one.filled, other.filled)
    assert both.status.terminal == (one.status.terminal or other.status.terminal)
    assert adds(one, both) or not adds(both, one)


@given(lives, seeds)
@many
def test_s7_3_and_s7_4_duplicates_and_any_order_end_alike(life: Life, seed: int) -> None:
    chance = Random(seed)
    events = [*life.told, *chance.choices(life.told, k=chance.randrange(6))]
    chance.shuffle(events)
    assert reduce(merge, events) == reduce(merge, life.told)


@given(lives, seeds, seeds)
@many
def test_s7_4_losses_are_made_good_by_an_order_book(life: Life, seed: int, other: int) -> None:
    """Whatever was lost, doubled, reordered or told in unknown words: after the book it is as if
    nothing had been, and late events change nothing any more."""
    came, late = life.delivered(seed, complete=False), life.delivered(other, complete=False)
    known = reduce(merge, came, life.book(heard=9_000))
    assert truth(known) == truth(life.last)
    assert truth(reduce(merge, late, known)) == truth(life.last)


@given(lives, seeds)
@many
def test_s7_4_without_a_book_every_doubt_is_noticed(life: Life, seed: int) -> None:
    """When all events came, in whatever order, only terms of one second can be in doubt; then
    the book is asked for."""
    came = life.delivered(seed)
    known, asked = came[0], False
    for told in came[1:]:
        asked = asked or ambiguous(known, told)
        known = merge(known, told)
    assert (known.filled, known.traded_value) == (life.last.filled, life.last.traded_value)
    assert known.status.terminal == life.last.status.terminal
    if life.last.status.terminal:
        assert truth(known) == truth(life.last)
    assert asked or known.terms == life.last.terms


def test_orders_of_two_accounts_are_not_merged() -> None:
    with pytest.raises(ValueError, match="not the same order"):
        merge(leader_order(), leader_order(client_id="1000000009"))
    with pytest.raises(ValueError, match="not the same order"):
        merge(leader_order(), leader_order(order_id="2"))


def test_the_book_outranks_the_feed_within_one_second() -> None:
    told = leader_order(terms=terms(100), stamp=stamp(5, Source.FEED, heard=9))
    row = leader_order(terms=terms(150), stamp=stamp(5, Source.BOOK, heard=8))
    assert merge(told, row).terms.quantity == 150
    later = leader_order(terms=terms(200), stamp=stamp(6, Source.FEED, heard=10))
    assert merge(row, later).terms.quantity == 200


def test_a_doubled_transit_of_the_same_second_is_no_news() -> None:
    pending = leader_order(stamp=stamp(0, Source.FEED, heard=2))
    doubled = leader_order(status=Status.TRANSIT, stamp=stamp(0, Source.FEED, heard=3))
    assert merge(pending, doubled).status is Status.PENDING
    row = leader_order(status=Status.TRANSIT, stamp=stamp(0, Source.BOOK, heard=4))
    assert merge(pending, row).status is Status.PENDING


def test_a_late_event_of_a_traded_order_does_not_bring_back_its_old_quantity() -> None:
    traded = filled(leader_order(terms=terms(100)), 100, stamp=stamp(5, heard=2))
    late = leader_order(terms=terms(50), stamp=stamp(5, heard=3))
    known = merge(traded, late)
    assert (known.status, known.terms.quantity, known.filled) == (Status.TRADED, 100, 100)
    assert not ambiguous(traded, late)
    assert not ambiguous(late, traded)


def test_the_best_of_both_is_kept() -> None:
    row = leader_order(
        symbol="NIFTY", platform="", placed_at=after(3), stamp=stamp(9, Source.BOOK, heard=9)
    )
    told = leader_order(symbol="NIFTY 25000 CE", parent_id="7", placed_at=after(0))
    known = merge(row, told)
    assert (known.symbol, known.platform, known.parent_id) == ("NIFTY 25000 CE", "FAST", "7")
    assert known.placed_at == after(0)
    assert known.stamp == row.stamp


def test_what_adds_nothing_is_told_apart_from_what_weighs_more() -> None:
    known = leader_order(stamp=stamp(0, Source.FEED, heard=1))
    doubled = merge(known, replace(known, stamp=Stamp(after(0), Source.FEED, 2)))
    assert not adds(known, doubled)
    assert not outweighs(known, doubled)
    row = merge(known, replace(known, stamp=Stamp(after(0), Source.BOOK, 3)))
    assert not adds(known, row)
    assert outweighs(known, row)
    assert adds(None, known)
    assert outweighs(known, merge(known, filled(known, 50)))
