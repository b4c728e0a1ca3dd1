"""What one follower has to trade with: instruments and prices, positions, funds and limits."""

from collections.abc import Collection
from datetime import UTC, datetime
from fractions import Fraction

from domain.copies import Copy
from domain.funds import Funds, Room, Trade
from domain.holdings import Holdings
from domain.instruments import InstrumentKey, one_order
from domain.limits import DayLoss, Standing
from domain.listings import Listings
from domain.orders import Order
from domain.rules import Account, Mood, Rules
from domain.sessions import IST
from domain.sizes import Entry
from domain.sizing import Multiplier, Sizing, Unsized
from domain.tickets import Ticket

_ALL = Multiplier(Fraction(1), why="operator")


class Means:
    """The means of one follower, as far as they are known."""

    def __init__(self) -> None:
        self.listings = Listings()
        self.holdings = Holdings()
        self.funds = Funds()
        self._capital: tuple[int | None, int | None] = None, None
        self._loss: DayLoss | None = None

    def capital(self, mine: int | None, leaders: int | None) -> None:
        """Note the capital (paise) of the follower's account and of the leader's."""
        self._capital = mine, leaders

    def lost(self, told: DayLoss) -> None:
        """Note how far the account was down; that it recovers changes nothing on that day."""
        known = self._loss
        if known is None or (known.day, known.loss) < (told.day, told.loss):
            self._loss = told

    def day_loss(self, now: datetime) -> int:
        """The furthest (paise) that the account was down today."""
        return self._loss.on(now) if self._loss else 0

    def sized(self, order: Order, rules: Rules) -> Sizing:
        """The sizing of the copy of an order, by the rules and by what is known now."""
        if order.flattening:
            return _ALL
        key, terms = order.instrument, order.terms
        instrument = self.listings.instrument(key)
        mine, leaders = self._capital
        price = terms.price or terms.trigger or self.listings.last_price(key)
        option = instrument is not None and instrument.option
        entry = Entry(terms.quantity, order.side, option, price, mine, leaders)
        names = [order.symbol]
        if instrument is not None:
            names += [instrument.symbol, instrument.underlying]
        opening: Sizing = Unsized("symbol")
        if not rules.by_symbol or self.listings.named(key):
            opening = rules.sized(entry, key.segment, [name for name in names if name])
        return self.holdings.sizing(order, opening)

    def account(
        self,
        order: Order,
        copy: Copy,
        copies: Collection[Copy],
        rules: Rules,
        mood: Mood,
        now: datetime,
    ) -> Account:
        """The account as a plan for the copy of the order sees it, among all `copies`."""
        position = self.holdings.position(order.instrument, order.product)
        standing = self._standing(order, copies, rules, now)
        overtaken = self.holdings.overtaken(order, copy)
        limits = one_order(self.listings.instrument(order.instrument))
        most = self.holdings.room(order, copy, *limits)
        return Account(mood, position, standing, None, overtaken, most)

    def room(self, order: Order, copy: Copy, rules: Rules, now: datetime) -> Room | None:
        """What funds there are for an order that may open a position; None where nobody asks."""
        key = order.instrument
        instrument = self.listings.instrument(key)
        settled = copy.standing is not None or (copy.skipped is not None and copy.skipped.lasting)
        if settled or instrument is None or self.exits(order):
            return None
        trade = Trade(key, rules.product(order.product), order.side)
        if not copy.attempts:
            terms = order.terms
            price = terms.price or terms.trigger or self.listings.last_price(key) or 0
            self.funds.want(trade, instrument, terms.quantity, price, now)
        return self.funds.room(order.order_id, trade, now)

    def claim(self, order: Order, ticket: Ticket, now: datetime) -> None:
        """Note what an order that is sent needs of the funds."""
        instrument = self.listings.instrument(ticket.instrument)
        if instrument is not None and not self.exits(order):
            self.funds.claim(order.order_id, ticket, instrument, now)

    def exits(self, order: Order) -> bool:
        """Whether the order makes what the copies hold smaller."""
        position = self.holdings.position(order.instrument, order.product)
        return Account(position=position).exits(order.side)

    def _standing(
        self, order: Order, copies: Collection[Copy], rules: Rules, now: datetime
    ) -> Standing:
        """How the account stands by the limits that there are."""
        limits = rules.limits
        held, today = set[InstrumentKey](), 0
        if limits.open_positions is not None:
            held = self.holdings.held()
        if limits.orders_a_day is not None:
            local = now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
            day = local.astimezone(UTC)
            today = sum(copy.attempts[0].sent_at >= day for copy in copies if copy.attempts)
        return Standing(len(held), order.instrument in held, today, self.day_loss(now))
