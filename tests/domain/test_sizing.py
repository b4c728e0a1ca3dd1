"""How much a follower takes, and how much of it is disclosed (1.5.1, 8.7)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sizing import Multiplier, Sizing, disclose, parse

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


@given(factors)
@many
def test_a_rule_is_read_back_from_its_own_words(factor: Fraction) -> None:
    rule: Sizing = Multiplier(factor)
    assert parse(rule.text) == rule


@pytest.mark.parametrize(
    "words", ["", "lots 2", "multiplier", "multiplier x", "multiplier 1/0", "multiplier -1"]
)
def test_words_of_another_version_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
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
