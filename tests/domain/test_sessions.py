"""Market hours: a table of instants around every boundary of 2026, the holidays, and the cheap form
that remembers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exchanges import exchanges, schedule_of
from domain.hours import Hours, exchange_hours
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.schedules import Schedule
from domain.sessions import IST, Phase, Session

AUCTIONED = (Schedule.NSE_EQ, Schedule.BSE_EQ)
PLAIN = (Schedule.NSE_EQ_PLAIN, Schedule.BSE_EQ_PLAIN)
DERIVATIVES = (Schedule.NSE_FNO, Schedule.BSE_FNO)
CURRENCY = (Schedule.NSE_CURRENCY, Schedule.BSE_CURRENCY)
COMMODITIES = (Schedule.MCX_COMM, Schedule.NSE_COMM)
LINKED, AGRI = (Schedule.MCX_COMM_LINKED,), (Schedule.MCX_COMM_AGRI,)

CLOSED, PRE_OPEN, MATCHING, BUFFER = Phase.CLOSED, Phase.PRE_OPEN, Phase.MATCHING, Phase.BUFFER
OPEN, AUCTION, POST_CLOSE = Phase.OPEN, Phase.CLOSING_AUCTION, Phase.POST_CLOSE

_HOLIDAYS = (
    "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 "
    "12-25"
)
HOLIDAYS = tuple(date.fromisoformat(f"2026-{day}") for day in _HOLIDAYS.split())
CURRENCY_HOLIDAYS = tuple(date(2026, *day) for day in ((2, 19), (3, 19), (4, 1), (8, 26)))
COMMODITIES_CLOSED = tuple(date(2026, *day) for day in ((1, 26), (4, 3), (10, 2), (12, 25)))

instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30), timezones=st.just(UTC))
schedules = st.sampled_from(Schedule)

phase_at = exchanges().phase_at


def ist(written: str) -> datetime:
    """An instant in Indian time."""
    local: datetime = IST.localize(datetime.fromisoformat(written))
    return local


Day = tuple[tuple[str, Phase], ...]

ENTRY: Day = (("09:00", PRE_OPEN), ("09:08", MATCHING), ("09:12", BUFFER), ("09:15", OPEN))
OLD_CASH: Day = (*ENTRY, ("15:30", CLOSED), ("15:40", POST_CLOSE), ("16:00", CLOSED))
NEW_CASH: Day = (*ENTRY, ("15:15", AUCTION), ("15:35", CLOSED))
NEW_PLAIN: Day = (*ENTRY, ("15:30", CLOSED))
OLD_DERIVATIVES: Day = (("09:15", OPEN), ("15:30", CLOSED))
NEW_DERIVATIVES: Day = (("09:00", PRE_OPEN), ("09:08", BUFFER), ("09:15", OPEN), ("15:40", CLOSED))
MONEY: Day = (("09:00", OPEN), ("17:00", CLOSED))
SUMMER: Day = (("09:00", OPEN), ("23:30", CLOSED))
WINTER: Day = (("09:00", OPEN), ("23:55", CLOSED))
TO_NINE: Day = (("09:00", OPEN), ("21:00", CLOSED))
TO_FIVE: Day = (("09:00", OPEN), ("17:00", CLOSED))
EVENING: Day = (("17:00", OPEN), ("23:55", CLOSED))
SUMMER_EVENING: Day = (("17:00", OPEN), ("23:30", CLOSED))
MORNING: Day = (("09:00", OPEN), ("17:00", CLOSED))
EVENING_TO_NINE: Day = (("17:00", OPEN), ("21:00", CLOSED))

# Who keeps which day when: ordinary days on both sides of every change of 2026, and part holidays.
DAYS: tuple[tuple[tuple[Schedule, ...], str, Day], ...] = (
    (AUCTIONED + PLAIN, "2026-07-31 2026-02-10", OLD_CASH),
    (AUCTIONED, "2026-08-03 2026-11-25 2026-12-31", NEW_CASH),
    (PLAIN, "2026-08-03 2026-11-25", NEW_PLAIN),
    (DERIVATIVES, "2026-07-31 2026-02-10", OLD_DERIVATIVES),
    (DERIVATIVES, "2026-08-03 2026-11-25", NEW_DERIVATIVES),
    (CURRENCY, "2026-02-10 2026-11-25", MONEY),
    (COMMODITIES, "2026-03-09 2026-10-30", SUMMER),
    (COMMODITIES, "2026-03-06 2026-11-02 2026-11-25 2026-12-31", WINTER),
    (COMMODITIES, "2026-11-10 2026-11-24 2026-01-15", EVENING),
    (COMMODITIES, "2026-05-28 2026-10-20", SUMMER_EVENING),
    (COMMODITIES, "2026-01-01", MORNING),
    (LINKED, "2026-03-06 2026-03-09 2026-11-25", TO_NINE),
    (LINKED, "2026-11-10", EVENING_TO_NINE),
    (AGRI, "2026-03-06 2026-03-09 2026-11-25 2026-01-01", TO_FIVE),
    # Rules that hold in years without a list of holidays: leap day, and other switches of the USA.
    (AUCTIONED, "2028-02-29", NEW_CASH),
    (COMMODITIES, "2028-02-29 2027-03-12 2027-11-08 2025-03-07 2025-11-03", WINTER),
    (COMMODITIES, "2027-03-15 2027-11-05 2025-03-10 2025-10-31", SUMMER),
)
MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)

TABLE = [
    (schedule, at + off, phase)
    for who, days, hours in DAYS
    for schedule in who
    for day in days.split()
    for before, (clock, after) in zip((CLOSED, *(p for _, p in hours)), hours, strict=False)
    for at in (ist(f"{day} {clock}"),)
    for off, phase in ((-SECOND, before), (-MOMENT, before), (timedelta(), after), (SECOND, after))
]


def test_the_table_is_worth_its_name() -> None:
    assert len({(schedule, at.replace(microsecond=0)) for schedule, at, _ in TABLE}) > 500


@pytest.mark.parametrize(("who", "days", "hours"), DAYS)
def test_s6_1_to_s6_3_the_seconds_around_every_boundary(
    who: tuple[Schedule, ...], days: str, hours: Day
) -> None:
    asked = [one for one in TABLE if one[0] in who and f"{one[1]:%Y-%m-%d}" in days]
    assert len(asked) >= 4 * len(hours) * len(who)
    for schedule, at, phase in asked:
        assert phase_at(schedule, at).phase is phase, (schedule, at)


def test_s6_1_at_the_open_orders_go_at_once() -> None:
    for schedule in (*AUCTIONED, *PLAIN, *DERIVATIVES):
        assert not exchange_hours(schedule, ist("2026-11-25 09:14:59")).phase.takes_orders
        for seconds in (0, 59):
            session = exchange_hours(schedule, ist(f"2026-11-25 09:15:{seconds:02}"))
            assert session == Session(Phase.OPEN, timedelta(seconds=seconds))


@pytest.mark.parametrize("day", HOLIDAYS)
def test_s6_5_exchange_holidays_are_closed_all_day(day: date) -> None:
    for schedule in (*AUCTIONED, *PLAIN, *DERIVATIVES, *CURRENCY):
        (span,) = exchanges().day(schedule, day)
        assert span.phase is CLOSED


@pytest.mark.parametrize("day", COMMODITIES_CLOSED)
def test_s6_5_on_a_few_holidays_commodities_are_closed_too(day: date) -> None:
    for schedule in (*COMMODITIES, *LINKED, *AGRI):
        (span,) = exchanges().day(schedule, day)
        assert span.phase is CLOSED


def test_s6_5_on_the_other_holidays_commodities_trade_in_the_evening() -> None:
    for day in set(HOLIDAYS) - set(COMMODITIES_CLOSED):
        noon, evening = ist(f"{day} 12:00"), ist(f"{day} 20:00")
        for schedule in (*COMMODITIES, *LINKED):
            assert not phase_at(schedule, noon).open
            assert phase_at(schedule, evening).open
        assert [span.phase for span in exchanges().day(AGRI[0], day)] == [CLOSED]


def test_every_other_weekday_of_2026_is_open_and_no_weekend_is() -> None:
    day = date(2026, 1, 1)
    while day.year == 2026:
        noon = IST.localize(datetime.combine(day, time(12, 0)))
        trading = day.weekday() < 5 and day not in HOLIDAYS
        for schedule in (*AUCTIONED, *PLAIN, *DERIVATIVES):
            assert phase_at(schedule, noon).open is trading, day
        for schedule in CURRENCY:
            expected = trading and day not in CURRENCY_HOLIDAYS
            assert phase_at(schedule, noon).open is expected, day
        for schedule in (*COMMODITIES, *LINKED):
            evening = day.weekday() < 5 and day not in COMMODITIES_CLOSED
            evening = evening and day != date(2026, 1, 1)
            at = noon + timedelta(hours=8)
            assert phase_at(schedule, at).open is evening, day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "at", "phase", "next_phase", "next_at"),
    [
        (Schedule.NSE_FNO, "2026-11-20 15:40", CLOSED, PRE_OPEN, "2026-11-23 09:00"),
        (Schedule.NSE_FNO, "2026-11-23 16:00", CLOSED, PRE_OPEN, "2026-11-25 09:00"),
        (Schedule.NSE_EQ, "2026-11-25 10:00", OPEN, AUCTION, "2026-11-25 15:15"),
        (Schedule.NSE_EQ_PLAIN, "2026-11-25 15:15", OPEN, CLOSED, "2026-11-25 15:30"),
        (Schedule.NSE_EQ, "2026-11-25 15:20", AUCTION, CLOSED, "2026-11-25 15:35"),
        (Schedule.NSE_EQ, "2026-07-31 15:35", CLOSED, POST_CLOSE, "2026-07-31 15:40"),
        (Schedule.NSE_FNO, "2026-07-31 15:30", CLOSED, PRE_OPEN, "2026-08-03 09:00"),
        (Schedule.NSE_FNO, "2026-07-30 15:30", CLOSED, OPEN, "2026-07-31 09:15"),
        (Schedule.MCX_COMM, "2026-03-06 23:55", CLOSED, OPEN, "2026-03-09 09:00"),
        (Schedule.MCX_COMM, "2026-11-23 23:56", CLOSED, OPEN, "2026-11-24 17:00"),
        (Schedule.MCX_COMM_AGRI, "2026-11-23 17:00", CLOSED, OPEN, "2026-11-25 09:00"),
        (Schedule.NSE_CURRENCY, "2026-03-31 12:00", CLOSED, OPEN, "2026-04-02 09:00"),
        (Schedule.BSE_EQ, "2026-12-31 15:35", CLOSED, PRE_OPEN, "2027-01-01 09:00"),
        (Schedule.MCX_COMM, "2025-12-31 23:55", CLOSED, OPEN, "2026-01-01 09:00"),
        (Schedule.MCX_COMM, "2026-01-01 17:00", CLOSED, OPEN, "2026-01-02 09:00"),
    ],
)
def test_what_comes_next_is_told_over_weekends_holidays_and_years(
    schedule: Schedule, at: str, phase: Phase, next_phase: Phase, next_at: str
) -> None:
    now = phase_at(schedule, ist(at))
    assert (now.phase, now.next_phase, now.next_at) == (phase, next_phase, ist(next_at))


@pytest.mark.parametrize(
    ("phase", "is_open", "takes_orders", "after_market"),
    [
        (CLOSED, False, False, True),
        (PRE_OPEN, False, True, False),
        (MATCHING, False, False, False),
        (BUFFER, False, False, False),
        (OPEN, True, True, False),
        (Phase.HALTED, False, False, False),
        (AUCTION, False, True, False),
        (POST_CLOSE, False, False, False),
    ],
)
def test_what_a_phase_admits(
    phase: Phase, is_open: bool, takes_orders: bool, after_market: bool
) -> None:
    told = (phase.open, phase.takes_orders, phase.after_market)
    assert told == (is_open, takes_orders, after_market)


@pytest.mark.parametrize(
    ("segment", "underlying", "derivatives", "schedule"),
    [
        (Segment.NSE_EQ, "RELIANCE", True, Schedule.NSE_EQ),
        (Segment.NSE_EQ, "TINY", False, Schedule.NSE_EQ_PLAIN),
        (Segment.BSE_EQ, "TINY", False, Schedule.BSE_EQ_PLAIN),
        (Segment.NSE_FNO, "NIFTY", False, Schedule.NSE_FNO),
        (Segment.NSE_COMM, "COTTON", True, Schedule.NSE_COMM),
        (Segment.MCX_COMM, "GOLDM", True, Schedule.MCX_COMM),
        (Segment.MCX_COMM, "", True, Schedule.MCX_COMM),
        (Segment.MCX_COMM, "CottonCndy", True, Schedule.MCX_COMM_LINKED),
        (Segment.MCX_COMM, "KAPAS", True, Schedule.MCX_COMM_LINKED),
        (Segment.MCX_COMM, "CPO", True, Schedule.MCX_COMM_LINKED),
        (Segment.MCX_COMM, "MENTHAOIL", True, Schedule.MCX_COMM_AGRI),
        (Segment.IDX_I, "NIFTY", True, None),
    ],
)
def test_the_master_tells_by_which_hours_an_instrument_goes(
    segment: Segment, underlying: str, derivatives: bool, schedule: Schedule | None
) -> None:
    key = InstrumentKey(segment, "1")
    one = Instrument(key, 1, 5, underlying=underlying, derivatives=derivatives)
    assert schedule_of(key, one) is schedule
    unknown = Schedule.of(segment) if segment.copied else None
    assert schedule_of(key, None) is unknown


def test_every_segment_that_is_copied_has_a_schedule_of_its_name() -> None:
    assert {one.segment for one in Schedule} == {one for one in Segment if one.copied}
    for segment in {one for one in Segment if one.copied}:
        assert Schedule.of(segment).segment is segment
        assert Schedule.of(segment).words == ""


@given(schedules, instants)
@settings(deadline=None, max_examples=200)
def test_a_phase_lasts_exactly_until_the_next(schedule: Schedule, at: datetime) -> None:
    now = phase_at(schedule, at)
    assert now.next_at > at
    assert now.next_phase is not now.phase
    assert phase_at(schedule, now.next_at - MOMENT).phase is now.phase
    assert phase_at(schedule, now.next_at).phase is now.next_phase
    assert phase_at(schedule, now.next_at).since == now.next_at
    assert now.since <= at
    assert phase_at(schedule, now.since) == now
    assert phase_at(schedule, now.since - MOMENT).next_at == now.since


@given(
    st.lists(st.tuples(schedules, instants), min_size=1, max_size=6),
    st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)), ZoneInfo("America/New_York"))),
)
@settings(deadline=None, max_examples=100)
def test_what_is_remembered_is_what_would_be_found(
    asked: list[tuple[Schedule, datetime]], zone: timezone | ZoneInfo
) -> None:
    """Whatever zone an instant is told in."""
    hours = Hours()
    for schedule, at in asked:
        local, found = at.astimezone(zone), phase_at(schedule, at)
        assert hours.at(schedule, local) == hours.at(schedule, local) == found
        before = found.next_at - MOMENT
        for near in (before, found.next_at, before, at):
            assert hours.at(schedule, near) == phase_at(schedule, near)


def test_a_phase_that_lasts_is_found_once() -> None:
    hours = Hours()
    first = hours.at(Schedule.NSE_FNO, ist("2026-11-25 10:00"))
    assert hours.at(Schedule.NSE_FNO, ist("2026-11-25 15:39:59")) is first
    assert hours.at(Schedule.NSE_FNO, ist("2026-11-25 15:40:00")) is not first


def test_many_threads_may_ask() -> None:
    hours, noon = Hours(), ist("2026-11-25 12:00")
    asked = [(one, noon + timedelta(hours=n % 30)) for n in range(300) for one in Schedule]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda one: hours.at(*one).phase, asked))
    expected = {one: phase_at(*one).phase for one in set(asked)}
    assert told == [expected[one] for one in asked]


def test_naive_instants_are_refused() -> None:
    for ask in (phase_at, Hours().at):
        with pytest.raises(ValueError, match="time zone"):
            ask(Schedule.NSE_EQ, datetime(2026, 11, 25, 10))


def test_a_remembered_phase_does_not_excuse_a_naive_instant() -> None:
    hours = Hours()
    hours.at(Schedule.NSE_EQ, ist("2026-11-25 10:00"))
    with pytest.raises(ValueError, match="time zone"):
        hours.at(Schedule.NSE_EQ, datetime(2026, 11, 25, 10, 30))
