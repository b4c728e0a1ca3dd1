"""A laggard whose copies go in slices, with few permits, of a leader who also sends IOC orders."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from domain.inputs import Granted, Input
from domain.orders import OrderType, Product, Side, Validity
from domain.rules import Rules
from tests.actors.laggard import Behind, Laggard
from tests.domain.builders import FOLLOWER, KEY, LOT, terms
from tests.domain.exchange import Exchange, TrueOrder


class _Short(Behind):
    """An account where less of an IOC may trade than of the leader's, until `calm`."""

    chance: Random
    calm = False

    def settle(self, order: TrueOrder) -> None:
        self.confirm(order)
        if order.terms.validity is Validity.IOC:
            self.fill(order, 100 if self.calm else self.chance.randint(0, 3), LOT, 10_000)
        Exchange.settle(self, order)


class Sliced(Laggard):
    """Quantities from `freeze` (shares, None for any) on go in slices; permits may be `scarce`."""

    def __init__(self, seed: int, rules: Rules, freeze: int | None, scarce: bool) -> None:
        self._scarce = scarce
        self.permits = 2 if scarce else self.permits
        super().__init__(seed, rules, freeze)
        self.account = self._short = _Short(FOLLOWER, lambda: self.now, self.ns)
        self._short.most, self._short.chance = self._most, self.chance

    def take(self, told: Input) -> None:
        """Permits that come by themselves are few."""
        if isinstance(told, Granted) and self._scarce:
            told = replace(told, count=self.chance.choice((0, 0, 1)))
        super().take(told)

    def permit(self) -> None:
        """One more request may be sent."""
        super().take(Granted(1))

    def iocs(self) -> None:
        """The leader takes what it gets of some lots at once."""
        self.now += timedelta(seconds=0.3)
        lots = self.chance.randint(1, 5)
        asked = terms(lots * LOT, OrderType.LIMIT, 10_000, validity=Validity.IOC)
        one = self.leaders.place(KEY, Side.BUY, Product.INTRADAY, asked)
        self.leaders.confirm(one)
        self.leaders.fill(one, self.chance.randint(0, lots), LOT, 10_000)
        if self.chance.random() < 0.5:
            self._tells(one)
        self.leaders.settle(one)
        self._tells(one)

    def ends(self, trade_too: bool) -> None:
        self._scarce, self._short.calm = False, True
        self.take(Granted(1000))
        super().ends(trade_too)
