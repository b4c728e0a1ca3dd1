"""The exchanges' own calendar, and what keeps which hours, as `exchanges.toml` has it.

That file is part of this package as its code is: constant, and read once.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from functools import cache
from importlib.resources import files
from typing import Any

from domain.calendars import Calendar, Closure, DayHours
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.schedules import Schedule
from domain.sessions import Phase

_FILE = "exchanges.toml"
_MOST = {segment: Schedule.of(segment) for segment in Segment if segment.copied}
_PLAIN = {Segment.NSE_EQ: Schedule.NSE_EQ_PLAIN, Segment.BSE_EQ: Schedule.BSE_EQ_PLAIN}


@cache
def exchanges() -> Calendar:
    """The calendar of the exchanges."""
    said = _said()
    lists = said["holidays"]
    years = [{one["year"] for one in lists if s.segment in one["segments"]} for s in Schedule]
    return Calendar(
        hours={schedule: _hours(schedule, said["hours"]) for schedule in Schedule},
        holidays={one: dict(_holidays(one, lists)) for one in Segment if one.copied},
        years=frozenset(set.intersection(*years)),
    )


def schedule_of(key: InstrumentKey, instrument: Instrument | None) -> Schedule | None:
    """The hours that an instrument keeps, by what the instrument master says of it (None: nothing,
    and then it counts as what most of its segment is). None where orders are not copied."""
    if instrument is not None:
        if key.segment is Segment.MCX_COMM:
            return _groups().get(instrument.underlying.upper(), Schedule.MCX_COMM)
        if not instrument.derivatives and key.segment in _PLAIN:
            return _PLAIN[key.segment]
    return _MOST.get(key.segment)


@cache
def _said() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath(_FILE).read_text("utf-8"))


@cache
def _groups() -> Mapping[str, Schedule]:
    """The commodities with hours of their own, by underlying."""
    return {
        underlying: Schedule(entry["schedules"][0])
        for entry in _said()["hours"]
        for underlying in entry.get("underlyings", ())
    }


def _hours(schedule: Schedule, entries: list[dict[str, Any]]) -> tuple[DayHours, ...]:
    return tuple(
        DayHours(
            phases=tuple((Phase(one["phase"]), one["from"], one["to"]) for one in entry["phases"]),
            since=entry.get("since", date.min),
            until=entry.get("until", date.max),
            us_summer=entry.get("us_summer"),
            square_off=entry.get("square_off"),
        )
        for entry in entries
        if schedule in entry["schedules"]
    )


def _holidays(segment: Segment, entries: list[dict[str, Any]]) -> Iterator[tuple[date, Closure]]:
    for entry in entries:
        if segment in entry["segments"]:
            evening = entry.get("evening", time())
            for name, closure in (
                ("closed", Closure()),
                ("morning_closed", Closure(end=evening)),
                ("evening_closed", Closure(start=evening)),
            ):
                yield from ((day, closure) for day in entry.get(name, ()))
