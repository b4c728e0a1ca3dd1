"""Whether a segment takes orders now: sessions, each remembered until it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.instruments import Segment
from domain.sessions import NAIVE, SessionPhase, phase_at

TakesOrders = Callable[[Segment, datetime], bool]


class Hours:
    """The phases of every segment, each remembered until it ends.

    Much cheaper than `phase_at` and always of the same mind. It keeps nothing but frozen values,
    each put in its place at once, so that any number of threads may ask.
    """

    def __init__(self) -> None:
        self._known: dict[Segment, _Remembered] = {}

    def at(self, segment: Segment, instant: datetime) -> SessionPhase:
        """The phase of the segment's session at `instant`, as by `phase_at`."""
        if instant.tzinfo is None:
            raise ValueError(NAIVE)
        second = instant.timestamp()
        known = self._known.get(segment)
        if known is None or not known.since <= second < known.until:
            phase = phase_at(segment, instant)
            known = _Remembered(second, phase.next_at.timestamp(), phase)
            self._known[segment] = known
        return known.phase


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A phase that was found at `since` and lasts to `until` (seconds since 1970, UTC)."""

    since: float
    until: float
    phase: SessionPhase


HOURS = Hours()


def exchange_hours(segment: Segment, now: datetime) -> bool:
    """Whether the segment takes limit orders at `now` by the exchange's hours."""
    return HOURS.at(segment, now).phase.takes_orders


def always(segment: Segment, now: datetime) -> bool:
    """Every segment takes orders at any time: for paper and tests on loopback only."""
    return True
