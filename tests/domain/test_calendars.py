"""Days as a calendar lays them out: whole, whatever special sessions and closures are in it."""

import itertools
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import domain
from domain.calendars import Calendar, Special, us_summer
from domain.exchanges import exchanges
from domain.hours import Hours
from domain.instruments import Segment
from domain.schedules import Schedule
from domain.sessions import IST, Phase

CLOSED, OPEN, HALTED = Phase.CLOSED, Phase.OPEN, Phase.HALTED
FNO, EQ, MCX = Segment.NSE_FNO, Segment.NSE_EQ, Segment.MCX_COMM


def ist(written: str) -> datetime:
    local: datetime = IST.localize(datetime.fromisoformat(written))
    return local


def special(start: str, end: str, opens: bool, *segments: Segment) -> Special:
    return Special(frozenset(segments or (FNO,)), ist(start), ist(end), opens)


def with_(*specials: Special, years: tuple[int, ...] = ()) -> Calendar:
    return exchanges().amended(specials, years)


def day(calendar: Calendar, schedule: Schedule, written: str) -> list[tuple[str, Phase]]:
    """From when each phase of the day is."""
    spans = calendar.day(schedule, date.fromisoformat(written))
    return [(f"{span.start:%H:%M}", span.phase) for span in spans]


def test_s6_5_a_session_on_a_sunday_is_added() -> None:
    muhurat = with_(special("2026-11-08 18:00", "2026-11-08 19:00", True, FNO, EQ))
    traded = [("00:00", CLOSED), ("18:00", OPEN), ("19:00", CLOSED)]
    for schedule in (Schedule.NSE_FNO, Schedule.NSE_EQ, Schedule.NSE_EQ_PLAIN):
        assert day(muhurat, schedule, "2026-11-08") == traded
    assert day(muhurat, Schedule.BSE_EQ, "2026-11-08") == [("00:00", CLOSED)]
    friday = muhurat.phase_at(Schedule.NSE_FNO, ist("2026-11-06 15:40"))
    assert (friday.next_phase, friday.next_at) == (OPEN, ist("2026-11-08 18:00"))


def test_s6_5_a_day_is_taken_away() -> None:
    closed = with_(special("2026-11-25 00:00", "2026-11-26 00:00", False))
    assert day(closed, Schedule.NSE_FNO, "2026-11-25") == [("00:00", CLOSED)]
    assert day(closed, Schedule.NSE_EQ, "2026-11-25") == day(
        exchanges(), Schedule.NSE_EQ, "2026-11-25"
    )


def test_s6_5_a_morning_is_taken_away_and_the_evening_stays() -> None:
    closed = with_(special("2026-11-25 09:00", "2026-11-25 17:00", False, MCX))
    evening = [("00:00", CLOSED), ("17:00", OPEN), ("23:55", CLOSED)]
    assert day(closed, Schedule.MCX_COMM, "2026-11-25") == evening
    assert day(closed, Schedule.MCX_COMM_AGRI, "2026-11-25") == [("00:00", CLOSED)]


def test_s6_6_a_halt_is_no_time_for_after_market_orders() -> None:
    halt = with_(special("2026-11-25 11:00", "2026-11-25 11:45", False))
    assert day(halt, Schedule.NSE_FNO, "2026-11-25")[3:] == [
        ("09:15", OPEN),
        ("11:00", HALTED),
        ("11:45", OPEN),
        ("15:40", CLOSED),
    ]
    now = halt.phase_at(Schedule.NSE_FNO, ist("2026-11-25 11:00"))
    assert (now.phase, now.next_at) == (HALTED, ist("2026-11-25 11:45"))
    assert not now.phase.after_market


def test_a_halt_to_the_end_of_the_day_ends_the_day() -> None:
    halt = with_(special("2026-11-25 14:00", "2026-11-25 23:00", False))
    assert day(halt, Schedule.NSE_FNO, "2026-11-25")[-2:] == [("09:15", OPEN), ("14:00", CLOSED)]


def test_a_pause_of_the_exchanges_own_is_no_halt() -> None:
    evening = with_(special("2026-11-25 18:00", "2026-11-25 19:00", True))
    tail = [("09:15", OPEN), ("15:40", CLOSED), ("18:00", OPEN), ("19:00", CLOSED)]
    assert day(evening, Schedule.NSE_FNO, "2026-11-25")[-4:] == tail


def test_a_session_counts_where_it_overlaps_a_closure_in_any_order() -> None:
    closed = special("2026-11-25 00:00", "2026-11-26 00:00", False)
    session = special("2026-11-25 18:00", "2026-11-25 19:00", True)
    for specials in ((closed, session), (session, closed)):
        assert day(with_(*specials), Schedule.NSE_FNO, "2026-11-25") == [
            ("00:00", CLOSED),
            ("18:00", OPEN),
            ("19:00", CLOSED),
        ]


def test_a_session_may_go_over_midnight() -> None:
    night = with_(special("2026-11-25 22:00", "2026-11-26 02:00", True))
    now = night.phase_at(Schedule.NSE_FNO, ist("2026-11-25 23:59:59"))
    assert (now.phase, now.next_at) == (OPEN, ist("2026-11-26 02:00"))
    assert day(night, Schedule.NSE_FNO, "2026-11-26")[:2] == [("00:00", OPEN), ("02:00", CLOSED)]


