"""Instants survive the ledger to the microsecond."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.instants import instant, micros

_AWARE = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(_AWARE)
@settings(deadline=None, max_examples=200)
def test_an_instant_comes_back_as_it_was_in_ist(at: datetime) -> None:
    back = instant(micros(at))
    assert back == at
    assert back.utcoffset() == timedelta(hours=5, minutes=30)


@given(_AWARE, _AWARE)
@settings(deadline=None, max_examples=200)
def test_numbers_sort_as_instants_do(one: datetime, other: datetime) -> None:
    assert (micros(one) < micros(other)) == (one < other)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        micros(datetime(2026, 11, 25, 9, 15))
