"""A flattened follower ends flat, by exits that are never doubled."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actors.flattened import Flattened


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 25),
    after=st.integers(0, 40),
    restarts=st.sets(st.integers(0, 40), max_size=3),
    freeze=st.sampled_from((None, 151)),
)
def test_it_ends_flat_and_never_overshoots(
    seed: int, before: int, after: int, restarts: set[int], freeze: int | None
) -> None:
    world = Flattened(seed, freeze)
    for _ in range(before):
        world.leads() if world.chance.random() < 0.3 else world.acts()
    world.flatten()
    for number in range(after):
        if number in restarts:
            world.restart()
        world.leads() if world.chance.random() < 0.1 else world.acts()
        assert not world.overshoot
    world.calms()
    assert world.following.flattening.flat, world.following.flattening.waits
    assert world.net == 0
    assert world.still_open == []
