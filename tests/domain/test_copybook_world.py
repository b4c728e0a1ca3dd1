"""Whatever happens, in whatever order: one copy, never too much, and in the end what the rule says.

The world in `tests.domain.world` asserts at every request that it may be made; here hypothesis
chooses what happens, and in the end everything must come to rest in the right state (scenarios
2.1-2.7, 3.1-3.5, 5.1, 7.3, 7.4, 7.6, 7.7, 8.1-8.3).
"""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.orders import OrderType, Terms, Validity
from tests.domain.builders import CONTRACT, LOT
from tests.domain.moves import CHOICES, begin, play
from tests.domain.world import World


@st.composite
def first_terms(draw: st.DrawFn) -> Terms:
    """What a leader first asks for."""
    kind = draw(st.sampled_from(OrderType))
    return Terms(
        quantity=LOT * draw(st.integers(1, 8)),
        order_type=kind,
        price=10_000 if kind.has_price else 0,
        trigger=9_950 if kind.has_trigger else 0,
        validity=draw(st.sampled_from((Validity.DAY, Validity.DAY, Validity.IOC))),
    )


@given(
    asked=first_terms(),
    begun=st.booleans(),
    max_age=st.sampled_from((timedelta(seconds=30), timedelta(hours=1))),
    factor=st.sampled_from((Fraction(1), Fraction(1, 2), Fraction(7, 3))),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=700)
def test_any_interleaving_ends_in_step(
    asked: Terms, begun: bool, max_age: timedelta, factor: Fraction, seed: int
) -> None:
    """Long stories, by seed: they go deeper than lists of moves that hypothesis grows."""
    world, chance = World(asked, max_age, factor), Random(seed)
    if begun:
        begin(world)
    names = chance.choices(CHOICES, k=chance.randrange(10, 100))
    play(world, [(name, chance.randrange(2**12)) for name in names])
    world.quiesce()
    world.check_end()


@given(
    asked=first_terms(),
    most=st.integers(1, 5),
    factor=st.sampled_from((Fraction(1), Fraction(7, 3))),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=120)
def test_s1_8_slices_end_in_step_together(
    asked: Terms, most: int, factor: Fraction, seed: int
) -> None:
    """As above, with a freeze quantity that makes several orders of most copies."""
    contract = replace(CONTRACT, freeze=most * LOT + 1)
    world, chance = World(asked, factor=factor, contract=contract), Random(seed)
    names = chance.choices(CHOICES, k=chance.randrange(10, 100))
    play(world, [(name, chance.randrange(2**12)) for name in names])
    world.quiesce()
    world.check_end()


@given(
    asked=first_terms(),
    most=st.sampled_from((None, 2)),
    factor=st.sampled_from((Fraction(1), Fraction(1, 2), Fraction(7, 3))),
    turns=st.booleans(),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_an_inverse_follower_ends_in_step_on_the_other_side(
    asked: Terms, most: int | None, factor: Fraction, turns: bool, seed: int
) -> None:
    """As above, with or without slices; the rule may be turned at any time."""
    contract = CONTRACT if most is None else replace(CONTRACT, freeze=most * LOT + 1)
    world, chance = World(asked, factor=factor, contract=contract, inverse=True), Random(seed)
    world.leader_confirms()
    often = ("the leader's order trades", "the feed tells in order", "the copy trades") * 4
    works = ("a request is carried out", "the exchange works", "the leader's order ends")
    names = [*CHOICES, *often, *works]
    names = chance.choices(names, k=chance.randrange(10, 100))
    for name in names:
        play(world, [(name, chance.randrange(2**12))])
        if turns and chance.random() < 0.1:
            world.turn(chance.random() < 0.5)
    world.quiesce()
    world.check_end()


@given(
    asked=first_terms(),
    max_age=st.sampled_from((timedelta(seconds=30), timedelta(hours=1))),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=150)
def test_whatever_follows_the_operators_word_ends_in_step(
    asked: Terms, max_age: timedelta, seed: int
) -> None:
    world, chance = World(asked, max_age), Random(seed)
    world.leader_confirms()
    world.feed(1, keep=False)
    names = [
        "a request is lost and given up",
        *chance.choices(CHOICES, k=chance.randrange(4)),
        "the operator settles",
        *chance.choices(CHOICES, k=chance.randrange(60)),
    ]
    play(world, [(name, chance.randrange(2**12)) for name in names])
    world.quiesce()
    world.check_end()


class CopyMachine(RuleBasedStateMachine):
    """The same world, driven rule by rule, so that a failure shrinks to a readable story."""

    world: World

    @initialize(asked=first_terms(), begun=st.booleans())
    def start(self, asked: Terms, begun: bool) -> None:
        self.world = World(asked)
        if begun:
            begin(self.world)

    @rule(name=st.sampled_from(CHOICES), which=st.integers(0, 2**12))
    def move(self, name: str, which: int) -> None:
        play(self.world, [(name, which)])

    def teardown(self) -> None:
        self.world.quiesce()
        self.world.check_end()


CopyMachine.TestCase.settings = settings(deadline=None, max_examples=50, stateful_step_count=50)
TestCopyMachine = CopyMachine.TestCase
