"""What the copies of legs that stand alone hold still."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.lone import Trade, lone_shares


def leg(shares: int) -> Trade:
    return Trade(shares, lone=True)


@pytest.mark.parametrize(
    ("before", "trades", "left"),
    [
        (0, [], 0),
        (0, [leg(65)], 65),
        (0, [leg(-65)], -65),
        (0, [leg(65), leg(-65)], 0),
        (0, [leg(65), leg(-25)], 40),
        (0, [leg(65), leg(65)], 130),
        # The leader left it before it was known to stand alone; what came after is not its own.
        (0, [leg(65), Trade(-65)], 0),
        (0, [leg(65), Trade(-65), Trade(65)], 0),
        (0, [leg(65), Trade(-25), Trade(25)], 40),
        # What was or is held beside it is left alone, by it and by the exits of the others.
        (65, [leg(65)], 65),
        (65, [leg(65), Trade(-65)], 65),
        (65, [leg(65), Trade(-130)], 0),
        (0, [leg(65), Trade(130), Trade(-130)], 65),
        (0, [leg(65), leg(-65), Trade(65), Trade(-65), leg(65)], 65),
        (-65, [leg(65)], 0),
        (0, [leg(-65), Trade(65)], 0),
    ],
)
def test_exits_take_what_else_is_held_first(
    before: int, trades: Sequence[Trade], left: int
) -> None:
    assert lone_shares(before, trades) == left


@given(st.integers(-5, 5), st.lists(st.builds(Trade, st.integers(-5, 5), st.booleans())))
def test_no_more_is_left_than_is_held(before: int, trades: Sequence[Trade]) -> None:
    held = before + sum(one.shares for one in trades)
    left = lone_shares(before, trades)
    assert left * (held - left) >= 0, "the rest would be on the other side"
    assert abs(left) <= abs(held)
    assert lone_shares(before, [Trade(one.shares) for one in trades]) == 0
