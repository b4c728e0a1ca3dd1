"""Exits: whoever holds the copied position ends flat when the leader does."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.copies import CopyState
from domain.copybook import CopyBook
from domain.messages import Answered, OrderSeen
from domain.orders import Order, Side, Status
from domain.outcomes import Accepted, Throttled
from domain.rules import Mood, Rules
from domain.sizing import Fixed, Multiplier, Rounding
from domain.steps import Place
from tests.domain.builders import CONTRACT, KEY, LOT, NOON, RULES, intent, leader_order, terms

FACTORS = st.fractions(min_value=Fraction(1, 20), max_value=5, max_denominator=20)
SIZES = st.builds(Multiplier, FACTORS, st.sampled_from(Rounding)) | st.builds(
    Fixed, st.integers(1, 5), st.just(True)
)


class Two:
    """A leader and a follower in one contract; everything fills at once, but while the
    follower's account is `throttled`."""

    def __init__(self, rules: Rules) -> None:
        self.book = CopyBook(rules)
        self.book.listings.learn((CONTRACT,))
        self.leader = 0
        self.throttled = False
        self._now = NOON
        self._count = 0

    @property
    def mine(self) -> int:
        return self.book.position(KEY, leader_order().product)

    @property
    def entered(self) -> int:
        """Shares of the copy of the first order."""
        return self.book.copies["1"].filled

    def places(self, lots: int, filled: int = 0) -> str:
        """The leader places an order, signed, of which so many lots fill at once."""
        self._count += 1
        side = Side.BUY if lots > 0 else Side.SELL
        order = leader_order(order_id=str(self._count), side=side, terms=terms(abs(lots) * LOT))
        self._see(order)
        return order.order_id if not filled else self.fills(order.order_id, filled)

    def fills(self, order_id: str, lots: int, ended: bool = False) -> str:
        """The leader's order fills to so many lots in all."""
        order = self.book.orders[order_id]
        gained = lots * LOT - order.filled
        self.leader += gained if order.side is Side.BUY else -gained
        whole = lots * LOT == order.terms.quantity
        status = Status.TRADED if whole else Status.PART_TRADED
        status = Status.CANCELLED if ended and not whole else status
        value = lots * LOT * 10_000
        self._see(replace(order, filled=lots * LOT, traded_value=value, status=status))
        return order_id

    def cancels(self, order_id: str) -> None:
        self._see(replace(self.book.orders[order_id], status=Status.CANCELLED))

    def gap(self, exits: Iterable[int]) -> None:
        """The process dies; the leader sells so many lots in each of some orders, that all fill;
        the next process finds them in the ledger, and is told of them one after the other."""
        before, known = self.book, list(self.book.orders.values())
        for lots in exits:
            self._count += 1
            quantity = lots * LOT
            sold = leader_order(
                order_id=str(self._count),
                side=Side.SELL,
                terms=terms(quantity),
                status=Status.TRADED,
                filled=quantity,
                traded_value=quantity * 10_000,
            )
            known.append(sold)
            self.leader -= quantity
        self.book = CopyBook(before.rules)
        self.book.listings.learn((CONTRACT,))
        self.book.restore(before.copies.values(), self._now, known)
        for order in known:
            self._see(order)

    def relieve(self) -> None:
        """The account is throttled no more, and all pauses are over."""
        self.throttled = False
        self._now += timedelta(minutes=5)
        self._settle_all()

    def _see(self, order: Order) -> None:
        self.book.seen(OrderSeen(order, self._now, self._count))
        self._settle_all()

    def _settle_all(self) -> None:
        for one in list(self.book.orders):
            self._settle(one)

    def _settle(self, order_id: str) -> None:
        """Place what is wanted of a copy, and have it filled like the leader's order."""
        book = self.book
        step = book.step(order_id, Mood.ACTIVE, True, self._now)
        if isinstance(step, Place):
            made = intent(book.copies[order_id], step, self._now)
            book.intended(order_id, step, self._now)
            came = Throttled("") if self.throttled else Accepted(f"own {order_id}")
            book.answered(Answered(made, came, 1, 2, 3), self._now)
        copy, leader = book.copies[order_id], book.orders[order_id]
        if copy.standing is None:
            return
        share = min(
            copy.sizing.part(leader.filled, leader.terms.quantity, LOT),
            copy.standing.ticket.terms.quantity,
        )
        whole = share == copy.standing.ticket.terms.quantity
        status = Status.TRADED if whole else Status.PENDING
        if leader.cut_short and not whole:
            status = Status.CANCELLED
        book.heard(
            leader_order(
                order_id=f"own {order_id}",
                side=leader.side,
                terms=copy.standing.ticket.terms,
                status=status,
                filled=share,
                traded_value=share * 10_000,
                correlation_id=copy.standing.ticket.correlation_id,
            )
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


@given(SIZES, st.integers(1, 12), st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
@settings(deadline=None, max_examples=100)
def test_exits_that_are_open_together_end_flat_in_any_order(
    share: Multiplier | Fixed, held: int, exits: list[int], drawn: st.DataObject
) -> None:
    pair = two(share)
    pair.places(held, held)
    rest, placed = held, []
    for lots in (*exits, held):
        lots = min(lots, rest)
        if lots:
            placed.append((pair.places(-lots), lots))
            rest -= lots
    for order_id, lots in drawn.draw(st.permutations(placed)):
        pair.fills(order_id, lots)
        assert pair.mine >= 0
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
