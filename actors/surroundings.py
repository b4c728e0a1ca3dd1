"""What a follower finds around its orders: open markets, and the instrument master."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from actors.market_clock import TakesOrders
from domain.inputs import InstrumentsFound, MarketFound
from domain.instruments import Instrument, InstrumentKey, Segment


class Surroundings:
    """Tells what is not as it was told before, of what the follower trades."""

    def __init__(self, takes_orders: TakesOrders) -> None:
        self._takes_orders = takes_orders
        self._master: Mapping[InstrumentKey, Instrument] = {}
        self._markets: dict[Segment, bool] = {}
        self._instruments: dict[InstrumentKey, Instrument | None] = {}

    def master(self, instruments: Mapping[InstrumentKey, Instrument]) -> Iterator[InstrumentsFound]:
        """Believe this master from now on."""
        self._master = instruments
        return self._found(list(self._instruments))

    def around(
        self, keys: Iterable[InstrumentKey], wall: datetime
    ) -> Iterator[MarketFound | InstrumentsFound]:
        """What surrounds instruments that may be new to the follower."""
        new = [key for key in keys if key not in self._instruments]
        if new:
            yield from self._found(new)
            self._markets |= {key.segment: False for key in new if key.segment not in self._markets}
        yield from self.markets(wall)

    def markets(self, wall: datetime) -> Iterator[MarketFound]:
        """The markets that opened or closed."""
        for segment, before in self._markets.items():
            takes = self._takes_orders(segment, wall)
            if takes is not before:
                self._markets[segment] = takes
                yield MarketFound(segment, takes)

    def _found(self, keys: Iterable[InstrumentKey]) -> Iterator[InstrumentsFound]:
        found = []
        for key in keys:
            known = self._master.get(key)
            if known is not None and known != self._instruments.get(key):
                found.append(known)
            self._instruments[key] = known
        if found:
            yield InstrumentsFound(tuple(found))
