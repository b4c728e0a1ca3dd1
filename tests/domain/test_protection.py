"""Protected prices: on a tick, beyond the reference, inside the circuit (1.1.1, 1.1.4)."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.instruments import Instrument
from domain.orders import Side
from domain.protection import Protection
from tests.domain.builders import CONTRACT

many = settings(deadline=None, max_examples=250)

ticks = st.sampled_from((1, 5, 10, 25, 100)) | st.integers(1, 1000)
prices = st.integers(1, 10**7)
bands = st.fractions(min_value=0, max_value=Fraction(1, 4), max_denominator=1000)
chases = st.integers(0, 4)


@given(st.sampled_from(Side), prices, ticks, bands, chases)
@many
def test_limits_are_on_a_tick_and_a_band_beyond(
    side: Side, reference: int, tick: int, band: Fraction, chase: int
) -> None:
    assume(reference > 2 * tick)
    protection = Protection(band, chase_times=2)
    limit = protection.limit(side, reference, replace(CONTRACT, tick=tick), chase)
    beyond = limit - reference if side is Side.BUY else reference - limit
    width = reference * band * (1 + min(chase, 2))
    assert limit % tick == 0
    assert limit > 0
    assert beyond >= tick or limit == tick
    assert beyond <= width or beyond < 2 * tick, "further than the band"
    assert beyond > width - tick - 1 or limit == tick, "less than the band by more than a tick"


@given(st.sampled_from(Side), prices, ticks, bands, chases, prices, prices)
@many
def test_limits_stay_inside_the_circuit(
    side: Side, reference: int, tick: int, band: Fraction, chase: int, one: int, other: int
) -> None:
    lower, upper = sorted((one, other))
    contract = replace(CONTRACT, tick=tick, lower=lower, upper=upper)
    assume(contract.snap_up(lower) <= contract.snap_down(upper) <= upper)
    limit = Protection(band).limit(side, reference, contract, chase)
    assert lower <= limit <= upper
    assert limit % tick == 0


@given(st.sampled_from(Side), prices, ticks, bands)
@many
def test_each_chase_goes_at_least_as_far(
    side: Side, reference: int, tick: int, band: Fraction
) -> None:
    contract, protection = replace(CONTRACT, tick=tick), Protection(band, chase_times=3)
    limits = [protection.limit(side, reference, contract, chase) for chase in range(6)]
    assert limits == sorted(limits, reverse=side is Side.SELL)
    assert limits[3] == limits[4] == limits[5]


@pytest.mark.parametrize(
    ("side", "reference", "chase", "limit"),
    [
        (Side.BUY, 10_000, 0, 10_100),
        (Side.SELL, 10_000, 0, 9_900),
        (Side.BUY, 10_000, 1, 10_200),
        (Side.SELL, 10_000, 2, 9_700),
        (Side.BUY, 10_000, 9, 10_300),
        (Side.BUY, 10_003, 0, 10_100),
        (Side.SELL, 10_003, 0, 9_905),
        (Side.BUY, 101, 0, 110),
        (Side.SELL, 101, 0, 95),
        (Side.BUY, 5, 0, 10),
        (Side.SELL, 5, 0, 5),
        (Side.SELL, 1, 0, 5),
    ],
)
def test_limits_with_a_band_of_one_percent(
    side: Side, reference: int, chase: int, limit: int
) -> None:
    assert Protection().limit(side, reference, CONTRACT, chase) == limit


def test_circuit_limits_that_are_on_no_tick_are_moved_inwards() -> None:
    contract = Instrument(CONTRACT.key, lot=1, tick=5, upper=10_052, lower=9_948)
    assert Protection().limit(Side.BUY, 10_000, contract) == 10_050
    assert Protection().limit(Side.SELL, 10_000, contract) == 9_950


def test_an_instrument_without_lot_or_tick_is_refused() -> None:
    for lot, tick in ((0, 5), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            Instrument(CONTRACT.key, lot=lot, tick=tick)
