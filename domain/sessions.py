"""When a segment trades: from an instant to the phase of its session, in Indian time.

Hours and holidays are the exchanges' own (NSE circular 74/2026 for the hours from 3 August 2026;
the NSE and BSE holiday lists of 2026). Special sessions are not known here yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import pytz

from domain.instruments import Segment

IST = pytz.timezone("Asia/Kolkata")


class Phase(StrEnum):
    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    BUFFER = "buffer"
    OPEN = "open"
    CLOSING_AUCTION = "closing_auction"

    @property
    def open(self) -> bool:
        """Whether an ordinary limit order matches continuously."""
        return self is Phase.OPEN

    @property
    def takes_orders(self) -> bool:
        """Whether the exchange takes limit orders."""
        return self in (Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION)


@dataclass(frozen=True, slots=True)
class SessionPhase:
    """The phase at an instant, and what comes next (`next_at` in IST)."""

    phase: Phase
    next_phase: Phase
    next_at: datetime

    @property
    def open(self) -> bool:
        """Whether an ordinary limit order matches continuously."""
        return self.phase.open


_Day = tuple[tuple[Phase, time, time], ...]

_NEW_HOURS = date(2026, 8, 3)
_PRE_OPEN: _Day = (
    (Phase.PRE_OPEN, time(9, 0), time(9, 8)),
    (Phase.BUFFER, time(9, 8), time(9, 15)),
)
_CASH_BEFORE: _Day = (*_PRE_OPEN, (Phase.OPEN, time(9, 15), time(15, 30)))
_CASH: _Day = (
    *_PRE_OPEN,
    (Phase.OPEN, time(9, 15), time(15, 15)),
    (Phase.CLOSING_AUCTION, time(15, 15), time(15, 35)),
)
_DERIVATIVES_BEFORE: _Day = ((Phase.OPEN, time(9, 15), time(15, 30)),)
_DERIVATIVES: _Day = (*_PRE_OPEN, (Phase.OPEN, time(9, 15), time(15, 40)))
_CURRENCY: _Day = ((Phase.OPEN, time(9, 0), time(17, 0)),)
_COMMODITY_SUMMER: _Day = ((Phase.OPEN, time(9, 0), time(23, 30)),)
_COMMODITY_WINTER: _Day = ((Phase.OPEN, time(9, 0), time(23, 55)),)

_CASH_SEGMENTS = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
_DERIVATIVE_SEGMENTS = frozenset({Segment.NSE_FNO, Segment.BSE_FNO})
_CURRENCY_SEGMENTS = frozenset({Segment.NSE_CURRENCY, Segment.BSE_CURRENCY})
_COMMODITY_SEGMENTS = frozenset({Segment.MCX_COMM, Segment.NSE_COMM})

_HOLIDAYS = frozenset(
    date(2026, month, day)
    for month, day in (
        (1, 15),
        (1, 26),
        (3, 3),
        (3, 26),
        (3, 31),
        (4, 3),
        (4, 14),
        (5, 1),
        (5, 28),
        (6, 26),
        (9, 14),
        (10, 2),
        (10, 20),
        (11, 10),
        (11, 24),
        (12, 25),
    )
)
_COMMODITY_HOLIDAYS = frozenset(
    date(2026, month, day) for month, day in ((1, 26), (4, 3), (10, 2), (12, 25))
)
_SEARCH_DAYS = 15
NAIVE = "an instant needs a time zone; naive times are refused"


def phase_at(segment: Segment, instant: datetime) -> SessionPhase:
    """The phase of the segment's session at `instant`.

    Raises ValueError for an instant without a time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(NAIVE)
    local = instant.astimezone(IST)
    for phase, start, end in _phases(segment, local.date()):
        if start <= local < end:
            following = _starting(segment, end)
            return SessionPhase(phase, following, end)
        if local < start:
            return SessionPhase(Phase.CLOSED, phase, start)
    raise LookupError(f"no session of {segment} within {_SEARCH_DAYS} days of {local:%Y-%m-%d}")


def _starting(segment: Segment, instant: datetime) -> Phase:
    for phase, start, _ in _phases(segment, instant.date()):
        if start == instant:
            return phase
        if start > instant:
            break
    return Phase.CLOSED


def _phases(segment: Segment, first: date) -> Iterator[tuple[Phase, datetime, datetime]]:
    for offset in range(_SEARCH_DAYS):
        day = first + timedelta(days=offset)
        for phase, start, end in _day(segment, day):
            yield phase, _at(day, start), _at(day, end)


def _at(day: date, clock: time) -> datetime:
    localized: datetime = IST.localize(datetime.combine(day, clock))
    return localized


def _day(segment: Segment, day: date) -> _Day:
    if day.weekday() >= 5:
        return ()
    if segment in _COMMODITY_SEGMENTS:
        if day in _COMMODITY_HOLIDAYS:
            return ()
        return _COMMODITY_SUMMER if _us_summer(day) else _COMMODITY_WINTER
    if day in _HOLIDAYS:
        return ()
    if segment in _CASH_SEGMENTS:
        return _CASH if day >= _NEW_HOURS else _CASH_BEFORE
    if segment in _DERIVATIVE_SEGMENTS:
        return _DERIVATIVES if day >= _NEW_HOURS else _DERIVATIVES_BEFORE
    return _CURRENCY if segment in _CURRENCY_SEGMENTS else _CASH_BEFORE


def _us_summer(day: date) -> bool:
    """Whether the USA is on daylight saving time, which moves the close of MCX."""
    begins = _nth_sunday(day.year, 3, 2)
    ends = _nth_sunday(day.year, 11, 1)
    return begins <= day < ends


def _nth_sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
