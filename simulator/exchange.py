"""The exchange and the broker's book of all accounts: the life of every order.

Lives on the simulator's loop. Every change of an order is told to `tell`.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

from simulator.accounts import Account, margin
from simulator.instruments import Listing
from simulator.matching import Quote, fillable, protected_price, triggers
from simulator.orders import BrokerOrder, Fill

IST = timezone(timedelta(hours=5, minutes=30))
MOST_MODIFICATIONS = 25
PHASES = ("open", "closed", "end_day", "next_day")

Tell = Callable[[Account, BrokerOrder], None]


class Refused(Exception):
    """The broker refuses a request at once: HTTP status, code and words."""

    def __init__(self, message: str, code: str = "DH-906", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass(slots=True)
class Ask:
    """An order as it is asked for; prices in paise."""

    listing: Listing
    side: str
    product: str
    order_type: str
    quantity: int
    price: int = 0
    trigger: int = 0
    validity: str = "DAY"
    disclosed: int = 0
    correlation_id: str = "NA"
    amo: str = ""
    platform: str = "API"


class Exchange:
    """Takes, changes, matches and ends orders. `transit_ms` is how long an order is on its way
    to the exchange; `band` is Dhan's market price protection."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listings: Iterable[Listing],
        tell: Tell,
        transit_ms: int = 30,
        band: Fraction = Fraction(1, 100),
    ) -> None:
        self._loop, self._tell = loop, tell
        self.transit_ms, self._band = transit_ms, band
        self.listings: dict[tuple[str, str], Listing] = {}
        self.quotes: dict[tuple[str, str], Quote] = {}
        self.list_more(listings)
        self.accounts: dict[str, Account] = {}
        self.market = "open"
        self.offset = timedelta(0)
        self._numbers = itertools.count(1)
        self._trades = itertools.count(1)
        self._quote_numbers = itertools.count(1)

    def now(self) -> datetime:
        """The simulator's clock, in Indian time."""
        return datetime.now(UTC).astimezone(IST) + self.offset

    def list_more(self, listings: Iterable[Listing]) -> None:
        """List more instruments, at their first prices."""
        for listing in listings:
            self.listings[listing.key] = listing
            self.quotes[listing.key] = Quote(listing.price)

    def listing(self, segment: str, security_id: str) -> Listing:
        """The instrument, or Refused."""
        listing = self.listings.get((segment, security_id))
        if listing is None or listing.kind == "INDEX":
            raise Refused("Transaction has Failed")
        return listing

    # Orders

    def place(self, account: Account, ask: Ask) -> BrokerOrder:
        """Take an order; the exchange's own refusal may follow later."""
        now = self.now()
        order = BrokerOrder(
            order_id=f"1{now:%y%m%d}{next(self._numbers):07d}",
            client_id=account.client_id,
            listing=ask.listing,
            side=ask.side,
            product=ask.product,
            order_type=ask.order_type,
            validity=ask.validity,
            quantity=ask.quantity,
            price=ask.price,
            trigger=ask.trigger,
            disclosed=ask.disclosed,
            correlation_id=ask.correlation_id,
            platform=ask.platform,
            created=now,
            updated=now,
            amo=ask.amo,
        )
        if order.platform == "API" and order.order_type == "MARKET":
            self._protect(order)
        account.orders[order.order_id] = order
        self._tell(account, order)
        if self.transit_ms:
            self._loop.call_later(self.transit_ms / 1000, self._arrive, account, order)
        else:
            self._arrive(account, order)
        return order

    def modify(self, account: Account, order: BrokerOrder, changes: dict[str, object]) -> None:
        """Change an order. `changes` has the fields of `BrokerOrder`; raises Refused."""
        self._changeable(order, "modified")
        if order.modifications >= MOST_MODIFICATIONS:
            raise Refused("Maximum modification limit of 25 reached for this order")
        quantity = changes.get("quantity", order.quantity)
        if isinstance(quantity, int) and quantity <= order.filled:
            raise Refused("Quantity is less than traded quantity")
        for name, value in changes.items():
            setattr(order, name, value)
        order.modifications += 1
        if order.order_type == "MARKET" and order.platform == "API":
            self._protect(order)
        if order.order_type in ("LIMIT", "MARKET"):
            order.trigger = 0
        self._changed(account, order)
        self._match(account, order)

    def cancel(self, account: Account, order: BrokerOrder) -> None:
        """Cancel what is open of an order; raises Refused."""
        if order.status == "TRANSIT" and not order.amo:
            raise Refused("Order is in Transit state")
        self._changeable(order, "cancelled")
        self._end(account, order, "CANCELLED")
        order.created = order.updated

    def reject(self, account: Account, order: BrokerOrder, reason: str) -> None:
        """The exchange rejects an order, at once or after it was taken; raises Refused."""
        if order.ended:
            raise Refused(f"Order is {order.status.title()}, it cannot be rejected")
        order.reason = reason
        self._end(account, order, "REJECTED")

    def expire(self, account: Account, order: BrokerOrder) -> None:
        """An order's validity ends; raises Refused."""
        if order.ended:
            raise Refused(f"Order is {order.status.title()}, it cannot expire")
        self._end(account, order, "EXPIRED")

    def _changeable(self, order: BrokerOrder, verb: str) -> None:
        if order.ended:
            raise Refused(f"Order is {order.status.title()}, it cannot be {verb}")
        if self.market == "closed" and not order.amo:
            raise Refused("Market is Closed! You cannot modify/cancel an order now.")

    # Market

    def price(
        self,
        key: tuple[str, str],
        price: int,
        volume: int | None = None,
        part: Fraction | None = None,
    ) -> None:
        """Set the last price and trade whatever it makes marketable, oldest first."""
        self.quotes[key] = Quote(price, volume, part, next(self._quote_numbers))
        resting = [
            (account, order)
            for account in self.accounts.values()
            for order in account.orders.values()
            if order.open and order.listing.key == key
        ]
        for account, order in sorted(resting, key=lambda pair: pair[1].order_id):
            self._match(account, order)

    def enter(self, phase: str) -> None:
        """Enter a phase of the market. Raises ValueError when there is no such phase."""
        if phase not in PHASES:
            raise ValueError(f"market phase {phase!r} is not one of {', '.join(PHASES)}")
        self.market = "open" if phase == "open" else "closed"
        if phase == "open":
            self._release()
        elif phase != "closed":
            self._end_day()
        if phase == "next_day":
            for account in self.accounts.values():
                account.begin_day()

    def _release(self) -> None:
        """The after-market orders go to the exchange."""
        for account, order in self._orders():
            if order.amo and order.status == "PENDING":
                order.amo = ""
                self._admit(account, order)

    def _end_day(self) -> None:
        """What is open expires; after-market orders wait for the next day."""
        for account, order in self._orders():
            if order.open and not order.amo:
                self._end(account, order, "EXPIRED")

    def _orders(self) -> list[tuple[Account, BrokerOrder]]:
        return [
            (account, order)
            for account in self.accounts.values()
            for order in account.orders.values()
        ]

    # The life of an order

    def _arrive(self, account: Account, order: BrokerOrder) -> None:
        if order.status != "TRANSIT":
            return
        if order.amo:
            order.status = "PENDING"
            self._changed(account, order)
            return
        self._admit(account, order)

    def _admit(self, account: Account, order: BrokerOrder) -> None:
        """Let an order into the market, or reject it as risk management does."""
        reason = self._objection(account, order)
        if reason:
            order.status, order.reason = "REJECTED", f"RMS:{order.order_id}:{reason}"
            self._changed(account, order)
            return
        order.status = "PENDING"
        order.exchange_id = f"11{order.order_id}"
        self._changed(account, order)
        self._match(account, order)
        if order.validity == "IOC" and order.open:
            self._end(account, order, "CANCELLED")

    def _objection(self, account: Account, order: BrokerOrder) -> str:
        listing = order.listing
        if self.market == "closed":
            return "Market is Closed"
        if account.killed:
            return "Kill switch is active"
        if order.quantity % listing.lot:
            return f"Quantity is not a multiple of lot size {listing.lot}"
        if listing.freeze and order.quantity >= listing.freeze:
            return f"Quantity exceeds freeze quantity {listing.freeze - 1}"
        for price in (order.price, order.trigger):
            if price % listing.tick:
                return f"Price is not a multiple of tick size {listing.tick / 100:.2f}"
        limit = order.price
        if limit and listing.upper and not listing.lower <= limit <= listing.upper:
            low, high = listing.lower / 100, listing.upper / 100
            return f"Order Price needs to be Circuit Limits of {low:.2f} to {high:.2f}"
        return self._shortfall(account, order)

    def _shortfall(self, account: Account, order: BrokerOrder) -> str:
        held = account.net(*order.listing.key, order.product)
        if held * (1 if order.side == "SELL" else -1) >= order.quantity:
            return ""
        reference = order.price or self.quotes[order.listing.key].price
        needed, available = margin(order, order.quantity * reference), account.available()
        if needed > available:
            return (
                f"Fund Limit Insufficient, Available:{available / 100:.2f}, "
                f"Required:{needed / 100:.2f}"
            )
        return ""

    def _match(self, account: Account, order: BrokerOrder) -> None:
        quote = self.quotes[order.listing.key]
        if order.open and triggers(order, quote.price):
            order.triggered = True
        shares = fillable(order, quote)
        if not shares:
            return
        if quote.part is not None:
            order.parted = quote.number
        if quote.volume is not None:
            quote.volume -= shares
        order.fills.append(Fill(f"{next(self._trades)}", shares, quote.price, self.now()))
        order.filled += shares
        order.value += shares * quote.price
        order.status = "PART_TRADED" if order.remaining else "TRADED"
        self._changed(account, order)

    def _protect(self, order: BrokerOrder) -> None:
        """Dhan's market price protection: an API MARKET is a LIMIT within a band."""
        quote, listing = self.quotes[order.listing.key], order.listing
        order.order_type = "LIMIT"
        order.price = protected_price(order.side, quote.price, listing.tick, self._band)

    def _end(self, account: Account, order: BrokerOrder, status: str) -> None:
        order.status = status
        self._changed(account, order)

    def _changed(self, account: Account, order: BrokerOrder) -> None:
        order.updated = self.now()
        self._tell(account, order)
