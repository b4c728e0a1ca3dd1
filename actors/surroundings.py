"""What a follower finds around its orders: open markets, and the instrument master."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from actors.master import Master
from domain.exchanges import schedule_of
from domain.hours import Sessions
from domain.inputs import InstrumentsFound, InstrumentsMissed, MarketFound
from domain.instruments import Instrument, InstrumentKey, Listing
from domain.schedules import Schedule
from domain.sessions import Phase

Around = MarketFound | InstrumentsFound | InstrumentsMissed


class Surroundings:
    """Tells what is not as it was told before, of what the follower trades."""

    def __init__(self, master: Master, sessions: Sessions) -> None:
        self._master = master
        self._sessions = sessions
        self._markets: dict[Schedule, Phase | None] = {}
        self._instruments: dict[InstrumentKey, Instrument | None] = {}
        self._missed: dict[InstrumentKey, None] = {}

    @property
    def missed(self) -> tuple[InstrumentKey, ...]:
        """What the master does not have."""
        return tuple(self._missed)

    @property
    def open(self) -> bool:
        """Whether a market of what the follower trades takes orders."""
        return any(phase is not None and phase.takes_orders for phase in self._markets.values())

    def renewed(self, wall: datetime) -> Iterator[Around]:
        """What another edition of the master says otherwise."""
        return self._found(list(self._instruments), wall)

    def around(self, keys: Iterable[InstrumentKey], wall: datetime) -> Iterator[Around]:
        """What surrounds instruments that may be new to the follower."""
        new = [key for key in dict.fromkeys(keys) if key not in self._instruments]
        return self._found(new, wall) if new else self.markets(wall)

    def markets(self, wall: datetime) -> Iterator[MarketFound]:
        """The markets that are in another phase."""
        for schedule, before in self._markets.items():
            session = self._sessions(schedule, wall)
            phase = session.phase
            if phase is not before:
                self._markets[schedule] = phase
                yield MarketFound(schedule, phase.takes_orders, phase, session.ago)

    def _found(self, keys: Iterable[InstrumentKey], wall: datetime) -> Iterator[Around]:
        """What the master says of these, after the markets, by which it is decided about."""
        told = self._master.find([key for key in keys if key.segment.copied])
        found, missed = [], []
        for key in keys:
            known = told.get(key)
            if known is not None and known != self._instruments.get(key):
                found.append(known)
                self._missed.pop(key, None)
            elif known is None and key in told and key not in self._missed:
                missed.append(key)
                self._missed[key] = None
            self._instruments[key] = known
            if (schedule := schedule_of(key, known)) is not None:
                self._markets.setdefault(schedule, None)
        yield from self.markets(wall)
        if found:
            yield InstrumentsFound(tuple(found))
        if missed:
            yield InstrumentsMissed(tuple(missed), Listing.AWAITED)
