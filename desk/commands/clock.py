"""`clock`: the phase of every segment's session, now or at an instant, and what its calendar says
that is not of every day."""

from collections.abc import Mapping
from datetime import UTC, datetime, time

from desk.commands.output import show_json, show_line, show_table
from desk.config import Config
from desk.usage import Misused
from domain.calendars import Calendar, Special, ist
from domain.exchanges import exchanges
from domain.instruments import Segment
from domain.schedules import Schedule
from domain.sessions import IST, SessionPhase


def run(config: Config | None, at: str | None, as_json: bool) -> int:
    """Print the sessions. Raises Misused, and ConfigError for a calendar.toml that says nothing
    sensible."""
    instant = datetime.now(UTC) if at is None else _instant(at)
    always = config is not None and config.always_open
    calendar = exchanges() if always else _calendar(config)
    try:
        phases = {
            schedule: None if always else calendar.phase_at(schedule, instant)
            for schedule in Schedule
        }
        ahead = [] if always else _ahead(calendar, instant)
    except (OverflowError, LookupError):
        raise Misused("--at is too far away") from None
    if as_json:
        next_year = instant.astimezone(IST).year + 1 in calendar.years
        show_json([_row(one, phases, ahead, next_year) for one in Segment if one.copied])
    else:
        _show(phases, ahead, calendar)
    return 0


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Misused("--at wants an ISO 8601 instant: 2026-11-25T09:15:00+05:30") from None
    if instant.tzinfo is None:
        raise Misused("--at wants an instant with its offset: 2026-11-25T09:15:00+05:30")
    return instant


def _calendar(config: Config | None) -> Calendar:
    """By which an engine would go."""
    if config is None:
        return exchanges()
    from desk.calendar import load

    return load(config.calendar)


def _ahead(calendar: Calendar, instant: datetime) -> list[Special]:
    """What calendar.toml says of the day or of later ones, the soonest first."""
    day = ist(instant.astimezone(IST).date(), time())
    return sorted((one for one in calendar.specials if one.end > day), key=lambda one: one.start)


def _phase(session: SessionPhase | None) -> dict[str, object]:
    """A session, None for one that the configuration says is always open."""
    if session is None:
        return {"phase": "open", "open": True, "next_phase": None, "next_at": None}
    return {
        "phase": session.phase.value,
        "open": session.open,
        "next_phase": session.next_phase.value,
        "next_at": session.next_at.isoformat(),
    }


def _row(
    segment: Segment,
    phases: Mapping[Schedule, SessionPhase | None],
    ahead: list[Special],
    next_year_known: bool,
) -> dict[str, object]:
    """A segment, by what most of it keeps; `others` are the parts of it that keep other hours."""
    return {
        "segment": segment.value,
        **_phase(phases[Schedule.of(segment)]),
        "others": [
            {"traded": one.words} | _phase(session)
            for one, session in phases.items()
            if one.segment is segment and one.words
        ],
        "calendar": [
            {
                "kind": _kind(one),
                "from": one.start.isoformat(),
                "to": one.end.isoformat(),
                "why": one.why,
            }
            for one in ahead
            if segment in one.segments
        ],
        "next_year_known": next_year_known,
    }


def _kind(special: Special) -> str:
    """Under which name it stands in calendar.toml."""
    return "session" if special.opens else "closed"


def _show(
    phases: Mapping[Schedule, SessionPhase | None], ahead: list[Special], calendar: Calendar
) -> None:
    rows = [
        (one.segment, one.words, *(_cells(session) if session else ("open",)))
        for one, session in phases.items()
    ]
    show_table(("segment", "traded", "phase", "next", "at"), [(*row, "", "")[:5] for row in rows])
    if ahead:
        show_line("")
        columns = ("calendar.toml", "segments", "from", "to", "why")
        show_table(columns, map(_entry, ahead))
    show_line(f"\nHolidays are known of {', '.join(map(str, sorted(calendar.years)))}")


def _cells(session: SessionPhase) -> tuple[str, ...]:
    return session.phase, session.next_phase, _written(session.next_at)


def _entry(one: Special) -> tuple[str, ...]:
    segments = ", ".join(sorted(one.segments))
    return _kind(one), segments, _written(one.start), _written(one.end), one.why


def _written(instant: datetime) -> str:
    """An instant for people, in Indian time."""
    return f"{instant.astimezone(IST):%a %Y-%m-%d %H:%M:%S}"
