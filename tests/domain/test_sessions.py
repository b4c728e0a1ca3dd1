"""Market hours: a table of 2026, the holidays, and the cheap form that remembers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.hours import Hours
from domain.instruments import Segment
from domain.sessions import IST, Phase, phase_at

CASH = (Segment.NSE_EQ, Segment.BSE_EQ)
DERIVATIVES = (Segment.NSE_FNO, Segment.BSE_FNO)
CURRENCY = (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
COMMODITIES = (Segment.MCX_COMM, Segment.NSE_COMM)
TRADED = (*CASH, *DERIVATIVES, *CURRENCY, *COMMODITIES)

_HOLIDAYS = (
    "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 "
    "12-25"
)
HOLIDAYS = tuple(date.fromisoformat(f"2026-{day}") for day in _HOLIDAYS.split())

instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30), timezones=st.just(UTC))


def ist(written: str) -> datetime:
    """An instant in Indian time."""
    local: datetime = IST.localize(datetime.fromisoformat(written))
    return local


OLD_DAY = [
    ("09:14:59", Phase.CLOSED),
    ("09:15:00", Phase.OPEN),
    ("15:29:59", Phase.OPEN),
    ("15:30:00", Phase.CLOSED),
]
NEW_DERIVATIVES = [
    ("08:59:59", Phase.CLOSED),
    ("09:00:00", Phase.PRE_OPEN),
    ("09:07:59", Phase.PRE_OPEN),
    ("09:08:00", Phase.BUFFER),
    ("09:15:00", Phase.OPEN),
    ("15:39:59", Phase.OPEN),
    ("15:40:00", Phase.CLOSED),
]
NEW_CASH = [
    ("09:00:00", Phase.PRE_OPEN),
    ("09:08:00", Phase.BUFFER),
    ("09:14:59", Phase.BUFFER),
    ("09:15:00", Phase.OPEN),
    ("15:14:59", Phase.OPEN),
    ("15:15:00", Phase.CLOSING_AUCTION),
    ("15:34:59", Phase.CLOSING_AUCTION),
    ("15:35:00", Phase.CLOSED),
    ("15:59:00", Phase.CLOSED),
]
MONEY = [
    ("08:59:59", Phase.CLOSED),
    ("09:00:00", Phase.OPEN),
    ("16:59:59", Phase.OPEN),
    ("17:00:00", Phase.CLOSED),
]
SUMMER = [("09:00:00", Phase.OPEN), ("23:29:59", Phase.OPEN), ("23:30:00", Phase.CLOSED)]
WINTER = [("08:59:59", Phase.CLOSED), ("23:54:59", Phase.OPEN), ("23:55:00", Phase.CLOSED)]

TABLE = [
    (segment, day, clock, phase)
    for segments, days, hours in (
        (DERIVATIVES, ("2026-07-31", "2026-02-10"), OLD_DAY),
        (DERIVATIVES, ("2026-08-03", "2026-11-25"), NEW_DERIVATIVES),
        (CASH, ("2026-07-31",), [("09:00:00", Phase.PRE_OPEN), *OLD_DAY[1:]]),
        (CASH, ("2026-08-03", "2026-11-25"), NEW_CASH),
        (CURRENCY, ("2026-02-10", "2026-11-25"), MONEY),
        (COMMODITIES, ("2026-03-09", "2026-10-30"), SUMMER),
        (COMMODITIES, ("2026-03-06", "2026-11-02", "2026-11-25"), WINTER),
    )
    for segment in segments
    for day in days
    for clock, phase in hours
]


@pytest.mark.parametrize(("segment", "day", "clock", "phase"), TABLE)
def test_s6_1_to_s6_3_the_hours_of_2026(
    segment: Segment, day: str, clock: str, phase: Phase
) -> None:
    assert phase_at(segment, ist(f"{day} {clock}")).phase is phase


@pytest.mark.parametrize("day", HOLIDAYS)
def test_s6_5_exchange_holidays_are_closed_all_day(day: date) -> None:
    for segment in (*CASH, *DERIVATIVES, *CURRENCY):
        for hour in (9, 10, 12, 15):
            at = IST.localize(datetime.combine(day, time(hour, 20)))
            assert phase_at(segment, at).phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("day", "traded"),
    [
        ("2026-01-26", False),
        ("2026-04-03", False),
        ("2026-10-02", False),
        ("2026-12-25", False),
        ("2026-11-10", True),
        ("2026-11-25", True),
        ("2026-11-28", False),
    ],
)
def test_s6_5_the_evenings_of_commodities(day: str, traded: bool) -> None:
    assert phase_at(Segment.MCX_COMM, ist(f"{day} 20:00")).open is traded


def test_every_other_weekday_of_2026_is_open_and_no_weekend_is() -> None:
    day = date(2026, 1, 1)
    while day.year == 2026:
        noon = IST.localize(datetime.combine(day, time(12, 0)))
        trading = day.weekday() < 5 and day not in HOLIDAYS
        for segment in (*CASH, *DERIVATIVES, *CURRENCY):
            assert phase_at(segment, noon).open is trading, day
        day += timedelta(days=1)


def test_what_comes_next_is_told_over_weekends_and_holidays() -> None:
    now = phase_at(Segment.NSE_FNO, ist("2026-11-20 15:40"))
    assert (now.phase, now.next_phase) == (Phase.CLOSED, Phase.PRE_OPEN)
    assert now.next_at == ist("2026-11-23 09:00")
    now = phase_at(Segment.NSE_FNO, ist("2026-11-23 16:00"))
    assert now.next_at == ist("2026-11-25 09:00"), "24 November is a holiday"
    now = phase_at(Segment.NSE_EQ, ist("2026-11-25 10:00"))
    assert (now.next_phase, now.next_at) == (Phase.CLOSING_AUCTION, ist("2026-11-25 15:15"))
    now = phase_at(Segment.NSE_EQ, ist("2026-11-25 15:20"))
    assert (now.next_phase, now.next_at) == (Phase.CLOSED, ist("2026-11-25 15:35"))


@pytest.mark.parametrize(
    ("phase", "is_open", "takes_orders"),
    [
        (Phase.CLOSED, False, False),
        (Phase.PRE_OPEN, False, True),
        (Phase.BUFFER, False, False),
        (Phase.OPEN, True, True),
        (Phase.CLOSING_AUCTION, False, True),
    ],
)
def test_what_a_phase_admits(phase: Phase, is_open: bool, takes_orders: bool) -> None:
    assert (phase.open, phase.takes_orders) == (is_open, takes_orders)


@given(st.sampled_from(TRADED), instants)
@settings(deadline=None, max_examples=200)
def test_a_phase_lasts_exactly_until_the_next(segment: Segment, at: datetime) -> None:
    now = phase_at(segment, at)
    assert now.next_at > at
    assert now.next_phase is not now.phase
    assert phase_at(segment, now.next_at - timedelta(microseconds=1)).phase is now.phase
    assert phase_at(segment, now.next_at).phase is now.next_phase


@given(
    st.lists(st.tuples(st.sampled_from(TRADED), instants), min_size=1, max_size=6),
    st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)))),
)
@settings(deadline=None, max_examples=100)
def test_what_is_remembered_is_what_would_be_found(
    asked: list[tuple[Segment, datetime]], zone: timezone
) -> None:
    hours = Hours()
    for segment, at in asked:
        local, found = at.astimezone(zone), phase_at(segment, at)
        assert hours.at(segment, local) == hours.at(segment, local) == found
        before = found.next_at - timedelta(microseconds=1)
        for near in (before, found.next_at, before, at):
            assert hours.at(segment, near) == phase_at(segment, near)


def test_a_phase_that_lasts_is_found_once() -> None:
    hours = Hours()
    first = hours.at(Segment.NSE_FNO, ist("2026-11-25 10:00"))
    assert hours.at(Segment.NSE_FNO, ist("2026-11-25 15:39:59")) is first
    assert hours.at(Segment.NSE_FNO, ist("2026-11-25 15:40:00")) is not first


def test_many_threads_may_ask() -> None:
    hours, noon = Hours(), ist("2026-11-25 12:00")
    asked = [(segment, noon + timedelta(hours=n % 30)) for n in range(300) for segment in TRADED]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda one: hours.at(*one).phase, asked))
    expected = {one: phase_at(*one).phase for one in set(asked)}
    assert told == [expected[one] for one in asked]


def test_naive_instants_are_refused() -> None:
    for ask in (phase_at, Hours().at):
        with pytest.raises(ValueError, match="time zone"):
            ask(Segment.NSE_EQ, datetime(2026, 11, 25, 10))


def test_a_remembered_phase_does_not_excuse_a_naive_instant() -> None:
    hours = Hours()
    hours.at(Segment.NSE_EQ, ist("2026-11-25 10:00"))
    with pytest.raises(ValueError, match="time zone"):
        hours.at(Segment.NSE_EQ, datetime(2026, 11, 25, 10, 30))
