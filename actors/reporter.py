"""Telling readers what became of a follower's copies, off the path of its orders."""

import logging
from datetime import datetime

from actors.ledger import Record
from actors.post import BOARD, LEDGER, Post
from domain.copybook import CopyBook
from domain.correlation import correlation_id
from domain.messages import Answered, CopyChanged
from domain.outcomes import Accepted, NotSent, Outcome, Refusal, Throttled, Unknown

logger = logging.getLogger(__name__)


class Reporter:
    """Collects the copies that were touched, and tells those that look different."""

    def __init__(self, post: Post, book: CopyBook) -> None:
        self._post, self._book = post, book
        self._touched: dict[str, None] = {}
        self._told: dict[str, CopyChanged] = {}

    def touch(self, leader_id: str) -> None:
        """Look at this copy at the next flush."""
        self._touched[leader_id] = None

    def retell(self) -> None:
        """Tell of every copy again at the next flush."""
        self._touched |= dict.fromkeys(self._told)
        self._told.clear()

    def flush(self, now: datetime) -> None:
        """Tell the board and the ledger of every touched copy that is not what it was."""
        touched, self._touched = self._touched, {}
        for leader_id in touched:
            report = self._book.report(leader_id, now)
            if report is None:
                continue
            told = self._told.get(leader_id)
            changed = CopyChanged(report, self._book.copies[leader_id])
            if told is None or not changed.repeats(told):
                self._told[leader_id] = changed
                self._tell(changed, told)

    def _tell(self, changed: CopyChanged, before: CopyChanged | None) -> None:
        self._post.tell(LEDGER, Record(changed))
        self._post.tell(BOARD, changed)
        report = changed.report
        if before is None or before.report.state is not report.state:
            # Before the first attempt its name is known already: it follows from the order.
            ids = report.correlation_ids or (correlation_id(report.leader_order_id, 0, 0),)
            plain = report.reason in ("", report.state)
            logger.info(
                "%s%s",
                report.state,
                "" if plain else f": {report.reason}",
                extra={
                    "leader_order": report.leader_order_id,
                    "follower": report.follower,
                    "correlation_id": ids[-1],
                },
            )


def _words(came: Outcome) -> str:
    match came:
        case Accepted(order_id):
            return f"accepted as {order_id}" if order_id else "accepted"
        case Refusal(kind, message):
            return f"refused ({kind}): {message}"
        case Throttled(message):
            return f"throttled: {message}"
        case Unknown(why):
            return f"outcome not known: {why}"
        case NotSent(why):
            return f"not sent: {why}"


def log_answer(answer: Answered) -> None:
    """One line for each answer: what was asked, what came, how long it took."""
    intent = answer.intent
    sent = answer.written_ns is not None
    took = (answer.answered_ns - (answer.written_ns or 0)) // 1_000_000 if sent else 0
    level = logging.INFO if isinstance(answer.outcome, Accepted) else logging.WARNING
    logger.log(
        level,
        "%s: %s in %d ms",
        intent.change or "place",
        _words(answer.outcome),
        took,
        extra={
            "leader_order": intent.leader_order_id,
            "follower": intent.follower,
            "correlation_id": intent.correlation_id,
        },
    )
