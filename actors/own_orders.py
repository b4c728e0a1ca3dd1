"""What a follower's own account tells of its orders, by its socket and by its order book."""

import logging
from collections.abc import Callable

from actors.account import BookAnswered
from actors.ledger import Record
from actors.post import LEDGER, Post
from dhan.codec.feed import alerts
from dhan.codec.rest import book
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome
from dhan.requests import Kind
from domain.copybook import CopyBook
from domain.merge import outweighs
from domain.orders import Order, Status
from domain.outcomes import Outcome, Unknown
from ledger.entries import OrderKnown

logger = logging.getLogger(__name__)


class OwnOrders:
    """Reads frames and books into the copy book and the ledger, and says which copies were
    touched. `doubt` is called when only the order book can tell what an event meant. `shown` is
    the last order book that could be read, by order id."""

    def __init__(
        self, post: Post, name: str, client_id: str, copies: CopyBook, doubt: Callable[[], None]
    ) -> None:
        self._post, self._name, self._client_id = post, name, client_id
        self._copies, self._doubt = copies, doubt
        self._unreadable = ""
        self.shown: dict[str, Order] = {}

    def frame(self, frame: str | bytes, heard_ns: int) -> list[str]:
        """Take in a frame of the socket; the leader orders whose copies it speaks of."""
        decoded = alerts(frame, heard_ns, self._client_id)
        for junk in decoded.junk:
            logger.warning("Skipped a feed message: %s (%s)", junk.reason, junk.excerpt)
        touched = []
        for alert in decoded.alerts:
            self._copies.price(alert.order.instrument, alert.ltp)
            leader_id = self._copies.heard(alert.order)
            if leader_id is not None:
                self._post.tell(LEDGER, Record(OrderKnown("follower", alert.order)))
                touched.append(leader_id)
            if alert.order.status is Status.UNREADABLE:
                self._doubt()
        return touched

    def book(self, told: BookAnswered) -> list[str] | Outcome:
        """Take in an order book; the leader orders whose copies it changed, or what came instead
        of a book."""
        answer = told.answer
        if answer.status != 200:
            return self._failed(
                outcome(Kind.READ, answer.status, answer.body, answer.error, answer.written_at)
            )
        try:
            rows, junk = book(answer.body, told.asked_ns)
        except Unreadable as trouble:
            return self._failed(Unknown(str(trouble)))
        self._unreadable = ""
        for skipped in junk:
            logger.warning("Skipped a row of the order book of %s: %s", self._name, skipped.reason)
        before = {row.order_id: self._copies.known(row.order_id) for row in rows}
        self.shown = {row.order_id: row for row in rows}
        touched = self._copies.read(rows, told.asked_at, complete=not junk)
        for row in rows:
            known = self._copies.known(row.order_id)
            if known is not None and outweighs(before[row.order_id], known):
                self._post.tell(LEDGER, Record(OrderKnown("follower", row)))
        return touched

    def _failed(self, came: Outcome) -> Outcome:
        if str(came) != self._unreadable:
            self._unreadable = str(came)
            logger.warning("The order book of %s cannot be read: %s", self._name, came)
        return came