def test_nothing_ever_changing_is_an_error() -> None:
    never = with_(special("2026-01-01 00:00", "2029-01-01 00:00", False))
    with pytest.raises(LookupError, match="NSE_FNO"):
        never.phase_at(Schedule.NSE_FNO, ist("2026-11-25 10:00"))


@pytest.mark.parametrize(
    ("at", "known", "unknown"),
    [
        ("2026-10-31 23:59:59", (), None),
        ("2026-11-01 00:00:00", (), 2027),
        ("2026-11-30 12:00:00", (), 2027),
        ("2026-11-30 12:00:00", (2027,), None),
        ("2026-12-31 23:59:59", (2028,), 2027),
        ("2027-01-01 00:00:00", (), 2027),
        ("2027-01-01 00:00:00", (2027,), None),
        ("2027-11-01 00:00:00", (2027,), 2028),
        ("2025-12-31 00:00:00", (), 2025),
    ],
)
def test_a_year_without_holidays_is_told_from_november_on(
    at: str, known: tuple[int, ...], unknown: int | None
) -> None:
    assert with_(years=known).unknown_year(ist(at)) == unknown


def test_the_usa_switch_on_sundays() -> None:
    switches = [("2026-03-08", "2026-11-01"), ("2027-03-14", "2027-11-07")]
    for begins, ends in switches:
        first, last = date.fromisoformat(begins), date.fromisoformat(ends)
        told = [us_summer(one) for one in (first - timedelta(1), first, last - timedelta(1), last)]
        assert told == [False, True, True, False]


def test_every_entry_says_where_it_is_from_and_as_of_when() -> None:
    path = Path(domain.__file__).with_name("exchanges.toml")
    said = tomllib.loads(path.read_text())
    for entry in (*said["hours"], *said["holidays"]):
        assert len(entry["source"]) > 10
        assert isinstance(entry["date"], date)


def test_hours_are_in_the_package_that_is_installed() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["package-data"]["domain"] == ["*.toml"]


def test_another_calendar_counts_at_once_and_the_one_before_no_more() -> None:
    hours, at = Hours(), ist("2026-11-25 11:15")
    assert hours.at(Schedule.NSE_FNO, at).phase is OPEN
    hours.follow(with_(special("2026-11-25 11:00", "2026-11-25 11:45", False)))
    assert hours.at(Schedule.NSE_FNO, at).phase is HALTED
    hours.follow(exchanges())
    assert hours.at(Schedule.NSE_FNO, at).phase is OPEN


minutes = st.integers(0, 3 * 24 * 60)
specials = st.lists(
    st.builds(
        lambda start, length, opens: Special(
            frozenset({FNO, MCX}),
            ist("2026-11-24 00:00") + timedelta(minutes=start),
            ist("2026-11-24 00:00") + timedelta(minutes=start + length),
            opens,
        ),
        minutes,
        st.integers(1, 2000),
        st.booleans(),
    ),
    max_size=5,
)
days = st.dates(date(2025, 1, 1), date(2029, 12, 31)) | st.dates(
    date(2026, 11, 23), date(2026, 11, 28)
)


@given(specials, st.sampled_from(Schedule), days)
@settings(deadline=None, max_examples=300)
def test_phases_partition_every_day(found: list[Special], schedule: Schedule, one: date) -> None:
    spans = with_(*found).day(schedule, one)
    assert spans[0].start == IST.localize(datetime.combine(one, time()))
    assert spans[-1].end == spans[0].start + timedelta(days=1)
    for span, after in itertools.pairwise(spans):
        assert span.start < span.end == after.start
        assert span.phase is not after.phase
    assert spans[0].phase is not HALTED
    assert spans[-1].phase is not HALTED


@given(specials, st.sampled_from(Schedule), minutes)
@settings(deadline=None, max_examples=300)
def test_the_next_change_is_later_and_right(
    found: list[Special], schedule: Schedule, minute: int
) -> None:
    calendar, at = with_(*found), ist("2026-11-24 00:00") + timedelta(minutes=minute, seconds=30)
    now = calendar.phase_at(schedule, at)
    assert now.next_at > at
    assert now.next_phase is not now.phase
    assert calendar.phase_at(schedule, now.next_at).phase is now.next_phase
    between = (now.next_at - at) / 7
    for part in range(7):
        assert calendar.phase_at(schedule, at + part * between).phase is now.phase


@given(specials, minutes)
@settings(deadline=None, max_examples=200)
def test_what_is_said_of_a_minute_counts(found: list[Special], minute: int) -> None:
    at = ist("2026-11-24 00:00") + timedelta(minutes=minute, seconds=30)
    phase = with_(*found).phase_at(Schedule.NSE_FNO, at).phase
    here = [one.opens for one in found if one.start <= at < one.end]
    if any(here):
        assert phase is OPEN
    elif here:
        assert phase in (CLOSED, HALTED)
    else:
        plain = exchanges().phase_at(Schedule.NSE_FNO, at).phase
        assert phase is plain or (plain is CLOSED and phase is HALTED)
