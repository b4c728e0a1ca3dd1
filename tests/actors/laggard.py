"""A follower whose copies trade late or never, of a leader who goes in and out."""

from collections.abc import Callable
from datetime import timedelta

from domain.attempts import Stage
from domain.differences import Difference, Holding, Position, Shown
from domain.drift import differences
from domain.inputs import Heard
from domain.messages import CopyReport, Intent, OrderHeard, OrderSeen
from domain.orders import OrderType, Product, Side, Validity
from domain.reports import report
from domain.rules import Rules
from domain.sessions import IST
from domain.steps import Modify, Place
from tests.actors.flattened import Flattened, signed
from tests.domain.builders import FOLLOWER, KEY, LOT, terms
from tests.domain.exchange import Exchange, TrueOrder
from tests.domain.fates import Fate


class Behind(Exchange):
    """An account whose orders never trade before the leader's; what is to be taken at once is."""

    most: Callable[[TrueOrder], int]

    def fill(self, order: TrueOrder, lots: int, lot: int, price: int) -> None:
        lots = min(lots, (self.most(order) - order.filled) // lot)
        if lots > 0:
            super().fill(order, lots, lot, price)

    def settle(self, order: TrueOrder) -> None:
        self.confirm(order)
        if order.terms.validity is Validity.IOC:
            super().fill(order, 100, LOT, 10_000)
        super().settle(order)


class Laggard(Flattened):
    """The leader is long or flat, and never has more on sale than it holds. While the feed is
    `silent`, it tells of no exit."""

    def __init__(self, seed: int, rules: Rules, freeze: int | None = None) -> None:
        super().__init__(seed, freeze, rules)
        self.silent = False
        self._untold: dict[str, None] = {}
        self.account = Behind(FOLLOWER, lambda: self.now, self.ns)
        self.account.most = self._most

    def _most(self, own: TrueOrder) -> int:
        """What an order of the follower may have, as the leader's goes (shares)."""
        copies = self.following.book.copies.values()
        names = {a.ticket.correlation_id: copy for copy in copies for a in copy.attempts}
        copy, orders = names[own.correlation_id or ""], self.account.orders.values()
        leader = self.leaders.orders[copy.leader_order_id]
        part = copy.sizing.part(leader.filled, leader.terms.quantity, LOT)
        others = [o for o in orders if names[o.correlation_id or ""] is copy and o is not own]
        return part - sum(one.filled for one in others)

    @property
    def leaders_net(self) -> int:
        return sum(signed(one, one.filled) for one in self.leaders.orders.values())

    def enters(self) -> None:
        self._places(Side.BUY, self.chance.randint(1, 4))

    def goes_on(self, move: str) -> None:
        """One of the things that may happen, by its name."""
        match move:
            case "leaves":
                self.leaves(1.0)
            case "part":
                self.leaves(self.chance.random())
            case "trades":
                self.trades(self.chance.randint(1, 3))
            case _:
                getattr(self, move)()

    def buys(self, lots: int, got: int | None = None) -> str:
        """The leader buys at the market, all of it or what it `got`."""
        return self._sends(Side.BUY, lots, got)

    def sells(self, lots: int) -> str:
        """The leader sells at the market."""
        return self._sends(Side.SELL, lots)

    def rests(self, lots: int) -> str:
        """The leader offers so many lots at a limit that nobody takes yet."""
        return self._sends(Side.SELL, lots, 0, OrderType.LIMIT, 10_000)

    def gets(self, leader_id: str, lots: int) -> None:
        """The copy of an order has traded so many lots by now."""
        attempts = self.following.book.copies[leader_id].attempts
        own = self.account.orders[attempts[-1].order_id]
        self.account.settle(own)
        self.account.fill(own, lots - own.filled // LOT, LOT, 10_000)
        self.hears()

    def hears(self) -> None:
        """Everything that happened in the follower's account is told."""
        told, self.account.events = self.account.events, []
        for one in told:
            self.take(Heard((OrderHeard(one),)))

    def report(self, leader_id: str) -> CopyReport:
        book = self.following.book
        return report(book.orders[leader_id], book.copies[leader_id], LOT, None, self.now)

    def leaves(self, part: float) -> None:
        """The leader sells so much of what is not on sale yet."""
        asked = [one for one in self.leaders.orders.values() if one.open and one.side is Side.SELL]
        on_sale = sum(one.terms.quantity - one.filled for one in asked)
        lots = round((self.leaders_net - on_sale) // LOT * part)
        if lots > 0:
            self._places(Side.SELL, lots)

    def trades(self, lots: int) -> None:
        """Some of an order of the leader's trades."""
        one = self._any(self.leaders)
        if one is not None:
            self.leaders.fill(one, lots, LOT, 10_000)
            self._tells(one)

    def withdraws(self) -> None:
        """The leader cancels what is open of an order."""
        one = self._any(self.leaders)
        if one is not None and one.open:
            one.cancelling = True
            self.leaders.settle(one)
            self._tells(one)

    def catches_up(self) -> None:
        """What was not told of the leader's orders is told, in any order."""
        untold = [self.leaders.orders[one] for one in self._untold]
        self.chance.shuffle(untold)
        for one in untold:
            self.news(one)

    def _tells(self, order: TrueOrder) -> None:
        """The feed tells of an order, or does not."""
        if order.side is Side.SELL and self.silent:
            self._untold[order.order_id] = None
        else:
            self.news(order)

    def news(self, order: TrueOrder) -> None:
        self._untold.pop(order.order_id, None)
        told = next(o for o in self.leaders.book(self.ns()) if o.order_id == order.order_id)
        self.take(OrderSeen(told, self.now, self.ns(), ltp=10_000))

    def differences(self) -> list[Difference]:
        """How the account differs from what its copies imply."""
        position = Position(Holding(KEY, Product.INTRADAY), self.net, self.net)
        shown = Shown(self.account.book(self.ns()), (position,) if self.net else ())
        followed = self.following.book.followed()
        return differences("asha", followed, shown, False, self.now.astimezone(IST).date())

    def ends(self, trade_too: bool) -> None:
        """The leader leaves everything, and from now on all goes well; entries that stand still
        trade as well, or only what leaves a position does."""
        self.catches_up()
        for one in list(self.leaders.orders.values()):
            one.cancelling = one.open
            self.leaders.settle(one)
            self.news(one)
        self.leaves(1.0)
        for one in list(self.leaders.orders.values()):
            self.leaders.fill(one, 100, LOT, 10_000)
            self.news(one)
        for _ in range(120):
            self.arrives_all()
            for one in list(self.account.orders.values()):
                self.account.settle(one)
                if trade_too or one.side is Side.SELL:
                    self.account.fill(one, 100, LOT, 10_000)
            self.hears()
            self.reads()
            self.passes(1.0)
            if not self.net and not self.still_open and not self._line:
                return

    def _arrives(self, fate: Fate) -> None:
        """An exit that is refused for good stays behind: that is another story. So is what comes
        when its absence was proven."""
        sent = self._line[0]
        exits = isinstance(sent.request, Place) and sent.request.ticket.side is Side.SELL
        if self._absent(sent):
            fate = Fate.LOST_IDLE
        super()._arrives(Fate.CARRIED_OUT if exits and fate is Fate.REFUSED else fate)

    def _absent(self, sent: Intent) -> bool:
        attempts = self.following.book.copies[sent.leader_order_id].attempts
        stages = {one.number: one.stage for one in attempts}
        return stages.get(sent.number) is Stage.ABSENT

    def _places(self, side: Side, lots: int) -> None:
        if self.chance.random() < 0.7:
            self._sends(side, lots)
        else:
            self._sends(side, lots, 0, OrderType.LIMIT, 10_000)

    def _sends(
        self,
        side: Side,
        lots: int,
        got: int | None = None,
        kind: OrderType = OrderType.MARKET,
        price: int = 0,
    ) -> str:
        self.now += timedelta(seconds=0.3)
        one = self.leaders.place(KEY, side, Product.INTRADAY, terms(lots * LOT, kind, price))
        self.leaders.confirm(one)
        if got != 0:
            self.leaders.fill(one, lots if got is None else got, LOT, 10_000)
        self._tells(one)
        return one.order_id

    @property
    def oversold(self) -> int:
        """By how much what is on sale, or on its way to be, is more than what is held (shares)."""
        orders = self.account.orders
        rest = {
            one.order_id: one.terms.quantity - one.filled
            for one in orders.values()
            if one.open and one.side is Side.SELL
        }
        sent = 0
        for one in self._line:
            request = one.request
            if isinstance(request, Place) and request.ticket.side is Side.SELL:
                sent += 0 if self._absent(one) else request.ticket.terms.quantity
            elif isinstance(request, Modify) and request.order_id in rest:
                more = request.terms.quantity - orders[request.order_id].filled
                rest[request.order_id] = max(rest[request.order_id], more)
        return max(0, sum(rest.values()) + sent - max(0, self.net))
