"""The accounts of the simulated broker: tokens, addresses, limits, books and money."""

from dataclasses import dataclass, field
from datetime import datetime

from simulator.limits import ORDER_LIMITS, READ_LIMITS, Windows
from simulator.links import Link
from simulator.orders import BrokerOrder, Fill
from simulator.positions import Holding, Position, margin

_Held = tuple[str, str, str]
_Closing = dict[tuple[_Held, str], int]


@dataclass(slots=True, eq=False)
class Account:
    """One account. Amounts in paise. `orders` is the day's book, `live` what can still change in
    it, `dead_tokens` what was its token once; `token_seconds`: how long one lives; `by_web`: that
    it was made on Dhan's web page, for only those can be renewed; `consents`: what its app
    (`api_key`) asked for and did not use, with the id that buys a token by each; `consents_asked`:
    how many on the day; `unpriced`: fills are shown without their price; `quotes`: whether it has
    the paid data API; `newest_first`: its book begins with the newest."""

    client_id: str
    token: str
    opened: datetime
    funds: int = 100_000_000
    collateral: int = 0
    pin: str = "123456"
    totp_secret: str = ""
    api_key: str = ""
    api_secret: str = ""
    consents: dict[str, str] = field(default_factory=dict)
    consents_asked: int = 0
    expires: datetime | None = None
    token_seconds: float = 86_400.0
    by_web: bool = True
    dead_tokens: set[str] = field(default_factory=set)
    allowed_ips: tuple[str, ...] = ()
    slow_ms: int = 0
    pascal: bool = False
    unpriced: bool = False
    quotes: bool = True
    newest_first: bool = False
    frames: str = "single"
    orders: dict[str, BrokerOrder] = field(default_factory=dict)
    live: dict[str, BrokerOrder] = field(default_factory=dict)
    held: dict[_Held, Position] = field(default_factory=dict)
    holdings: dict[tuple[str, str], Holding] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    killed: bool = False
    throttled: int = 0
    order_window: Windows = field(default_factory=lambda: Windows(ORDER_LIMITS))
    read_window: Windows = field(default_factory=lambda: Windows(READ_LIMITS))

    def admits(self, address: str) -> bool:
        """Whether orders may come from an address."""
        return not self.allowed_ips or address in self.allowed_ips

    def take(self, order: BrokerOrder, fill: Fill) -> None:
        """Count a fill into the positions."""
        key = (*order.listing.key, order.product)
        position = self.held.get(key)
        if position is None:
            position = self.held[key] = Position(order.listing, order.product)
        position.take(order.side, fill)

    def blocked(self) -> int:
        """What positions and resting orders block. What closes a position blocks nothing."""
        return self._blocked(list(self.live.values()))[0]

    def needed(self, order: BrokerOrder) -> tuple[int, int]:
        """What an order would block if it rested, and what is there for it."""
        others = [other for other in self.live.values() if other is not order]
        blocked, closing = self._blocked(others)
        return _exposed(order, closing), self.funds - blocked

    def available(self) -> int:
        """What new orders may use."""
        return self.funds - self.blocked()

    def deliverable(self, order: BrokerOrder) -> int:
        """How many shares a CNC sale may sell: what is held and was bought, but for what other
        sales will take."""
        holding = self.holdings.get(order.listing.key)
        position = self.held.get((*order.listing.key, "CNC"))
        selling = sum(
            other.remaining
            for other in self.live.values()
            if other.resting
            and other is not order
            and other.listing.key == order.listing.key
            and (other.product, other.side) == ("CNC", "SELL")
        )
        return (holding.quantity if holding else 0) + (position.net if position else 0) - selling

    def hold(self, holding: Holding) -> None:
        """Set what is held of an instrument."""
        if holding.quantity > 0:
            self.holdings[holding.listing.key] = holding
        else:
            self.holdings.pop(holding.listing.key, None)

    def begin_day(self, prices: dict[tuple[str, str], int]) -> None:
        """Clear the book of the day before but for what still waits, settle what was earned,
        deliver what was bought for delivery, and carry the rest."""
        self.orders = {key: order for key, order in self.orders.items() if not order.ended}
        self.consents_asked = 0
        for position in self.held.values():
            self.funds += position.begin_day(prices[position.listing.key])
            if position.product == "CNC":
                self._deliver(position)
        self.held = {key: position for key, position in self.held.items() if position.net}

    def _blocked(self, orders: list[BrokerOrder]) -> tuple[int, _Closing]:
        """What is blocked, and how many shares of which position could still be closed."""
        total = 0
        closing: _Closing = {}
        for key, position in self.held.items():
            total += position.blocked
            closing[key, "SELL" if position.net > 0 else "BUY"] = abs(position.net)
        for order in orders:
            if order.resting:
                total += _exposed(order, closing)
        return total, closing

    def _deliver(self, position: Position) -> None:
        before = self.holdings.get(position.listing.key)
        quantity, average = (before.quantity, before.average) if before else (0, 0)
        if position.net > 0:
            cost = quantity * average + position.cost
            average = cost // (quantity + position.net)
            self.funds -= position.cost
        else:
            self.funds += position.cost
        self.hold(Holding(position.listing, quantity + position.net, average))
        position.net = position.cost = 0


def _exposed(order: BrokerOrder, closing: _Closing) -> int:
    """The margin of what an order would open; what it closes is taken off `closing`."""
    key = (*order.listing.key, order.product), order.side
    closed = min(order.remaining, closing.get(key, 0))
    if closed:
        closing[key] -= closed
    value = (order.remaining - closed) * (order.terms.price or order.reference)
    return margin(order.listing, order.product, order.side, value)
