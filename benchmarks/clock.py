"""What asking the clock takes, as every decision does: whether the market of what keeps some hours
takes orders now.

`remembered` is the way of nearly every question, `found` that of the first one in a phase, which
lays out days until it finds the next one. Both go through all schedules in turn.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from benchmarks.figures import p99
from domain.exchanges import exchanges
from domain.hours import Hours
from domain.schedules import Schedule
from domain.sessions import SessionPhase

_NOON = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
_FOUND_OF = 20  # one in so many is looked for anew


def run(count: int) -> dict[str, float]:
    """The median and p99 of so many questions, in microseconds."""
    hours, calendar = Hours(), exchanges()
    asked = [
        (schedule, _NOON + timedelta(milliseconds=number % 60_000))
        for number, schedule in enumerate(islice(cycle(Schedule), count))
    ]
    for schedule in Schedule:
        hours.at(schedule, _NOON)
    remembered = sorted(_took(hours.at, *one) for one in asked)
    found = sorted(_took(calendar.phase_at, *one) for one in asked[::_FOUND_OF])
    return {"count": count} | {
        f"{name}_{which}_us": value
        for name, times in (("remembered", remembered), ("found", found))
        for which, value in (("p50", times[len(times) // 2]), ("p99", p99(times)))
    }


def _took(
    ask: Callable[[Schedule, datetime], SessionPhase], schedule: Schedule, at: datetime
) -> float:
    """How long an answer takes, in microseconds."""
    began = time.perf_counter_ns()
    _ = ask(schedule, at).phase.takes_orders
    return (time.perf_counter_ns() - began) / 1000
