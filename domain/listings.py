"""What one follower knows of what is traded: by the instrument master, by what events say, and by
the last prices that it heard of."""

from collections.abc import Iterable
from datetime import datetime

from domain.exchanges import schedule_of
from domain.instruments import Instrument, InstrumentKey, Listing, Price
from domain.rules import Market
from domain.schedules import Schedule
from domain.sessions import Phase, Session


class Listings:
    """The instruments of one follower's orders."""

    def __init__(self) -> None:
        self._master: dict[InstrumentKey, Instrument] = {}
        self._missed: dict[InstrumentKey, Listing] = {}
        self._hints: dict[InstrumentKey, Instrument] = {}
        self._prices: dict[InstrumentKey, Price] = {}
        self._phases: dict[Schedule, tuple[Phase, datetime | None]] = {}

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Believe the instrument master rather than what events say of lot and tick."""
        for instrument in instruments:
            self._master[instrument.key] = instrument
            self._missed.pop(instrument.key, None)

    def miss(self, keys: Iterable[InstrumentKey], listing: Listing) -> None:
        """Note that the instrument master does not have these, and what comes of that."""
        self._missed |= dict.fromkeys(keys, listing)

    def hint(self, instrument: Instrument) -> None:
        """Note what an event said of lot and tick."""
        self._hints[instrument.key] = instrument

    def price(self, key: InstrumentKey, ltp: int | None, at: datetime) -> None:
        """Note the last price (paise) as of then, if there is one and none that is newer."""
        known = self._prices.get(key)
        if ltp and (known is None or at >= known.at):
            self._prices[key] = Price(ltp, at)

    def told(self, key: InstrumentKey) -> Price | None:
        """The last price that was heard of, and when it was one."""
        return self._prices.get(key)

    def last_price(self, key: InstrumentKey) -> int | None:
        """The last price that was heard of, in paise."""
        price = self._prices.get(key)
        return price.paise if price else None

    def market(self, key: InstrumentKey, open_: bool) -> Market:
        """The instrument's market; `open_` is whether it takes orders now."""
        listing = self._missed.get(key, Listing.PRESUMED)
        phase, since = None, None
        if self._phases and (schedule := self.schedule(key)) is not None:
            phase, since = self._phases.get(schedule, (None, None))
        return Market(open_, self.last_price(key), listing, phase, since)

    def session(self, schedule: Schedule, session: Session, now: datetime) -> None:
        """Note the phase of what keeps these hours."""
        since = None if session.ago is None else now - session.ago
        self._phases[schedule] = session.phase, since

    def instrument(self, key: InstrumentKey) -> Instrument | None:
        """The instrument by the master, else by what events said, else (for shares, whose lot
        is 1) by default; None when its lot is not known."""
        known = self._master.get(key) or self._hints.get(key)
        if known is None and key.segment.cash:
            return Instrument(key, lot=1, tick=5)
        return known

    def schedule(self, key: InstrumentKey) -> Schedule | None:
        """The hours that the instrument keeps, as far as the master is known; None where orders
        are not copied."""
        return schedule_of(key, self._master.get(key))

    def named(self, key: InstrumentKey) -> bool:
        """Whether the master's names of the instrument are known."""
        return key in self._master

    def lot(self, key: InstrumentKey) -> int:
        """The lot (shares), as far as it is known."""
        instrument = self.instrument(key)
        return instrument.lot if instrument else 1
