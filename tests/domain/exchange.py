"""A toy broker for one account: the orders as they truly are, and what can be told of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.instruments import InstrumentKey
from domain.orders import Order, Product, Side, Source, Stamp, Status, Terms, Validity


@dataclass(slots=True)
class TrueOrder:
    """An order as the exchange has it. `visible_from` is when order books begin to show it."""

    order_id: str
    client_id: str
    instrument: InstrumentKey
    side: Side
    product: Product
    terms: Terms
    placed: datetime
    updated: datetime
    visible_from: datetime
    correlation_id: str | None = None
    status: Status = Status.TRANSIT
    filled: int = 0
    value: int = 0
    modifications: int = 0
    cancelling: bool = False

    @property
    def open(self) -> bool:
        return not self.status.terminal

    @property
    def exposed(self) -> int:
        """Shares that traded or still can."""
        return self.terms.quantity if self.open else self.filled

    def told(self, source: Source, heard: int) -> Order:
        """What somebody says of it who looks now; times have whole seconds, as Dhan's."""
        return Order(
            order_id=self.order_id,
            client_id=self.client_id,
            instrument=self.instrument,
            side=self.side,
            product=self.product,
            terms=self.terms,
            status=self.status,
            stamp=Stamp(self.updated.replace(microsecond=0), source, heard),
            filled=self.filled,
            traded_value=self.value,
            correlation_id=self.correlation_id,
            placed_at=self.placed.replace(microsecond=0),
            platform="FAST" if source is Source.FEED else "",
        )


@dataclass(slots=True)
class Exchange:
    """The orders of one account. Every change is told as an event, to be delivered or not."""

    client_id: str
    clock: Callable[[], datetime]
    heard: Callable[[], int]
    cap: int = 25
    orders: dict[str, TrueOrder] = field(default_factory=dict)
    events: list[Order] = field(default_factory=list)

    def place(
        self,
        instrument: InstrumentKey,
        side: Side,
        product: Product,
        terms: Terms,
        correlation_id: str | None = None,
        hidden: float = 0.0,
    ) -> TrueOrder:
        """A new order in transit; books do not show it for `hidden` seconds."""
        now = self.clock()
        order = TrueOrder(
            order_id=f"{self.client_id[-1]}{len(self.orders) + 1:014d}",
            client_id=self.client_id,
            instrument=instrument,
            side=side,
            product=product,
            terms=terms,
            placed=now,
            updated=now,
            visible_from=now + timedelta(seconds=hidden),
            correlation_id=correlation_id,
        )
        self.orders[order.order_id] = order
        self.tell(order)
        return order

    def tell(self, order: TrueOrder) -> None:
        """An event about the order as it is now."""
        order.updated = self.clock()
        self.events.append(order.told(Source.FEED, self.heard()))

    def confirm(self, order: TrueOrder) -> None:
        """The order reaches the market; what of an IOC does not trade at once is cancelled."""
        if order.status is Status.TRANSIT:
            order.status = Status.PENDING
            self.tell(order)

    def fill(self, order: TrueOrder, lots: int, lot: int, price: int) -> None:
        """So many lots trade, at most what is open."""
        if order.status not in (Status.PENDING, Status.PART_TRADED):
            return
        traded = min(lots * lot, order.terms.quantity - order.filled)
        order.filled += traded
        order.value += traded * price
        whole = order.filled == order.terms.quantity
        order.status = Status.TRADED if whole else Status.PART_TRADED
        self.tell(order)

    def modify(self, order: TrueOrder, terms: Terms) -> bool:
        """New terms, unless the order has ended, has traded more, or was modified too often."""
        if not order.open or terms.quantity < order.filled or order.modifications >= self.cap:
            return False
        order.terms = terms
        order.modifications += 1
        if order.filled == terms.quantity:
            order.status = Status.TRADED
        self.tell(order)
        return True

    def end(self, order: TrueOrder, status: Status) -> None:
        """The order ends with what of it has traded."""
        if order.open:
            order.status = status
            self.tell(order)

    def settle(self, order: TrueOrder) -> None:
        """What the exchange does by itself: confirm, carry out cancels, end an IOC."""
        self.confirm(order)
        if order.cancelling or order.terms.validity is Validity.IOC:
            self.end(order, Status.CANCELLED)

    def book(self, asked: int) -> tuple[Order, ...]:
        """The order book, as far as it shows every order already."""
        now = self.clock()
        return tuple(
            order.told(Source.BOOK, asked)
            for order in self.orders.values()
            if order.visible_from <= now
        )
