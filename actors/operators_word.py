"""What the operator says of parked copies, taken or refused by the follower that has them."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from actors.ledger import Record
from actors.own_orders import OwnOrders
from actors.post import BOARD, LEDGER, Post
from domain.copybook import CopyBook
from domain.inputs import Instructed
from domain.instructions import Instruction, Refuted, Settled, Verdict
from domain.messages import Alert, Level
from ledger.entries import OrderKnown

logger = logging.getLogger(__name__)


class OperatorsWord:
    """Settles copies by instruction. The ledger tells an instruction again and again until its
    outcome is recorded, so nothing is lost where this waits or dies."""

    def __init__(
        self, post: Post, copies: CopyBook, own: OwnOrders, read_book: Callable[[], None]
    ) -> None:
        self._post, self._copies, self._own, self._read_book = post, copies, own, read_book
        self._since: dict[str, datetime] = {}
        self._closed: set[str] = set()

    def take(
        self, told: Instruction, read_at: datetime | None, now: datetime
    ) -> Sequence[Instructed]:
        """What settles the copy; or say why not.

        `read_at` is when the account's order book was last asked for. Nothing is believed before
        one that was asked for since then could be read: it may show what the operator did not see.
        """
        if told.key in self._closed:
            return ()
        since = self._since.setdefault(told.key, now)
        if read_at is None or read_at < since:
            self._read_book()
            return ()
        self._closed.add(told.key)
        placed = told.verdict is Verdict.PLACED
        shown = self._own.shown.get(told.order_id) if placed else None
        before = self._copies.copies.get(told.leader_order_id)
        try:
            copy = self._copies.resolved(told, shown)
        except Refuted as refuted:
            self._close(Settled(told, False, f"refused: {refuted}", now))
            return ()
        if copy is before:
            self._close(Settled(told, True, "it is known to be so already", now))
            return ()
        if shown is not None:
            self._post.tell(LEDGER, Record(OrderKnown("follower", shown)))
        self._close(Settled(told, True, "taken", now, copy))
        return (Instructed(told, shown),)

    def _close(self, settled: Settled) -> None:
        told = settled.instruction
        words = f"{told.verdict} as {told.order_id}" if told.order_id else str(told.verdict)
        copied = f"the copy of order {told.leader_order_id}"
        what = f"the operator's word on {copied} ({words}): {settled.outcome}"
        logger.warning("%s: %s", told.follower, what)
        level = Level.NOTE if settled.taken else Level.WARNING
        alert = Alert(level, what, told.follower)
        self._post.tell(LEDGER, Record(settled))
        self._post.tell(LEDGER, Record(alert))
        self._post.tell(BOARD, alert)
