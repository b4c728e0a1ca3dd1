"""What a follower's own account tells of its orders, by its socket and by its order book."""

import logging
from collections.abc import Callable, Iterable

from actors.account import BookAnswered
from actors.ledger import Record
from actors.post import LEDGER, Post
from dhan.codec.feed import alerts
from dhan.codec.orderbook import OrderBook
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome_of
from dhan.requests import Kind
from domain.copybook import CopyBook
from domain.inputs import BookRead, BookRefused, Heard
from domain.messages import OrderHeard
from domain.orders import Order, Status
from domain.outcomes import Outcome, Refusal, Unknown
from ledger.entries import OrderKnown

logger = logging.getLogger(__name__)


class OwnOrders:
    """Reads frames and books, and has the ledger know what they say of copies. `doubt` is called
    when only the order book can tell what an event meant. `shown` is the last order book that
    could be read, by order id."""

    def __init__(
        self, post: Post, name: str, client_id: str, copies: CopyBook, doubt: Callable[[], None]
    ) -> None:
        self._post, self._name, self._client_id = post, name, client_id
        self._copies, self._doubt = copies, doubt
        self._book = OrderBook(client_id)
        self._unreadable = ""
        self.shown: dict[str, Order] = {}

    def frame(self, frame: str | bytes, heard_ns: int) -> Heard:
        """What a frame of the socket tells."""
        decoded = alerts(frame, heard_ns, self._client_id)
        for junk in decoded.junk:
            logger.warning("Skipped a feed message: %s (%s)", junk.reason, junk.excerpt)
        heard = [alert.order for alert in decoded.alerts]
        self._record(order for order in heard if self._copies.copied(order))
        if any(order.status is Status.UNREADABLE for order in heard):
            self._doubt()
        return Heard(tuple(OrderHeard(alert.order, alert.ltp) for alert in decoded.alerts))

    def book(self, told: BookAnswered) -> BookRead | BookRefused | None:
        """What an order book tells, None where it cannot be read."""
        answer = told.answer
        if answer.status != 200:
            return self._failed(outcome_of(Kind.READ, answer))
        try:
            read = self._book.read(answer.body, told.asked_ns)
        except Unreadable as trouble:
            return self._failed(Unknown(str(trouble)))
        self._unreadable = ""
        for skipped in read.junk:
            logger.warning("Skipped a row of the order book of %s: %s", self._name, skipped.reason)
        self.shown = {row.order_id: row for row in read.orders}
        telling = tuple(row for row in read.orders if self._copies.learns(row))
        self._record(telling)
        return BookRead(telling, told.asked_at, complete=not read.junk)

    def _record(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._post.tell(LEDGER, Record(OrderKnown("follower", order)))

    def _failed(self, came: Outcome) -> BookRefused | None:
        if str(came) != self._unreadable:
            self._unreadable = str(came)
            logger.warning("The order book of %s cannot be read: %s", self._name, came)
        return BookRefused(came) if isinstance(came, Refusal) else None
