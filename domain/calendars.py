"""When each schedule trades: hours, holidays and special sessions, laid out over a day.

A calendar is a value. `domain.exchanges` reads that of the exchanges; the operator's
`calendar.toml` adds to it and takes away from it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import pytz

from domain.instruments import Segment
from domain.schedules import Schedule
from domain.sessions import IST, NAIVE, Phase, SessionPhase, Span

_NEW_YORK = pytz.timezone("America/New_York")
_DAY = timedelta(days=1)
_SEARCH_DAYS = 366
_NEXT_YEAR_FROM = 11  # the exchanges publish their lists for a year in December before


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of a trading day, from `since` to `until` (both included). `us_summer` binds them
    to days on which the USA is on daylight saving time, or is not. `square_off` is when Dhan
    squares off intraday positions, None where that is not known."""

    phases: tuple[tuple[Phase, time, time], ...]
    since: date = date.min
    until: date = date.max
    us_summer: bool | None = None
    square_off: time | None = None

    def hold(self, day: date) -> bool:
        """Whether they are those of that day."""
        in_season = self.us_summer is None or self.us_summer is us_summer(day)
        return in_season and self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class SquareOff:
    """When Dhan squares off intraday positions on a day, and when the regular hours of that day
    end, after which it says nothing any more (IST)."""

    at: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """A holiday, from one time of the day until another (midnight: the day's end)."""

    start: time = time()
    end: time = time()


@dataclass(frozen=True, slots=True)
class Special:
    """What `calendar.toml` says of some segments: they trade in that time (`opens`), or do not."""

    segments: frozenset[Segment]
    start: datetime
    end: datetime
    opens: bool
    why: str = ""


@dataclass(frozen=True)
class Calendar:
    """All that is known of sessions. `years` are those whose holidays are known; where a session
    and a closure in `specials` overlap, the session counts."""

    hours: Mapping[Schedule, tuple[DayHours, ...]]
    holidays: Mapping[Segment, Mapping[date, Closure]]
    years: frozenset[int]
    specials: tuple[Special, ...] = ()

    def amended(self, specials: Iterable[Special], years: Iterable[int]) -> "Calendar":
        """This calendar with these special sessions and closures, and these years known too."""
        return replace(self, specials=tuple(specials), years=self.years | frozenset(years))

    def unknown_year(self, instant: datetime) -> int | None:
        """The year whose holidays should be known by now and are not: this one, or from November
        on the next."""
        local = instant.astimezone(IST)
        wanted = [local.year, *([local.year + 1] if local.month >= _NEXT_YEAR_FROM else ())]
        return next((year for year in wanted if year not in self.years), None)

    def phase_at(self, schedule: Schedule, instant: datetime) -> SessionPhase:
        """The phase at `instant`, and the next one that is another.

        Raises ValueError for an instant without a time zone, LookupError where nothing changes for
        a year, and OverflowError at the end of time.
        """
        if instant.tzinfo is None:
            raise ValueError(NAIVE)
        local = instant.astimezone(IST)
        spans = (span for span in self._spans(schedule, local.date()) if local < span.end)
        now = next(spans)
        for span in spans:
            if span.phase is not now.phase:
                since = self._since(schedule, now)
                return SessionPhase(now.phase, since, span.phase, span.start)
        raise LookupError(f"{schedule} does not change within {_SEARCH_DAYS} days of {local}")

    def _since(self, schedule: Schedule, span: Span) -> datetime:
        """When a phase began, which may have been on a day before."""
        for _ in range(_SEARCH_DAYS):
            if span.start.time() > time():
                break
            before = self.day(schedule, span.start.date() - _DAY)[-1]
            if before.phase is not span.phase:
                break
            span = before
        return span.start

    def _spans(self, schedule: Schedule, first: date) -> Iterator[Span]:
        for days in range(_SEARCH_DAYS):
            yield from self.day(schedule, first + timedelta(days=days))

    def day(self, schedule: Schedule, day: date) -> tuple[Span, ...]:
        """The day in India from midnight to midnight: phases without gap or overlap."""
        begin, end = ist(day, time()), ist(day + _DAY, time())
        specials = [
            one
            for one in self.specials
            if schedule.segment in one.segments and one.start < end and begin < one.end
        ]
        spans = list(self._regular(schedule, day))
        for one in sorted(specials, key=lambda special: special.opens):
            spans = [left for span in spans for left in span.without(one.start, one.end)]
            if one.opens:
                spans.append(Span(Phase.OPEN, max(begin, one.start), min(end, one.end)))
        spans.sort(key=lambda span: span.start)
        taken = [one for one in specials if not one.opens]
        return tuple(_merged(_filled(spans, begin, end, taken)))

    def square_off(self, schedule: Schedule, instant: datetime) -> SquareOff | None:
        """When intraday positions are squared off on the day in India of `instant`, None where that
        is not known or the day has no regular hours. Holidays and special sessions move nothing."""
        day = instant.astimezone(IST).date()
        hours = self._hours(schedule, day)
        if hours is None or hours.square_off is None:
            return None
        return SquareOff(ist(day, hours.square_off), ist(day, hours.phases[-1][2]))

    def _hours(self, schedule: Schedule, day: date) -> DayHours | None:
        """The regular hours of a day, None at a weekend."""
        if day.weekday() >= 5:
            return None
        return next((one for one in self.hours[schedule] if one.hold(day)), None)

    def _regular(self, schedule: Schedule, day: date) -> Iterator[Span]:
        """The sessions of a day by the exchange's hours and holidays."""
        hours = self._hours(schedule, day)
        holiday = self.holidays[schedule.segment].get(day)
        for phase, start, end in hours.phases if hours else ():
            span = Span(phase, ist(day, start), ist(day, end))
            if holiday is None:
                yield span
            else:
                after = day if holiday.end > time() else day + _DAY
                yield from span.without(ist(day, holiday.start), ist(after, holiday.end))


def ist(day: date, clock: time) -> datetime:
    """An instant in Indian time."""
    localized: datetime = IST.localize(datetime.combine(day, clock))
    return localized


def us_summer(day: date) -> bool:
    """Whether the USA is on daylight saving time, which moves the close of MCX."""
    return bool(_NEW_YORK.localize(datetime.combine(day, time(12))).dst())


def _filled(
    spans: list[Span], begin: datetime, end: datetime, taken: list[Special]
) -> Iterator[Span]:
    """The spans with what lies between them."""
    at = begin
    for span in spans:
        if at < span.start:
            halted = at > begin and any(one.start < span.start and at < one.end for one in taken)
            yield Span(Phase.HALTED if halted else Phase.CLOSED, at, span.start)
        yield span
        at = span.end
    if at < end:
        yield Span(Phase.CLOSED, at, end)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one phase as one span."""
    last: Span | None = None
    for span in spans:
        if last is not None and last.phase is span.phase:
            last = replace(last, end=span.end)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
