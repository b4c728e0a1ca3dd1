"""What phase every schedule is in: each remembered until it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from domain.calendars import Calendar
from domain.exchanges import exchanges
from domain.schedules import Schedule
from domain.sessions import NAIVE, Phase, Session, SessionPhase

Sessions = Callable[[Schedule, datetime], Session]


class Hours:
    """The phases of every schedule by one calendar, each remembered until it ends.

    Much cheaper than the calendar and always of the same mind. It keeps nothing but frozen values,
    each put in its place at once, so that any number of threads may ask while one of them brings
    another calendar.
    """

    def __init__(self, calendar: Calendar | None = None) -> None:
        self._page = _Page(calendar) if calendar is not None else None

    @property
    def calendar(self) -> Calendar:
        """The calendar in force: that of the exchanges, until another is brought."""
        return self._read().calendar

    def follow(self, calendar: Calendar) -> None:
        """Go by this calendar from now on."""
        self._page = _Page(calendar)

    def at(self, schedule: Schedule, instant: datetime) -> SessionPhase:
        """The phase at `instant`, as by `Calendar.phase_at`."""
        if instant.tzinfo is None:
            raise ValueError(NAIVE)
        second = instant.timestamp()
        page = self._page or self._read()
        known = page.known.get(schedule)
        if known is None or not known.since <= second < known.until:
            phase = page.calendar.phase_at(schedule, instant)
            known = _Remembered(second, phase.next_at.timestamp(), phase)
            page.known[schedule] = known
        return known.phase

    def _read(self) -> "_Page":
        if self._page is None:
            self._page = _Page(exchanges())
        return self._page


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A phase that was found at `since` and lasts to `until` (seconds since 1970, UTC)."""

    since: float
    until: float
    phase: SessionPhase


@dataclass(frozen=True, slots=True)
class _Page:
    """A calendar, and what was found in it."""

    calendar: Calendar
    known: dict[Schedule, _Remembered] = field(default_factory=dict)


HOURS = Hours()


def exchange_hours(schedule: Schedule, now: datetime) -> Session:
    """The session at `now` of what keeps these hours, by the calendar."""
    found = HOURS.at(schedule, now)
    return Session(found.phase, now - found.since)


def always(schedule: Schedule, now: datetime) -> Session:
    """Everything is open at any time: for paper and tests on loopback only."""
    return _ALWAYS


_ALWAYS = Session(Phase.OPEN)
