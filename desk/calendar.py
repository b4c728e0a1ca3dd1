"""calendar.toml: the operator's word on sessions, on top of the exchanges' own calendar.

    [[session]]     adds an open session (Muhurat, a Sunday with the Union Budget)
    [[closed]]      takes one away (a holiday, a morning, a halt)
    known_years     the years whose holidays are all in it

Where a session and a closure overlap, the session counts.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from desk.config import Config, document, read
from desk.findings import ConfigError, dotted, error, warning
from desk.roster import Stamp, stamp
from desk.schema import SegmentName
from domain.calendars import Calendar, Special
from domain.exchanges import exchanges
from domain.hours import HOURS
from domain.instruments import Segment
from domain.messages import Alert
from domain.schedules import Schedule
from domain.sessions import IST

_TABLES = ("session", "closed")
_TOP = (*_TABLES, "known_years")
_KEYS = ("segments", "from", "to", "why")
_SEGMENTS = get_args(SegmentName)
_INDIA = timedelta(hours=5, minutes=30)
_LONGEST = timedelta(days=31)
_INSTANT_WORDS = "a date and time in India with its offset: 2026-11-08T18:00:00+05:30"
_YEARS = range(2000, 2100)


def load(path: Path) -> Calendar:
    """The exchanges' calendar with what the file says; that alone where there is no file. Raises
    ConfigError."""
    return parse(path, read(path)) if path.exists() else exchanges()


def parse(path: Path, content: bytes) -> Calendar:
    """The exchanges' calendar with what this content of the file says. Raises ConfigError."""
    said = document(path, content)
    problems = [*_strangers(said, _TOP, ""), *_misshapen_years(said.get("known_years", []))]
    specials = [*_specials(said, problems)]
    if problems:
        raise ConfigError(path, tuple(problems))
    calendar = exchanges().amended(specials, said.get("known_years", []))
    if problem := _never_open(calendar):
        raise ConfigError(path, (problem,))
    return calendar


def go_by(config: Config) -> None:
    """Have this process go by the configuration's calendar. Raises ConfigError."""
    if not config.always_open:
        HOURS.follow(load(config.calendar))


def findings(config: Config) -> Iterator[Alert]:
    """What is wrong with the file, and what the calendar lacks."""
    if config.always_open:
        return
    try:
        calendar = load(config.calendar)
    except ConfigError as wrong:
        yield from wrong.findings
    else:
        yield from lacking(calendar, datetime.now(UTC))


def lacking(calendar: Calendar, now: datetime) -> Iterator[Alert]:
    """The year whose holidays should be known by now, and are not."""
    year = calendar.unknown_year(now)
    if year is not None:
        yield warning(
            f"the holidays of {year} are not known: its weekdays count as trading days",
            "calendar.toml",
            "take a Lockstep that knows them, or write the exchanges' lists as [[closed]] with "
            f"known_years = [{year}]",
        )


class CalendarWatch:
    """Looks at the file whenever it is asked to. An edit counts once the file looked the same at
    two looks in a row, for an editor may write it in pieces."""

    def __init__(self, path: Path, taken: Calendar) -> None:
        self._path = path
        self._taken = taken
        self._refused = False
        self._seen: Stamp | None = None
        self._acted: tuple[Stamp | None] | None = None  # none yet is not the same as: no file

    def poll(self) -> Calendar | ConfigError | None:
        """A calendar to go by from now on, what is wrong with an edit (told once; the calendar
        before stays in force), or None."""
        found = stamp(self._path)
        settled, self._seen = found == self._seen, found
        if not settled or self._acted == (found,):
            return None
        try:
            calendar = load(self._path)
        except ConfigError as wrong:
            self._acted, self._refused = (found,), True
            return wrong
        if stamp(self._path) != found:
            return None
        changed = calendar != self._taken or self._refused
        self._acted, self._taken, self._refused = (found,), calendar, False
        return calendar if changed else None


def _specials(said: Mapping[str, object], problems: list[Alert]) -> Iterator[Special]:
    """The entries that are right; of the others it is noted what is wrong."""
    for table in _TABLES:
        entries = said.get(table, [])
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            fix = f"write each as [[{table}]] with {', '.join(_KEYS)}"
            problems.append(error("is not a list of tables in double brackets", table, fix))
            continue
        for index, entry in enumerate(entries):
            wrong = list(_wrong(entry, dotted((table, index))))
            problems += wrong
            if not wrong:
                segments = frozenset(map(Segment, entry["segments"]))
                start, end = (entry[key].astimezone(IST) for key in ("from", "to"))
                yield Special(segments, start, end, table == "session", entry.get("why", ""))


def _wrong(entry: Mapping[str, object], where: str) -> Iterator[Alert]:
    """What is wrong with one entry."""
    yield from _strangers(entry, _KEYS, where)
    yield from _wrong_segments(entry.get("segments"), f"{where}.segments")
    start, end = entry.get("from"), entry.get("to")
    for key, instant in (("from", start), ("to", end)):
        if instant is None:
            yield error("is missing", f"{where}.{key}", f"allowed: {_INSTANT_WORDS}")
        elif not _indian(instant):
            what = "is not an instant in Indian time"
            yield error(what, f"{where}.{key}", f"allowed: {_INSTANT_WORDS}")
    if isinstance(start, datetime) and isinstance(end, datetime) and _indian(start, end):
        if end <= start:
            yield error("is not after from", f"{where}.to", "write the later instant here")
        elif end - start > _LONGEST:
            yield error("is more than 31 days after from", f"{where}.to", "correct either")
    if not isinstance(entry.get("why", ""), str):
        yield error("is not text in quotes", f"{where}.why", "say whose word it is: a circular")


def _wrong_segments(segments: object, where: str) -> Iterator[Alert]:
    words = f"allowed: some of {', '.join(_SEGMENTS)}, each in quotes"
    if segments is None:
        yield error("is missing", where, words)
    elif not isinstance(segments, list) or not segments:
        yield error("is not a list of segments", where, words)
    else:
        for index, segment in enumerate(segments):
            if segment not in _SEGMENTS:
                near = get_close_matches(str(segment).upper(), _SEGMENTS, n=1, cutoff=0.5)
                hint = f'did you mean "{near[0]}"? ' if near else ""
                yield error("is not a segment", f"{where}[{index}]", hint + words)


def _indian(*instants: object) -> bool:
    return all(isinstance(one, datetime) and one.utcoffset() == _INDIA for one in instants)


def _strangers(table: Mapping[str, object], known: tuple[str, ...], where: str) -> Iterator[Alert]:
    """Keys that mean nothing here."""
    for key in table:
        if key not in known:
            near = get_close_matches(key.lower(), known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            place = f"{where}.{dotted((key,))}" if where else dotted((key,))
            yield error("is not a known key", place, f"{hint}allowed here: {', '.join(known)}")


def _misshapen_years(years: object) -> Iterator[Alert]:
    right = isinstance(years, list) and all(type(one) is int and one in _YEARS for one in years)
    if not right:
        yield error("is not a list of years", "known_years", "allowed: such as [2027]")


def _never_open(calendar: Calendar) -> Alert | None:
    """Closures that together leave a segment without any session."""
    for special in calendar.specials:
        for schedule in Schedule:
            if schedule.segment in special.segments:
                try:
                    calendar.phase_at(schedule, special.start)
                except LookupError:
                    what = f"leaves {schedule.segment} without any session for a year"
                    return error(what, "closed", "take some of these entries out")
    return None
