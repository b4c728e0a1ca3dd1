"""Telling readers what became of a follower's copies, off the path of its orders."""

import logging
from collections.abc import Callable
from datetime import datetime

from actors.clock import Clock
from actors.ledger import Record
from actors.post import BOARD, LEDGER, Post
from domain.attempts import Stage
from domain.copies import Copy
from domain.copybook import CopyBook
from domain.correlation import correlation_id
from domain.messages import Answered, CopyChanged, Tick
from domain.orders import Status
from domain.outcomes import Accepted, NotSent, Outcome, Recalled, Refusal, Throttled, Unknown
from domain.reports import Shown, report

logger = logging.getLogger(__name__)

REPORTS = "reports"
"""The tick by which a follower is told to report."""

_SECOND_NS = 1_000_000_000
_MOMENT_NS = _SECOND_NS // 10
_SENT = (Stage.SENT, Stage.LIVE)
_UNHEARD = (None, Status.TRANSIT)


class Reporter:
    """Collects the copies that were touched, and tells those that look different."""

    def __init__(self, post: Post, book: CopyBook) -> None:
        self._post, self._book = post, book
        self._touched: dict[str, None] = {}
        self._told: dict[str, CopyChanged] = {}
        self._shown: dict[str, Shown] = {}

    @property
    def waits(self) -> bool:
        """Whether there is any copy to look at."""
        return bool(self._touched)

    @property
    def pressing(self) -> bool:
        """Whether one is more than on its way to the exchange."""
        copies = (self._book.copies.get(leader_id) for leader_id in self._touched)
        return any(copy is not None and not _on_its_way(copy) for copy in copies)

    def touch(self, leader_id: str) -> None:
        """Look at this copy at the next flush."""
        self._touched[leader_id] = None

    def retell(self) -> None:
        """Tell of every copy again at the next flush."""
        self._touched |= dict.fromkeys(self._told)
        self._told.clear()
        self._shown.clear()

    def flush(self, now: datetime) -> None:
        """Tell the board and the ledger of every touched copy that is not what it was."""
        touched, self._touched = self._touched, {}
        for leader_id in touched:
            shown = self._book.shown(leader_id)
            if shown is None or shown == self._shown.get(leader_id):
                continue
            self._shown[leader_id] = shown
            told = self._told.get(leader_id)
            changed = CopyChanged(report(*shown, now), shown[1])
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


class Telling:
    """When the reports of one follower are told: at once, but for copies on their way, which change
    several times within a moment: these once in it, and with the next that is told at once."""

    def __init__(
        self, reporter: Reporter, clock: Clock, later: Callable[[float, object], None]
    ) -> None:
        self._reporter, self._clock, self._later = reporter, clock, later
        self._told_ns = 0
        self._rings = False

    def look(self) -> None:
        """Tell what there is, now or in a moment."""
        if not self._reporter.waits:
            return
        wait_ns = self._told_ns + _MOMENT_NS - self._clock.ns()
        if wait_ns <= 0 or self._reporter.pressing:
            self.now()
        elif not self._rings:
            self._rings = True
            self._later(wait_ns / _SECOND_NS, Tick(REPORTS))

    def rang(self) -> None:
        """The moment is over."""
        self._rings = False
        self.now()

    def now(self) -> None:
        """Tell all that there is."""
        self._told_ns = self._clock.ns()
        self._reporter.flush(self._clock.now())


def _on_its_way(copy: Copy) -> bool:
    """Whether nothing is to be told of a copy but that it is to rest at the exchange soon."""
    return copy.skipped is None and all(
        one.stage in _SENT and one.status in _UNHEARD for one in copy.attempts
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
        case Recalled():
            return "called back before it was sent"


def log_answer(answer: Answered) -> None:
    """One line for each answer: what was asked, what came, how long it took."""
    intent = answer.intent
    sent = answer.written_ns is not None
    took = (answer.answered_ns - (answer.written_ns or 0)) // 1_000_000 if sent else 0
    level = logging.INFO if isinstance(answer.outcome, Accepted | Recalled) else logging.WARNING
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
