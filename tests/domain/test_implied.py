"""What is amiss with an entry is amiss until the leader leaves it, and no longer."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.attempts import Attempt, Stage
from domain.copies import Copy
from domain.differences import Followed, Holding
from domain.implied import as_implied, implied
from domain.orders import Product, Side, Status
from domain.sizing import Exit, Multiplier, Sizing
from domain.tickets import Ticket
from tests.domain.builders import HALF, KEY, LOT, after, filled, leader_order, new_copy, terms

HELD = Holding(KEY, Product.INTRADAY)
_LOTS = st.integers(0, 12).map(lambda lots: lots * LOT)


def followed(
    number: int, side: Side, leaders: int, mine: int, sizing: Sizing, asked: int | None = None
) -> Followed:
    """The leader's order of that number, which traded so much, and what its copy traded."""
    order_id, asked = f"{number}", asked or leaders
    whole = leader_order(
        order_id=order_id, side=side, terms=terms(asked), placed_at=after(number), symbol="NIFTY"
    )
    order = filled(whole, leaders, status=Status.TRADED if leaders == asked else Status.CANCELLED)
    return Followed(_copy(order_id, side, mine, sizing), HELD, order, LOT)


def _copy(order_id: str, side: Side, mine: int, sizing: Sizing) -> Copy:
    copy = new_copy(leader_order_id=order_id, sizing=sizing)
    if not mine:
        return copy
    placed = terms(mine)
    ticket = Ticket(f"LS{order_id}-0-0", KEY, side, Product.INTRADAY, placed)
    shown = replace(filled(leader_order(side=side, terms=placed), mine), order_id=f"9{order_id}")
    attempt = Attempt(ticket, 0, Stage.LIVE, after(0), placed, order_id=f"9{order_id}", order=shown)
    return replace(copy, attempts=(attempt,))


def test_what_traded_before_the_leaders_cancel_is_amiss_until_it_is_left() -> None:
    """A find of the days of faults: account and leader were flat, and drift was told for ever."""
    entry = followed(1, Side.BUY, 200, 100, HALF)
    cancelled = followed(2, Side.BUY, 0, 100, HALF, asked=200)
    assert as_implied(entry)
    assert not as_implied(cancelled)
    assert implied([entry, cancelled]) == (100, 100)  # 200 are held
    part = followed(3, Side.SELL, 100, 100, Exit(200, 200, HALF))
    assert implied([entry, cancelled, part]) == (50, 50)  # 100 are held
    rest = followed(4, Side.SELL, 100, 100, Exit(100, 100, HALF))
    assert implied([rest, part, cancelled, entry]) == (0, 0)


def test_what_was_missed_is_not_to_be_bought_once_the_leader_has_left() -> None:
    refused = followed(1, Side.SELL, 200, 0, HALF)
    assert implied([refused]) == (-100, -100)
    nothing = followed(2, Side.BUY, 200, 0, Exit(0, 200, HALF))
    assert implied([refused, nothing]) == (0, 0)


def test_the_next_round_trip_is_judged_for_itself() -> None:
    over = followed(1, Side.BUY, 200, 200, HALF)
    left = followed(2, Side.SELL, 200, 200, Exit(200, 200, HALF))
    missed = followed(3, Side.BUY, 200, 0, HALF)
    assert implied([over, left, missed]) == (100, 100)


def test_an_exit_that_did_not_trade_is_still_to_be_made() -> None:
    entry = followed(1, Side.BUY, 200, 150, HALF)
    refused = followed(2, Side.SELL, 200, 0, Exit(150, 200, HALF))
    assert implied([entry, refused]) == (0, 0)  # 150 are held


@given(
    st.lists(st.tuples(_LOTS.filter(bool), _LOTS), min_size=1, max_size=4),
    st.lists(st.integers(1, 12), max_size=4),
    st.sampled_from(Side),
    st.sampled_from((HALF, Multiplier(Fraction(3, 2)))),
)
def test_flat_is_as_implied_however_the_entries_went(
    entries: list[tuple[int, int]], cuts: list[int], side: Side, rule: Multiplier
) -> None:
    """The leader leaves all of it, in parts; the copies leave the same parts of what they hold."""
    copies = [followed(n, side, leaders, mine, rule) for n, (leaders, mine) in enumerate(entries)]
    leaders, mine = (sum(shares) for shares in zip(*entries, strict=True))
    while leaders:
        quantity = min(leaders, cuts.pop() * LOT if cuts else leaders)
        sizing = Exit(mine, leaders, rule)
        left = sizing.size(quantity, LOT)
        copies.append(followed(len(copies), side.other, quantity, left, sizing))
        leaders, mine = leaders - quantity, mine - left
    assert mine == 0
    low, high = implied(copies)
    assert low <= 0 <= high
    assert high - low <= LOT * (len(copies) - len(entries))
