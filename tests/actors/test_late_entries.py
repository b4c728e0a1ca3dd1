"""An exit leaves what the copies of its entries got, however late they trade."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.attempts import Withdrawal
from domain.copies import CopyState
from domain.orders import OrderType, Product, Side
from domain.rules import Rules
from domain.sizing import Exit, Multiplier
from domain.steps import Why
from tests.actors.flattened import CALM
from tests.actors.laggard import Laggard
from tests.domain.builders import KEY, LOT, terms

MARKET = OrderType.MARKET
MOVES = (
    *("enters", "leaves", "part", "trades", "withdraws"),
    *("acts", "acts", "acts", "acts"),
)

# The first entry is refused, and placed after all when the leader has been flat several times.
REFUSED_FIRST = [
    *("acts", "enters", "acts", "acts", "acts", "acts", "leaves", "part"),
    *("acts", "withdraws", "part", "enters", "part", "enters", "leaves", "acts"),
    *("acts", "enters", "acts", "leaves", "trades", "acts", "part", "acts"),
    *("trades",),
]


def rules(factor: Fraction = Fraction(1)) -> Rules:
    return replace(CALM, sizing=Multiplier(factor))


@settings(deadline=None, max_examples=150)
@example(862023405, Fraction(1), REFUSED_FIRST, True)
@given(
    st.integers(0, 2**32),
    st.fractions(Fraction(1, 4), 3, max_denominator=4),
    st.lists(st.sampled_from(MOVES), min_size=4, max_size=60),
    st.booleans(),
)
def test_flat_is_flat_however_late_it_trades(
    seed: int, factor: Fraction, moves: list[str], trade_too: bool
) -> None:
    world = Laggard(seed, rules(factor))
    for move in moves:
        world.goes_on(move)
        assert not world.oversold
    world.ends(trade_too)
    assert not world.oversold
    assert (world.leaders_net, world.net, world.still_open) == (0, 0, [])


def entered(lots: int, got: int = 0) -> tuple[Laggard, str]:
    """A leader who has bought so many lots, of which the follower `got` some; the rest of the copy
    stands in the market."""
    world = Laggard(0, rules())
    world.reads()
    order = world.buys(lots)
    world.arrives_all()
    own = next(iter(world.account.orders.values()))
    world.account.settle(own)
    world.account.fill(own, got, LOT, 10_000)
    world.hears()
    return world, order


def on_sale(world: Laggard) -> list[int]:
    """The lots of each sale that the broker of the follower knows."""
    world.arrives_all()
    orders = world.account.orders.values()
    return [one.terms.quantity // LOT for one in orders if one.side is Side.SELL]


def test_an_exit_waits_for_its_entry_and_grows_with_it() -> None:
    world, order = entered(3)
    sold = world.sells(3)
    assert on_sale(world) == []
    copy = world.following.book.copies[sold]
    assert (copy.state, copy.reason) == (CopyState.HELD, str(Why.ENTRY))
    world.gets(order, 1)
    assert on_sale(world) == [1]
    world.gets(order, 2)
    assert on_sale(world) == [2]
    world.gets(order, 3)
    assert on_sale(world) == [3]


def test_what_an_exit_waits_for_is_given_up_when_the_leader_has_left() -> None:
    world, order = entered(3, got=1)
    sold = world.sells(3)
    assert on_sale(world) == [1]
    world.passes(0.5)
    assert world.still_open[0].side is Side.BUY
    world.ends(trade_too=False)
    entry, exit_ = (world.following.book.copies[one] for one in (order, sold))
    assert entry.attempts[0].withdrawn is Withdrawal.OVERTAKEN
    assert (entry.filled, exit_.filled, world.net) == (LOT, LOT, 0)
    assert len(world.account.orders) == 2
    reports = [world.report(one) for one in (order, sold)]
    assert [(one.in_step, one.state) for one in reports] == [
        (True, CopyState.CANCELLED),
        (True, CopyState.FILLED),
    ]
    assert reports[0].reason == str(Withdrawal.OVERTAKEN)
    assert world.differences() == []


def test_what_the_leader_still_holds_is_not_given_up() -> None:
    world, order = entered(3)
    world.sells(2)
    for _ in range(20):
        world.passes(1.0)
        assert on_sale(world) == []
    world.gets(order, 3)
    assert on_sale(world) == [2]


def test_an_open_order_of_the_leader_is_not_given_up() -> None:
    world = Laggard(0, rules())
    order = world.buys(3, got=1)
    world.sells(1)
    world.arrives_all()
    for _ in range(5):
        world.passes(1.0)
    assert [one.cancelling for one in world.account.orders.values()] == [False]
    assert world.following.book.copies[order].standing is not None


def test_round_trips_do_not_share() -> None:
    """What the second one got is not sold for the first."""
    world, first = entered(2)
    world.sells(2)
    second = world.buys(2)
    world.arrives_all()
    world.gets(second, 2)
    assert on_sale(world) == []
    world.gets(first, 2)
    assert on_sale(world) == [2]


@pytest.mark.parametrize("got", [0, 1, 3])
def test_a_restart_goes_on_where_it_was(got: int) -> None:
    world, order = entered(3, got=got)
    world.sells(3)
    world.arrives_all()
    world.restart()
    for one in world.leaders.orders.values():
        world.news(one)
    world.reads()
    assert on_sale(world) == ([got] if got else [])
    world.gets(order, 3)
    assert sum(on_sale(world)) == 3
    world.ends(trade_too=True)
    assert world.net == 0


def test_an_exit_that_is_told_late_leaves_what_later_ones_left_over() -> None:
    """The copy of a later one has traded, of which the leader's own fill is not told yet."""
    world, _ = entered(8, got=8)
    world.silent = True
    first = world.sells(2)
    world.silent = False
    later = world.rests(4)
    assert on_sale(world) == [4]
    world.leaders.fill(world.leaders.orders[later], 4, LOT, 10_000)
    world.gets(later, 4)
    assert on_sale(world) == [4]
    world.catches_up()
    assert on_sale(world) == [4, 2]
    assert world.following.book.copies[first].filled == 0
    world.ends(trade_too=True)
    assert (world.net, world.still_open) == (0, [])


