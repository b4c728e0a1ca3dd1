"""Pauses that double: never longer than the longest, however often something fails."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.pauses import Pauses, doubled

_LONGEST = timedelta(seconds=60)


@given(times=st.integers(0, 30), first=st.sampled_from((0.1, 0.25, 1.0)))
def test_a_pause_doubles_until_the_longest(times: int, first: float) -> None:
    assert doubled(first, times, 60.0) == min(first * 2**times, 60.0)
    assert doubled(timedelta(seconds=first), times, _LONGEST) == min(
        timedelta(seconds=first) * 2**times, _LONGEST
    )


@given(times=st.integers(30, 10**9))
def test_what_fails_for_days_waits_the_longest(times: int) -> None:
    assert doubled(0.1, times, 600.0) == 600.0
    assert doubled(timedelta(milliseconds=250), times, _LONGEST) == _LONGEST


def test_an_account_that_is_throttled_all_day_is_asked_for_every_half_minute() -> None:
    pauses = Pauses[float]()
    told = [pauses.refused(now, now) for now in range(1, 3_000)]
    assert told[:6] == [1, 2, 4, 8, 16, 30]
    assert set(told[6:]) == {30}
    pauses.went_through(3_000)
    assert pauses.refused(3_001, 3_001) == 1
