"""The leader's orders of the day, whoever told of them: the memory of the RecoveryActor, without
threads or I/O.

What only the ledger says is a memory of another process: it knows when orders were placed and
which of them were open, but nobody acts on it before the order book confirms it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.merge import adds, ambiguous, merge, outweighs
from domain.messages import OrderSeen
from domain.orders import Order, Source, Status
from domain.sessions import IST

_SETTLE_NS = timedelta(seconds=10) // timedelta(microseconds=1) * 1000
_BOOKS_TO_MISS = 2


class LeaderOrders:
    """The orders by id, each as one `OrderSeen` that joins all that was told of it. Its `heard_ns`
    is 0 while only the ledger speaks of it."""

    def __init__(self) -> None:
        self._seen: dict[str, OrderSeen] = {}
        self._absences: dict[str, int] = {}

    def heard(self) -> list[OrderSeen]:
        """Whatever the feed or an order book told."""
        return [seen for seen in self._seen.values() if seen.heard_ns]

    @property
    def newest(self) -> datetime | None:
        """The broker's time of the last change that is known."""
        return max((seen.order.stamp.updated_at for seen in self._seen.values()), default=None)

    def restore(self, kept: Iterable[OrderSeen]) -> None:
        """Remember what the ledger kept of orders that nobody told of yet."""
        for seen in kept:
            self._seen.setdefault(seen.order.order_id, replace(seen, heard_ns=0))

    def unclear(self, seen: OrderSeen) -> bool:
        """Whether only the order book can say what the feed just meant."""
        known = self._seen.get(seen.order.order_id)
        if seen.order.status is Status.UNREADABLE:
            return True
        return known is not None and ambiguous(known.order, seen.order)

    def outrun(self, row: Order, asked_ns: int) -> bool:
        """Whether the feed told other terms of the same second than this row, and that came in when
        the book had been asked for already: the row may be of before. Only a book asked for since
        can say which of the two is in force."""
        known = self._seen.get(row.order_id)
        if known is None or not ambiguous(known.order, row):
            return False
        stamp = known.order.stamp
        return stamp.source is Source.FEED and stamp.heard > asked_ns

    def tell(self, seen: OrderSeen) -> Order | None:
        """Join what was told with what was known; the order by now, None where it is no other
        than before."""
        order_id = seen.order.order_id
        known = self._seen.get(order_id)
        if known is None:
            self._seen[order_id] = seen
            return seen.order
        order = merge(known.order, seen.order)
        told = seen if seen.ltp else known
        self._seen[order_id] = OrderSeen(
            order,
            known.born,
            seen.heard_ns,
            seen.hint or known.hint,
            told.ltp,
            told.ltp_at or told.order.stamp.updated_at,
        )
        return order if adds(known.order, order) or not known.heard_ns else None

    def row(self, row: Order, heard_ns: int, born: datetime | None) -> tuple[OrderSeen, bool]:
        """A row of the order book as it is to be told, and whether everybody must hear it. `born`
        is when it was placed as far as the book alone can tell."""
        known = self._seen.get(row.order_id)
        if known is None:
            return OrderSeen(row, born, heard_ns), True
        seen = OrderSeen(row, known.born, heard_ns)
        return seen, not known.heard_ns or outweighs(known.order, merge(known.order, row))

    def traded(self, order_id: str, filled: int, value: int, heard_ns: int) -> OrderSeen | None:
        """What the exchange's own trades (so many shares, which cost `value` paise) add to what
        is known of an order; None where that is nothing."""
        known = self._seen.get(order_id)
        if known is None or not known.heard_ns:
            return None
        order = replace(known.order, filled=filled, traded_value=value, exact=True)
        if not adds(known.order, merge(known.order, order)):
            return None
        return OrderSeen(order, known.born, heard_ns)

    def unpriced(self) -> bool:
        """Whether something traded of which nobody told the price."""
        orders = (seen.order for seen in self.heard())
        return any(order.filled and not order.traded_value for order in orders)

    def over(self, shown: Collection[str], day: date) -> list[Order]:
        """Forget the orders of days before `day` that a complete order book of it does not show;
        those of them that were open have expired with their day.

        After-market orders wait for another day, so that nothing is known of theirs.
        """
        expired = []
        for order_id, seen in list(self._seen.items()):
            order = seen.order
            if order_id in shown or order.stamp.updated_at.astimezone(IST).date() >= day:
                continue
            del self._seen[order_id]
            self._absences.pop(order_id, None)
            if not order.status.terminal and not order.after_market:
                stamp = replace(order.stamp, source=Source.BOOK)
                expired.append(replace(order, status=Status.EXPIRED, stamp=stamp))
        return expired

    def missing(self, shown: Collection[str], asked_ns: int) -> list[Order]:
        """The open orders that a complete order book, asked for at `asked_ns`, does not show for
        the second time, though they were heard of long enough before; each is told once."""
        missing = []
        for order_id, seen in self._seen.items():
            if order_id in shown:
                self._absences.pop(order_id, None)
            elif not seen.order.status.terminal and asked_ns - seen.heard_ns >= _SETTLE_NS:
                absences = self._absences[order_id] = self._absences.get(order_id, 0) + 1
                if absences == _BOOKS_TO_MISS:
                    missing.append(seen.order)
        return missing
