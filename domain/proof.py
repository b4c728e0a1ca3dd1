"""What a complete order book proves of a copy whose requests had no clear answer."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain import progress
from domain.copies import Attempt, Copy, Stage
from domain.orders import Order
from domain.rules import Rules

BOOKS_TO_PROVE_ABSENCE = 2


def book_read(copy: Copy, book: Iterable[Order], asked_at: datetime, rules: Rules) -> Copy:
    """The copy after a complete order book of its account, asked for at `asked_at`.

    The only proof that a request with an unknown outcome never arrived: after the settling
    time, books that were asked for later do not show it.
    """
    rows = tuple(book)
    for row in rows:
        copy = progress.heard(copy, row)
    attempt = copy.current
    if attempt is None:
        return copy
    if attempt.verify_at is not None and asked_at >= attempt.verify_at:
        return _verified(copy, attempt, rows)
    if attempt.stage is not Stage.UNKNOWN:
        return copy
    if asked_at < (attempt.doubted_at or attempt.sent_at) + rules.settle:
        return copy
    absences = attempt.absences + 1
    stage = Stage.ABSENT if absences >= BOOKS_TO_PROVE_ABSENCE else Stage.UNKNOWN
    return copy.with_attempt(replace(attempt, absences=absences, stage=stage))


def _verified(copy: Copy, attempt: Attempt, rows: Iterable[Order]) -> Copy:
    """The copy with the book's word for terms that an unclear modification left in doubt."""
    shown = any(progress.belongs(attempt, row) for row in rows)
    if not shown or attempt.order is None or attempt.pending is not None:
        return copy
    return copy.with_attempt(replace(attempt, terms=attempt.order.terms, verify_at=None))


def doubtful(copy: Copy) -> bool:
    """Whether there is something about it that only an order book can tell."""
    attempt = copy.current
    if attempt is None:
        return False
    return attempt.stage is Stage.UNKNOWN or (attempt.verify_at is not None and not attempt.ended)


def given_up(copy: Copy, now: datetime, rules: Rules) -> Copy:
    """The copy parked, when its unknown outcome could not be resolved for too long."""
    attempt = copy.current
    if attempt is None or attempt.stage is not Stage.UNKNOWN:
        return copy
    if now - (attempt.doubted_at or attempt.sent_at) < rules.park_after:
        return copy
    return copy.with_attempt(replace(attempt, stage=Stage.PARKED))
