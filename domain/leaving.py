"""What is left to do until a flattened follower is flat, and the orders that do it.

The leader has no order for it. So one is made in its place, a MARKET for all that the copies hold
of an instrument, and is copied like any other: protected, recorded before it is sent, looked up
when its answer is lost. Only one is ever made of a position that is known to the last share: when
nothing in the instrument can trade any more, by an order book that was asked for since.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.attempts import Attempt
from domain.copies import Copy
from domain.copybook import CopyBook
from domain.instruments import InstrumentKey
from domain.orders import (
    FLATTENING,
    Order,
    OrderType,
    Product,
    Side,
    Source,
    Stamp,
    Status,
    Terms,
)
from domain.pauses import doubled

_Holding = tuple[InstrumentKey, Product]

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=60)


class Leaving:
    """Makes the orders that leave the positions of a `book`, under ids that begin with `prefix`.
    `open_copies` are the leader's orders
    (their ids) of copies that may still trade, `positions` what is held, and `waits` when to look
    again at which order that came to nothing."""

    prefix = FLATTENING

    def __init__(self, book: CopyBook, client_id: str) -> None:
        self._book, self._client_id = book, client_id
        self._read_at: datetime | None = None
        self._quiet: dict[_Holding, tuple[int, datetime]] = {}
        self._flat_since: datetime | None = None
        self.open_copies: list[str] = []
        self.positions: dict[_Holding, int] = {}
        self.waits: dict[str, datetime] = {}

    def forget(self) -> None:
        """Begin anew: nothing of what was seen so far counts as proof."""
        self._quiet, self._flat_since = {}, None

    def read(self, asked_at: datetime) -> None:
        """Note that a complete order book was read that was asked for then."""
        self._read_at = asked_at

    @property
    def awaits_book(self) -> bool:
        """Whether an order book would prove something."""
        instants = [since for _, since in self._quiet.values()]
        if self._flat_since is not None:
            instants.append(self._flat_since)
        return any(not self._read_since(at) for at in instants)

    @property
    def flat(self) -> bool:
        """Whether nothing is held and nothing can trade, by an order book read since."""
        return self._flat_since is not None and self._read_since(self._flat_since)

    @property
    def words(self) -> str:
        """How far it is, in plain words."""
        if self.flat:
            return "flat"
        steps = []
        if self.open_copies:
            steps.append(f"open orders to end: {len(self.open_copies)}")
        if self.positions:
            steps.append(f"positions to leave: {len(self.positions)}")
        return ", ".join(steps) or "flat, to be confirmed by the order book"

    def due(
        self, live: Collection[str], takes: Callable[[InstrumentKey], bool], now: datetime
    ) -> list[Order]:
        """The orders that are to be copied now. `live` are the leader's orders whose copies may
        go on by themselves, `takes` is whether an instrument's market takes orders."""
        began = self._book.holdings.began(now)
        self.positions = self._held()
        self.open_copies = [
            leader_id
            for leader_id, copy in self._book.copies.items()
            if may_trade(copy, began) or (leader_id.startswith(FLATTENING) and leader_id in live)
            if self._concerns(leader_id)
        ]
        busy = {self._instrument(leader_id) for leader_id in self.open_copies}
        flat = not self.positions and not self.open_copies
        self._flat_since = (self._flat_since or now) if flat else None
        self._quiet = {
            holding: self._since(holding, shares, now)
            for holding, shares in self.positions.items()
            if holding[0] not in busy
        }
        self.waits = {}
        return [
            self._order(holding, shares, number, now)
            for number, (holding, (shares, since)) in enumerate(_covered_first(self._quiet))
            if self._read_since(since) and takes(holding[0]) and not self._pauses(holding, now)
        ]

    def _held(self) -> dict[_Holding, int]:
        """What is to be left (shares, signed)."""
        return self._book.holdings.positions()

    def _concerns(self, leader_id: str) -> bool:
        """Whether a copy that may trade has to end before its instrument is left."""
        return True

    def failed(self, leader_id: str) -> bool:
        """Whether an order that was to leave a position has ended without any fill."""
        copy = self._book.copies[leader_id]
        return copy.standing is None and not copy.filled

    def _since(self, holding: _Holding, shares: int, now: datetime) -> tuple[int, datetime]:
        """The position, and since when it is just that with nothing that can trade."""
        known = self._quiet.get(holding)
        return known if known is not None and known[0] == shares else (shares, now)

    def _read_since(self, at: datetime) -> bool:
        return self._read_at is not None and self._read_at > at

    def _instrument(self, leader_id: str) -> InstrumentKey:
        order = self._book.orders.get(leader_id)
        if order is not None:
            return order.instrument
        return self._book.copies[leader_id].attempts[0].ticket.instrument

    def _pauses(self, holding: _Holding, now: datetime) -> bool:
        """Whether it is too soon after orders that came to nothing."""
        made = [
            order.order_id
            for order in self._book.orders.values()
            if order.order_id.startswith(self.prefix)
            and (order.instrument, order.product) == holding
        ]
        if not made:
            return False
        failures = 0
        for leader_id in reversed(made):
            if not self.failed(leader_id):
                break
            failures += 1
        last = self._book.orders[made[-1]]
        pause = doubled(_FIRST_PAUSE, failures, _LONGEST_PAUSE)
        until = last.began + pause
        if now < until:
            self.waits[last.order_id] = until
        return now < until

    def _order(self, holding: _Holding, shares: int, number: int, now: datetime) -> Order:
        instrument, product = holding
        micros = round(now.astimezone(UTC).timestamp() * 1_000_000)
        return Order(
            order_id=f"{self.prefix}{micros}-{number}",
            client_id=self._client_id,
            instrument=instrument,
            side=Side.SELL if shares > 0 else Side.BUY,
            product=product,
            terms=Terms(abs(shares), OrderType.MARKET),
            status=Status.PENDING,
            stamp=Stamp(now, Source.BOOK, 0),
            symbol=self._symbol(holding),
            placed_at=now,
            platform="Lockstep",
        )

    def _symbol(self, holding: _Holding) -> str:
        named = (o.symbol for o in self._book.known_orders() if o.instrument == holding[0])
        return next((symbol for symbol in named if symbol), "")


def _covered_first(
    quiet: Mapping[_Holding, tuple[int, datetime]],
) -> list[tuple[_Holding, tuple[int, datetime]]]:
    """What was sold is bought back first: that lowers the margin."""
    return sorted(quiet.items(), key=lambda one: one[1][0] > 0)


def withdrawn(order: Order, now: datetime) -> Order:
    """An order that was to leave a position, once that is not wanted any more."""
    stamp = Stamp(now, Source.BOOK, 0)
    return replace(order, status=Status.CANCELLED, stamp=stamp, reason="no longer wanted")


def may_trade(copy: Copy, began: datetime) -> bool:
    """Whether something of the copy may still trade on the day that began then."""
    return any(_open(attempt, began) for attempt in copy.attempts)


def _open(attempt: Attempt, began: datetime) -> bool:
    """Whether something of it may trade. What is not after-market ends with its day."""
    if attempt.ended:
        return False
    if attempt.ticket.amo_time is not None:
        return True
    heard = attempt.order.stamp.updated_at if attempt.order else attempt.sent_at
    return max(heard, attempt.sent_at) >= began
