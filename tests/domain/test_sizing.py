"""How much a follower takes, and how much of it is disclosed (1.5.1, 8.7)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sizing import Bounded, Exit, Fixed, Multiplier, Rounding, Sizing, disclose, parse

many = settings(deadline=None, max_examples=250)

factors = st.fractions(min_value=Fraction(1, 1000), max_value=50, max_denominator=1000)
quantities = st.integers(0, 10**7)
lots = st.sampled_from((1, 15, 25, 50, 65, 1250)) | st.integers(1, 5000)


@given(factors, quantities, lots)
@many
def test_whole_lots_rounded_down_and_never_above(factor: Fraction, quantity: int, lot: int) -> None:
    size = Multiplier(factor).size(quantity, lot)
    assert size % lot == 0
    assert 0 <= size <= quantity * factor < size + lot


@given(factors, quantities, quantities, lots)
@many
def test_more_of_the_leader_is_never_less_of_the_follower(
    factor: Fraction, one: int, other: int, lot: int
) -> None:
    rule = Multiplier(factor)
    few, much = sorted((one, other))
    assert rule.size(few, lot) <= rule.size(much, lot)


@pytest.mark.parametrize(
    ("factor", "quantity", "lot", "size"),
    [
        ("1", 200, 50, 200),
        ("1/2", 200, 50, 100),
        ("1/2", 150, 50, 50),
        ("1/2", 50, 50, 0),
        ("2", 75, 75, 150),
        ("1/3", 3, 1, 1),
        ("1/3", 2, 1, 0),
        ("0.1", 30, 1, 3),
        ("2.5", 65, 65, 130),
    ],
)
def test_multipliers(factor: str, quantity: int, lot: int, size: int) -> None:
    assert Multiplier(Fraction(factor)).size(quantity, lot) == size


multipliers = st.builds(Multiplier, factors, st.sampled_from(Rounding), st.just("capital"))
fixed = st.builds(Fixed, st.integers(1, 10_000), st.booleans())
limits = st.integers(0, 10_000) | st.none()
entries = multipliers | fixed | st.builds(Bounded, multipliers | fixed, limits, limits)
exits = st.builds(Exit, st.integers(0, 10_000), st.integers(1, 10_000), entries)
sizings = entries | exits


@given(sizings)
@many
def test_a_rule_is_read_back_from_its_own_words(rule: Sizing) -> None:
    assert parse(rule.text) == rule


@given(entries, quantities, lots)
@many
def test_entries_are_whole_lots_within_their_bounds(rule: Sizing, quantity: int, lot: int) -> None:
    size = rule.size(quantity, lot)
    assert size >= 0
    assert size % lot == 0
    if isinstance(rule, Bounded) and rule.most is not None:
        assert size <= rule.most


@given(sizings, st.integers(1, 10**5), st.data(), lots)
@many
def test_the_part_of_what_the_leader_got_grows_to_the_whole(
    rule: Sizing, quantity: int, drawn: st.DataObject, lot: int
) -> None:
    few, much = sorted(drawn.draw(st.integers(0, quantity)) for _ in range(2))
    assert rule.part(0, quantity, lot) == 0
    assert rule.part(few, quantity, lot) <= rule.part(much, quantity, lot)
    assert rule.part(much, quantity, lot) <= rule.part(quantity, quantity, lot)
    assert rule.part(quantity, quantity, lot) == rule.size(quantity, lot)


@pytest.mark.parametrize(
    ("text", "quantity", "lot", "size"),
    [
        ("multiplier 1/2 rounded nearest", 195, 65, 130),  # 1.5 lots of NIFTY
        ("multiplier 1/3 rounded nearest", 65, 65, 0),
        ("multiplier 1/10 rounded one_lot", 65, 65, 65),
        ("multiplier 1/10 rounded one_lot", 0, 65, 0),
        ("bounds least 100 of multiplier 1/2", 65, 65, 0),
        ("bounds least 100 of multiplier 1", 65, 65, 130),
        ("bounds most 1755 of multiplier 10", 650, 65, 1755),
        ("bounds most 100 of multiplier 10", 650, 65, 65),
        ("bounds most 50 of multiplier 1/2 rounded one_lot", 650, 65, 0),
        ("quantity 100", 650, 65, 65),
        ("quantity 25", 7, 1, 25),
        ("lots 2", 1300, 65, 130),
        ("lots 3", 100, 100, 300),  # MCX gold mini
        ("lots 3", 0, 100, 0),
        ("exit 65 of 195, beyond multiplier 1/3", 195, 65, 65),
        ("exit 65 of 195, beyond multiplier 1/3", 130, 65, 0),
        ("exit 65 of 195, 130 to come, beyond multiplier 1/3", 195, 65, 65),
        ("exit 130 of 195, beyond multiplier 1/2", 65, 65, 0),
        ("exit 7 of 10, beyond multiplier 1", 10, 1, 7),
        ("exit 7 of 10, beyond multiplier 1", 5, 1, 3),
        ("exit 7 of 10, beyond multiplier 1/2", 14, 1, 9),
        ("exit 0 of 10, beyond multiplier 1/2", 10, 1, 0),
    ],
)
def test_what_a_rule_takes(text: str, quantity: int, lot: int, size: int) -> None:
    assert parse(text).size(quantity, lot) == size


@pytest.mark.parametrize(
    "words",
    [
        "",
        "lots",
        "lots two",
        "lots 0",
        "quantity -5",
        "multiplier",
        "multiplier x",
        "multiplier 1/0",
        "multiplier -1",
        "multiplier 1 rounded",
        "multiplier 1 rounded up",
        "multiplier 1 doubled 2",
        "bounds least -5 of lots 1",
        "bounds of",
        "bounds least 5",
        "exit 1 of 0, beyond lots 1",
        "exit 1 of 2",
        "astrology 7",
    ],
)
def test_words_of_another_version_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"^sizing"):
        parse(words)


@pytest.mark.parametrize("factor", [Fraction(0), Fraction(-1, 2)])
def test_a_multiplier_of_nothing_is_refused(factor: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Multiplier(factor)


class Thrice:
    """A rule that this version does not know: whatever has these two members will do."""

    text = "thrice"

    def size(self, quantity: int, lot: int) -> int:
        return quantity * 3 // lot * lot

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return min(self.size(filled, lot), self.size(quantity, lot))


def test_another_rule_needs_nothing_but_a_size_and_words() -> None:
    rule: Sizing = Thrice()
    assert (rule.size(50, 50), rule.text) == (150, "thrice")


@given(st.data(), lots)
@many
def test_s1_5_1_the_same_share_is_disclosed(data: st.DataObject, lot: int) -> None:
    quantity = lot * data.draw(st.integers(1, 400))
    scaled = lot * data.draw(st.integers(1, 400))
    disclosed = data.draw(st.integers(0, quantity))
    part = disclose(disclosed, quantity, scaled, lot)
    assert 0 <= part < scaled
    assert part % lot == 0
    if part:
        assert part * 10 > scaled * 3, "Dhan wants more than 30 %"
        assert part * quantity >= disclosed * scaled, "less than the leader's share"
        least = max(Fraction(disclosed, quantity), Fraction(3, 10)) * scaled
        assert part - lot <= least, "more than a lot too much"
    else:
        everything = disclosed in (0, quantity)
        assert everything or scaled - max(disclosed * scaled / quantity, 0.3 * scaled) <= lot


@pytest.mark.parametrize(
    ("disclosed", "quantity", "scaled", "lot", "part"),
    [
        (0, 1000, 500, 1, 0),
        (400, 1000, 500, 1, 200),
        (300, 1000, 500, 1, 151),
        (10, 1000, 1000, 1, 301),
        (1000, 1000, 500, 1, 0),
        (150, 300, 100, 50, 50),
        (100, 300, 50, 50, 0),
        (333, 1000, 100, 1, 34),
    ],
)
def test_disclosed_parts(disclosed: int, quantity: int, scaled: int, lot: int, part: int) -> None:
    assert disclose(disclosed, quantity, scaled, lot) == part