def test_an_exit_that_is_known_first_leaves_nothing_behind() -> None:
    """The feed may tell an exit before what it leaves (scenario 7.4)."""
    world = Laggard(0, rules())
    bought = world.leaders.place(KEY, Side.BUY, Product.INTRADAY, terms(2 * LOT, MARKET, 0))
    sold = world.leaders.place(KEY, Side.SELL, Product.INTRADAY, terms(2 * LOT, MARKET, 0))
    for one in (bought, sold):
        world.leaders.confirm(one)
        world.leaders.fill(one, 2, LOT, 10_000)
    for one in (sold, bought):
        world.news(one)
    assert not isinstance(world.following.book.copies[bought.order_id].sizing, Exit)
    world.ends(trade_too=True)
    assert (world.net, world.still_open) == (0, [])


def test_an_order_that_rests_while_the_leader_goes_in_and_out_is_no_exit() -> None:
    """All within one second: what was sold since it was placed left what was bought since."""
    world = Laggard(0, rules())
    resting = world.buys(3, got=0)
    world.buys(2)
    world.sells(2)
    book = world.following.book
    assert book.means.sized(book.orders[resting], rules()) == rules().sizing


def test_what_an_exit_had_no_time_to_sell_is_left_by_the_next_one() -> None:
    """The leader got a part of an order and withdrew it; its copy had traded nothing by then."""
    world, order = entered(6, got=2)
    first = world.rests(3)
    assert on_sale(world) == [1]
    own = list(world.account.orders.values())[-1]
    world.account.settle(own)
    world.hears()
    one = world.leaders.orders[first]
    world.leaders.fill(one, 1, LOT, 10_000)
    world.news(one)
    one.cancelling = True
    world.leaders.settle(one)
    world.news(one)
    world.gets(order, 6)
    world.sells(5)
    assert on_sale(world) == [1, 5]
    world.account.settle(own)
    world.hears()
    assert (own.filled, own.open, on_sale(world)) == (0, False, [1, 6])


def test_a_target_stands_beside_a_stop() -> None:
    """Whichever trades takes the whole position, as it does for the leader."""
    world, _ = entered(2, got=2)
    for _ in range(2):
        world.rests(2)
    assert on_sale(world) == [2, 2]


def test_exits_that_rest_together_share_what_is_there() -> None:
    """Whatever the first one waits for does not go on sale by the second (scenario 4.5)."""
    world, order = entered(4, got=3)
    world.rests(2)
    world.rests(2)
    assert on_sale(world) == [1, 2]
    world.gets(order, 4)
    assert on_sale(world) == [2, 2]
