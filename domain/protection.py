"""Prices for what Dhan does not execute safely by its API.

Since 21 March 2026 Dhan turns an API MARKET order into a LIMIT within a band, and an API
STOP_LOSS_MARKET was measured to lose its trigger and fill at once. A leader's MARKET therefore
becomes our own LIMIT, and STOP_LOSS_MARKET our own STOP_LOSS, with a limit a band beyond the
reference price (the last price, or the trigger), on a tick (scenarios 1.1.1, 1.1.4).
"""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from domain.instruments import Instrument
from domain.orders import Side


@dataclass(frozen=True, slots=True)
class Protection:
    """How far a protected price may be from its reference, and what follows if it does not fill.

    `band` is a share of the reference price (1/100 = 1 %). After each `chase_seconds` without a
    full fill the band is widened by its own width, `chase_times` times in all; what is still
    open then is reported.
    """

    band: Fraction = Fraction(1, 100)
    chase_seconds: float = 3.0
    chase_times: int = 2

    @property
    def chase_every(self) -> timedelta:
        """The time between two chases, in whole microseconds, so that counting them is exact."""
        return timedelta(seconds=self.chase_seconds)

    def limit(self, side: Side, reference: int, instrument: Instrument, chases: int = 0) -> int:
        """The protected limit in paise: on a tick, the band (and at least one tick) beyond
        `reference` (paise), but never outside the day's circuit limits."""
        band, tick = self.band, instrument.tick
        width = reference * band.numerator * (1 + min(chases, self.chase_times)) // band.denominator
        if side is Side.BUY:
            price = max(
                instrument.snap_down(reference + width), instrument.snap_up(reference + tick)
            )
        else:
            price = min(
                instrument.snap_up(reference - width), instrument.snap_down(reference - tick)
            )
        return instrument.within_circuit(price)
