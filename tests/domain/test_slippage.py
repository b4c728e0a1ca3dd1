"""Slippage: positive is worse for the follower (4.4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.orders import Side
from domain.slippage import slippage

many = settings(deadline=None, max_examples=250)
shares, prices = st.integers(1, 10**6), st.integers(1, 10**7)


@pytest.mark.parametrize(
    ("side", "leaders", "followers", "paise", "points"),
    [
        (Side.BUY, 10_000, 10_010, 500, 10.0),
        (Side.BUY, 10_000, 9_990, -500, -10.0),
        (Side.SELL, 10_000, 9_990, 500, 10.0),
        (Side.SELL, 10_000, 10_010, -500, -10.0),
        (Side.BUY, 10_000, 10_000, 0, 0.0),
    ],
)
def test_s4_4_the_sign_is_the_followers(
    side: Side, leaders: int, followers: int, paise: int, points: float
) -> None:
    cost = slippage(side, leaders * 200, 200, followers * 50, 50)
    assert cost is not None
    assert (cost.paise, cost.basis_points) == (paise, points)


@given(shares, prices, shares, prices)
@many
def test_s4_4_what_is_worse_to_buy_is_better_to_sell(
    leaders: int, fair: int, followers: int, price: int
) -> None:
    bought = slippage(Side.BUY, fair * leaders, leaders, price * followers, followers)
    sold = slippage(Side.SELL, fair * leaders, leaders, price * followers, followers)
    assert bought is not None
    assert sold is not None
    assert bought.paise == -sold.paise == (price - fair) * followers
    assert (bought.paise > 0) == (price > fair)
    assert bought.basis_points == pytest.approx((price / fair - 1) * 10_000, abs=0.006)


@given(shares, st.integers(1, 10**9), shares)
@many
def test_s4_4_the_leaders_own_prices_cost_nothing(leaders: int, value: int, followers: int) -> None:
    same = slippage(Side.BUY, value * followers, leaders * followers, value, leaders)
    assert same is not None
    assert (same.paise, same.basis_points) == (0, 0.0)


@pytest.mark.parametrize("fills", [(0, 0, 50, 5), (50, 5, 0, 0), (0, 5, 50, 5)])
def test_without_fills_on_both_sides_there_is_none(fills: tuple[int, int, int, int]) -> None:
    leader_value, leader_filled, value, filled = fills
    assert slippage(Side.BUY, leader_value, leader_filled, value, filled) is None
