"""Flat is flat also where copies go in slices that wait for permits, and end short as an IOC."""

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import holdings
from tests.actors.sliced import Sliced
from tests.actors.test_late_entries import MOVES, rules

ALL_MOVES = (*MOVES, "iocs", "permit", "permit", "acts", "acts")
FREEZE = st.sampled_from((None, 101, 151, 201))


@dataclass(frozen=True)
class Drawn:
    """A world, and what happens in it."""

    seed: int
    factor: Fraction
    moves: list[str]
    trade_too: bool
    freeze: int | None
    scarce: bool

    def world(self) -> Sliced:
        """As it begins."""
        return Sliced(self.seed, rules(self.factor), self.freeze, self.scarce)


WORLDS = st.builds(
    Drawn,
    st.integers(0, 2**32),
    st.fractions(Fraction(1, 4), 2, max_denominator=4),
    st.lists(st.sampled_from(ALL_MOVES), min_size=4, max_size=60),
    st.booleans(),
    FREEZE,
    st.booleans(),
)


@settings(deadline=None, max_examples=150)
@given(WORLDS)
def test_flat_is_flat_in_slices_too(drawn: Drawn) -> None:
    world = drawn.world()
    for move in drawn.moves:
        world.goes_on(move)
        assert not world.oversold
    world.ends(drawn.trade_too)
    assert not world.oversold
    assert (world.leaders_net, world.net, world.still_open) == (0, 0, [])


@settings(deadline=None, max_examples=60)
@given(WORLDS)
def test_nothing_depends_on_the_room_of_what_is_settled(drawn: Drawn) -> None:
    placed = []
    for settled in (holdings._settled, lambda *_: False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(holdings, "_settled", settled)
            world = drawn.world()
            for move in drawn.moves:
                world.goes_on(move)
            world.ends(drawn.trade_too)
        placed.append(list(world.account.orders.values()))
    assert placed[0] == placed[1]
