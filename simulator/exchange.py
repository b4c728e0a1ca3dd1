"""The exchange and the broker's book of all accounts: the life of every order.

Lives on the simulator's loop. Every change of an order is told to `tell`.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from simulator.accounts import Account
from simulator.ask import Ask, Refused, Terms, check
from simulator.instruments import Listing
from simulator.matching import Quote, fillable, protected_price, triggers
from simulator.orders import BrokerOrder, Fill
from simulator.risk import objection

IST = timezone(timedelta(hours=5, minutes=30))
MOST_MODIFICATIONS = 25
PHASES = ("open", "closed", "end_day", "next_day")

Tell = Callable[[Account, BrokerOrder], None]


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
        return datetime.now(IST) + self.offset

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

    def last_price(self, listing: Listing) -> int:
        """The last price in paise."""
        return self.quotes[listing.key].price

    # Orders

    def place(self, account: Account, ask: Ask) -> BrokerOrder:
        """Take an order; the exchange's own refusal may follow later. Raises Refused."""
        check(ask.side, ask.terms, by_api=ask.platform == "API")
        now, number = self.now(), next(self._numbers)
        order = BrokerOrder(
            number=number,
            order_id=f"1{now:%y%m%d}{number:07d}",
            client_id=account.client_id,
            listing=ask.listing,
            side=ask.side,
            product=ask.product,
            terms=_tidy(ask.terms),
            correlation_id=ask.correlation_id,
            platform=ask.platform,
            created=now,
            updated=now,
            reference=self.last_price(ask.listing),
            amo=ask.amo,
        )
        if order.platform == "API" and not order.amo:
            order.terms = self._protected(order, order.terms)
        account.orders[order.order_id] = account.live[order.order_id] = order
        self._tell(account, order)
        if self.transit_ms:
            self._loop.call_later(self.transit_ms / 1000, self._arrive, account, order)
        else:
            self._arrive(account, order)
        return order

    def modify(self, account: Account, order: BrokerOrder, terms: Terms, by_api: bool) -> None:
        """Give an order other terms, also while it is in transit. Raises Refused."""
        self._changeable(order, "modified")
        if order.platform == "API" and order.modifications >= MOST_MODIFICATIONS:
            raise Refused(f"Maximum modification limit of {MOST_MODIFICATIONS} reached")
        check(order.side, terms, by_api)
        if terms.quantity <= order.filled:
            raise Refused("Quantity is less than traded quantity")
        terms = _tidy(terms)
        before = order.terms
        order.terms = self._protected(order, terms) if by_api and not order.waiting else terms
        reason = objection(account, order)
        if reason:
            order.terms = before
            raise Refused(f"RMS:{order.order_id}:{reason}")
        if not before.stop or not order.terms.stop:
            order.triggered = False
        order.modifications += 1
        self._changed(account, order)
        self._work(account, order)

    def cancel(self, account: Account, order: BrokerOrder) -> None:
        """Cancel what is open of an order. Raises Refused. Its createTime moves (seen live)."""
        if order.status == "TRANSIT":
            raise Refused("Order is in Transit state", kind="")
        self._changeable(order, "cancelled")
        order.created = self.now()
        self._end(account, order, "CANCELLED")

    def reject(self, account: Account, order: BrokerOrder, reason: str) -> None:
        """The exchange rejects an order, at once or after it was taken. Raises Refused."""
        self._unended(order, "rejected")
        order.reason = reason
        self._end(account, order, "REJECTED")

    def expire(self, account: Account, order: BrokerOrder) -> None:
        """An order's validity ends. Raises Refused."""
        self._unended(order, "expired")
        self._end(account, order, "EXPIRED")

    def _changeable(self, order: BrokerOrder, verb: str) -> None:
        self._unended(order, verb)
        if self.market == "closed" and not order.waiting:
            raise Refused("Market is Closed! You cannot modify/cancel an order now.")

    def _unended(self, order: BrokerOrder, verb: str) -> None:
        if order.ended:
            raise Refused(f"Order is {order.status.title()}, it cannot be {verb}")

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
        for account, order in self._live():
            if order.listing.key == key:
                self._work(account, order)

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
            prices = {key: quote.price for key, quote in self.quotes.items()}
            for account in self.accounts.values():
                account.begin_day(prices)

    def _release(self) -> None:
        """The after-market orders go to the exchange, whatever their amoTime, and what rests may
        trade again."""
        for account, order in self._live():
            if order.waiting and order.status == "PENDING":
                order.released = True
                if order.platform == "API":
                    order.terms = self._protected(order, order.terms)
                self._admit(account, order)
            else:
                self._work(account, order)

    def _end_day(self) -> None:
        """What is open expires; after-market orders wait for the next day."""
        for account, order in self._live():
            if order.resting:
                self._end(account, order, "EXPIRED")

    def _live(self) -> list[tuple[Account, BrokerOrder]]:
        """All orders that have not ended, oldest first."""
        pairs = [
            (account, order)
            for account in self.accounts.values()
            for order in account.live.values()
        ]
        return sorted(pairs, key=lambda pair: pair[1].number)

    # The life of an order

    def _arrive(self, account: Account, order: BrokerOrder) -> None:
        if order.status != "TRANSIT":
            return
        if order.waiting:
            order.status = "PENDING"
            self._changed(account, order)
            return
        self._admit(account, order)

    def _admit(self, account: Account, order: BrokerOrder) -> None:
        """Let an order into the market, or reject it as risk management does."""
        closed = "Market is Closed" if self.market == "closed" else ""
        reason = closed or objection(account, order)
        if reason:
            order.reason = f"RMS:{order.order_id}:{reason}"
            self._end(account, order, "REJECTED")
            return
        order.status = "PENDING"
        order.exchange_id = f"11{order.order_id}"
        self._changed(account, order)
        self._work(account, order)

    def _work(self, account: Account, order: BrokerOrder) -> None:
        """Trade what is marketable of a resting order; the rest of an IOC is cancelled."""
        if self.market == "closed" or not order.resting:
            return
        quote = self.quotes[order.listing.key]
        if triggers(order, quote.price):
            order.triggered = True
        shares = fillable(order, quote)
        if shares:
            self._trade(account, order, quote, shares)
        if order.terms.validity == "IOC" and order.resting:
            self._end(account, order, "CANCELLED")

    def _trade(self, account: Account, order: BrokerOrder, quote: Quote, shares: int) -> None:
        order.parted = quote.number
        if quote.volume is not None:
            quote.volume -= shares
        fill = Fill(f"{next(self._trades)}", shares, quote.price, self.now())
        order.fills.append(fill)
        order.filled += shares
        order.value += shares * quote.price
        account.take(order, fill)
        if order.remaining:
            order.status = "PART_TRADED"
            self._changed(account, order)
        else:
            self._end(account, order, "TRADED")

    def _protected(self, order: BrokerOrder, terms: Terms) -> Terms:
        """Dhan's market price protection: an API MARKET is a LIMIT within a band."""
        if terms.order_type != "MARKET":
            return terms
        last = self.last_price(order.listing)
        price = protected_price(order.side, last, order.listing.tick, self._band)
        return replace(terms, order_type="LIMIT", price=price)

    def _end(self, account: Account, order: BrokerOrder, status: str) -> None:
        order.status = status
        account.live.pop(order.order_id, None)
        self._changed(account, order)

    def _changed(self, account: Account, order: BrokerOrder) -> None:
        order.updated = self.now()
        self._tell(account, order)


def _tidy(terms: Terms) -> Terms:
    """Terms without prices that their type has no use for."""
    return replace(
        terms,
        price=terms.price if terms.limited else 0,
        trigger=terms.trigger if terms.stop else 0,
    )
