"""What a complete order book proves of a copy whose requests had no clear answer."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain import correlation, progress
from domain.copies import Attempt, Copy, Stage
from domain.instructions import Instruction, Refuted, Verdict
from domain.instruments import InstrumentKey
from domain.orders import Order, Product, Side
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


def resolved(copy: Copy, instruction: Instruction, shown: Order | None) -> Copy:
    """The copy by the operator's word; `shown` is the row of the account's order book with the
    order that is said to be it.

    What never arrived may be placed again, if the plan still wants it. Raises `Refuted` for a
    copy that is not parked, and for an order that cannot be the one that was asked for.
    """
    attempt = copy.current
    if attempt is None or (attempt.number, attempt.stage) != (instruction.attempt, Stage.PARKED):
        raise Refuted(f"the copy is {copy.state} by now, only a parked one can be settled")
    if instruction.verdict is Verdict.ABSENT:
        return copy.with_attempt(replace(attempt, stage=Stage.ABSENT))
    if shown is None:
        raise Refuted(f"the account's order book does not show order {instruction.order_id}")
    ticket = attempt.ticket
    if shown.correlation_id != ticket.correlation_id and correlation.ours(shown.correlation_id):
        raise Refuted(f"order {shown.order_id} is the copy of another order")
    wanted = (ticket.side, ticket.instrument, ticket.product)
    if (shown.side, shown.instrument, shown.product) != wanted:
        raise Refuted(
            f"order {shown.order_id} is {_words(shown.side, shown.instrument, shown.product)}, "
            f"{_words(*wanted)} was asked for"
        )
    return adopted(copy, attempt, shown)


def adopted(copy: Copy, attempt: Attempt, shown: Order) -> Copy:
    """The copy with the order `shown` as what its attempt placed."""
    known = replace(attempt, stage=Stage.LIVE, order_id=shown.order_id, terms=shown.terms)
    return progress.heard(copy.with_attempt(known), shown)


def _words(side: Side, instrument: InstrumentKey, product: Product) -> str:
    return f"{side} {instrument.segment} {instrument.security_id} {product}"
