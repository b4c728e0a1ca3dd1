"""Whether a follower's account can pay for an entry (scenarios 5.3, 8.4, 8.5).

Free cash is what Dhan told last, less what copies that were sent since may still take of it. The
margin of an entry is its value where it is paid in full, else an estimate by the last answer of
Dhan's calculator. What is not known is waited for, but not for long: then the entry is placed
unchecked, as the broker's own refusal stands behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.attempts import Stage
from domain.copies import Copy, Skipped
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.orders import Product, Side
from domain.steps import Hold, Skip, Step, Why
from domain.tickets import Ticket

PATIENCE = timedelta(seconds=2)
_SETTLE = timedelta(seconds=1)
_CASH_LASTS = timedelta(minutes=2)
_RATE_LASTS = timedelta(hours=1)
_RATE_AGES = timedelta(minutes=15)
_MOVED = 20  # a twentieth
_PREMIUM = (Segment.NSE_FNO, Segment.BSE_FNO)


@dataclass(frozen=True, slots=True)
class Trade:
    """What a margin is asked for."""

    instrument: InstrumentKey
    product: Product
    side: Side


@dataclass(frozen=True, slots=True)
class FreeCash:
    """The cash (paise, pledged collateral left out) that new orders could use, as of a request
    that was sent at `asked_at`."""

    paise: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class MarginTold:
    """The margin (paise) of so many shares at a price (paise, 0 for none), by Dhan's calculator,
    as of a request that was sent at `asked_at`."""

    trade: Trade
    quantity: int
    price: int
    paise: int
    asked_at: datetime

    def of(self, quantity: int, price: int) -> int:
        """The estimate for another quantity at another price. A share's goes with its price."""
        cash = self.trade.instrument.segment.cash and self.price and price
        up, down = (price, self.price) if cash else (1, 1)
        return -(-self.paise * quantity * up // (self.quantity * down))

    def aged(self, price: int, now: datetime) -> bool:
        """Whether it is to be asked for again: it is old, or the price has moved a lot."""
        moved = self.price and price and abs(price - self.price) * _MOVED > self.price
        return now - self.asked_at > _RATE_AGES or bool(moved)


@dataclass(frozen=True, slots=True)
class Room:
    """What there is for one entry: the cash, what other copies claim of it, and how much of that
    the cash may be less already. `since` is when the entry began to wait."""

    cash: FreeCash | None = None
    claimed: int = 0
    doubtful: int = 0
    rate: MarginTold | None = None
    since: datetime | None = None


def affordable(
    trade: Trade, instrument: Instrument, quantity: int, price: int, room: Room, now: datetime
) -> Hold | Skip | None:
    """The verdict on an entry of so many shares at about `price` (paise), None where it may be
    placed. A shortfall is believed by cash that was asked for since the entry came."""
    needed = _margin(trade, instrument, quantity, price, room.rate)
    if needed == 0:
        return None
    most = needed if needed is not None else _at_most(trade, quantity, price)
    cash, until = room.cash, (room.since or now) + PATIENCE
    if cash is not None and most is not None and most <= cash.paise - room.claimed:
        return None
    if cash is not None and needed is not None:
        sure = room.claimed - room.doubtful
        fresh = room.since is not None and cash.asked_at >= room.since
        if fresh and needed > cash.paise - sure:
            return _short(needed, cash.paise, sure)
        if now >= until:
            return _short(needed, cash.paise, room.claimed)
    return Hold(Why.FUNDS, until) if now < until else None


def _short(needed: int, cash: int, claimed: int) -> Skip:
    words = f"needs about {needed / 100:.2f}, free {cash / 100:.2f}"
    if claimed:
        words += f", of which {claimed / 100:.2f} is claimed by other copies"
    return Skip(Skipped.FUNDS, words)


def _margin(
    trade: Trade, instrument: Instrument, quantity: int, price: int, rate: MarginTold | None
) -> int | None:
    """What an entry takes of the cash (paise), None while that is not known."""
    if trade.product is Product.CNC:
        return quantity * price if trade.side is Side.BUY else 0
    if _premium(trade, instrument):
        return quantity * price
    return None if rate is None else rate.of(quantity, price)


def _premium(trade: Trade, instrument: Instrument) -> bool:
    """Whether it is an option that is bought, in a segment that counts in shares."""
    segment = trade.instrument.segment
    return instrument.option and trade.side is Side.BUY and segment in _PREMIUM


def _at_most(trade: Trade, quantity: int, price: int) -> int | None:
    """What a margin cannot be above: the value of shares. A contract's may be anything."""
    return quantity * price if trade.instrument.segment.cash and price else None


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a placement that was sent at `at` may take: `quantity` shares, and about so much of the
    cash (paise)."""

    leader_id: str
    ticket: Ticket
    instrument: Instrument
    at: datetime
    quantity: int
    amount: int = 0


class Funds:
    """What one follower knows of its cash, of margins, and of who claims what. `waiting` are the
    copies that wait for it and since when, `wanted` the margins to be asked for: of so many
    shares at a price."""

    def __init__(self) -> None:
        self.waiting: dict[str, datetime] = {}
        self.wanted: dict[Trade, tuple[int, int]] = {}
        self._cash: FreeCash | None = None
        self._rates: dict[Trade, MarginTold] = {}
        self._claims: dict[str, _Claim] = {}
        self._claimed = 0

    def told(self, cash: FreeCash, copies: Mapping[str, Copy]) -> None:
        """Note the cash; what it shows is claimed no more."""
        if self._cash is not None and cash.asked_at < self._cash.asked_at:
            return
        self._cash = cash
        for name, claim in list(self._claims.items()):
            if _shown(claim, cash, copies):
                self.unclaim(name)

    def margin(self, told: MarginTold) -> None:
        """Note an answer of the calculator."""
        self._rates[told.trade] = told
        for claim in list(self._claims.values()):
            if _trade(claim.ticket) == told.trade:
                self._estimate(claim)

    def claim(self, leader_id: str, ticket: Ticket, instrument: Instrument, now: datetime) -> None:
        """Note that an entry is on its way."""
        self._estimate(_Claim(leader_id, ticket, instrument, now, ticket.terms.quantity))

    def unclaim(self, name: str) -> None:
        """Forget what the order of that correlation id may take."""
        claim = self._claims.pop(name, None)
        self._claimed -= claim.amount if claim else 0

    def changed(self, copy: Copy) -> None:
        """Note what is known of a copy: an order that ended takes what it traded, and no more."""
        for attempt in copy.attempts if self._claims else ():
            claim = self._claims.get(attempt.ticket.correlation_id)
            if claim is not None and attempt.ended and claim.quantity != attempt.filled:
                self._estimate(replace(claim, quantity=attempt.filled))

    def waits(self, leader_id: str, step: Step, now: datetime) -> None:
        """Note whether a copy waits for funds or margin, by its next step."""
        if isinstance(step, Hold) and step.why is Why.FUNDS:
            self.waiting.setdefault(leader_id, now)
        else:
            self.waiting.pop(leader_id, None)

    def want(
        self, trade: Trade, instrument: Instrument, quantity: int, price: int, now: datetime
    ) -> None:
        """Have the calculator asked for so many shares at a price (paise, 0 for none), if only it
        can tell the margin, and it did not lately."""
        rate = self._rates.get(trade)
        told = rate is not None and not rate.aged(price, now)
        if not told and _margin(trade, instrument, quantity, price, None) is None:
            self.wanted[trade] = quantity, price

    def room(self, leader_id: str, trade: Trade, now: datetime) -> Room:
        """What there is for an entry."""
        cash, rate = self._cash, self._rates.get(trade)
        if cash is not None and now - cash.asked_at > _CASH_LASTS:
            cash = None
        if rate is not None and now - rate.asked_at > _RATE_LASTS:
            rate = None
        since, doubtful = self.waiting.get(leader_id), 0
        if since is not None and cash is not None:
            claims = self._claims.values()
            doubtful = sum(claim.amount for claim in claims if cash.asked_at >= claim.at)
        return Room(cash, self._claimed, doubtful, rate, since)

    def _estimate(self, claim: _Claim) -> None:
        """Keep a claim with what it may take, as far as that is known."""
        ticket, trade = claim.ticket, _trade(claim.ticket)
        price, quantity = ticket.terms.price or ticket.terms.trigger, claim.quantity
        amount = _margin(trade, claim.instrument, quantity, price, self._rates.get(trade))
        if amount is None:
            amount = _at_most(trade, quantity, price) or 0
        self.unclaim(ticket.correlation_id)
        self._claims[ticket.correlation_id] = replace(claim, amount=amount)
        self._claimed += amount


def _trade(ticket: Ticket) -> Trade:
    return Trade(ticket.instrument, ticket.product, ticket.side)


def _shown(claim: _Claim, cash: FreeCash, copies: Mapping[str, Copy]) -> bool:
    """Whether the cash is less by what is claimed, or nothing will be taken any more."""
    copy = copies.get(claim.leader_id)
    attempts, name = copy.attempts if copy else (), claim.ticket.correlation_id
    attempt = next((one for one in attempts if one.ticket.correlation_id == name), None)
    if attempt is None or (attempt.ended and not attempt.filled):
        return True
    open_question = attempt.stage in (Stage.SENT, Stage.UNKNOWN)
    return not open_question and cash.asked_at >= claim.at + _SETTLE
