"""What a complete order book, or else the operator, proves of a copy whose requests had no clear
answer."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain import correlation, progress
from domain.attempts import Attempt, Stage
from domain.copies import Copy
from domain.instructions import Instruction, Refuted, Verdict
from domain.instruments import InstrumentKey
from domain.orders import Order, Product, Side, Terms
from domain.outcomes import Refusal, Refused
from domain.rules import Rules

BOOKS_TO_PROVE_ABSENCE = 2
_MOST_CONTRADICTIONS = 3
_CONTRADICTED = Refusal(Refused.OTHER, "taken, but the order book goes on to show other terms")


def book_read(copy: Copy, book: Iterable[Order], asked_at: datetime, rules: Rules) -> Copy:
    """The copy after a complete order book of its account, asked for at `asked_at`.

    The only proof that a request with an unknown outcome never arrived: after the settling
    time, books that were asked for later do not show it.
    """
    rows = tuple(book)
    for row in rows:
        copy = progress.heard(copy, row)
    for attempt in copy.newest:
        copy = _looked_for(copy, attempt, rows, asked_at, rules)
    return copy


def _looked_for(
    copy: Copy, attempt: Attempt, rows: Iterable[Order], asked_at: datetime, rules: Rules
) -> Copy:
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
    """The copy with the book's word for the terms after a modification.

    The exchange may refuse what Dhan took. It is asked for again, but not for ever: terms that
    never show up count as refused.
    """
    shown = any(progress.belongs(attempt, row) for row in rows)
    if not shown or attempt.order is None or attempt.pending is not None:
        return copy
    terms, taken = attempt.order.terms, attempt.terms
    attempt = replace(attempt, verify_at=None)
    if taken is None:
        attempt = replace(attempt, terms=terms)
    elif not contradicts(terms, taken):
        attempt = replace(attempt, contradictions=0)
    else:
        quantity, price, trigger = terms.quantity, terms.price, terms.trigger
        terms = replace(taken, quantity=quantity, price=price, trigger=trigger)
        attempt = replace(attempt, terms=terms, contradictions=attempt.contradictions + 1)
        if attempt.contradictions >= _MOST_CONTRADICTIONS:
            attempt = replace(attempt, declined=taken, refusal=_CONTRADICTED, contradictions=0)
    return copy.with_attempt(attempt)


def contradicts(shown: Terms, given: Terms) -> bool:
    """Whether the broker's own word contradicts the terms that it took; one that shows another
    order type was only translated (Dhan makes a LIMIT of a MARKET)."""
    return shown.order_type is given.order_type and (
        (shown.quantity, shown.price, shown.trigger) != (given.quantity, given.price, given.trigger)
    )


def doubtful(copy: Copy) -> bool:
    """Whether there is something about it that only an order book can tell."""
    return any(
        one.stage is Stage.UNKNOWN or (one.verify_at is not None and not one.ended)
        for one in copy.newest
    )


def given_up(copy: Copy, now: datetime, rules: Rules) -> Copy:
    """The copy parked, when its unknown outcome could not be resolved for too long."""
    for attempt in copy.newest:
        since = attempt.doubted_at or attempt.sent_at
        if attempt.stage is Stage.UNKNOWN and now - since >= rules.park_after:
            copy = copy.with_attempt(replace(attempt, stage=Stage.PARKED))
    return copy


def resolved(copy: Copy, instruction: Instruction, shown: Order | None) -> Copy:
    """The copy by the operator's word, the very same copy where that is known already; `shown` is
    the row of the account's order book with the order that is said to be it.

    What never arrived may be placed again, if the plan still wants it. Raises `Refuted` for a
    copy that is not parked, and for an order that cannot be the one that was asked for.
    """
    number, order_id = instruction.attempt, instruction.order_id
    attempt = next((one for one in copy.attempts if one.number == number), None)
    if attempt is not None and _known(attempt, instruction):
        return copy
    if attempt is None or attempt not in copy.newest or attempt.stage is not Stage.PARKED:
        raise Refuted(f"the copy is {copy.state} by now, only a parked one can be settled")
    if instruction.verdict is Verdict.ABSENT:
        return settled(copy, number)
    if shown is None:
        raise Refuted(f"the account's order book does not show order {order_id}")
    _refuse_others(copy, attempt, shown)
    return progress.heard(settled(copy, number, order_id, shown.terms), shown)


def _known(attempt: Attempt, instruction: Instruction) -> bool:
    """Whether the attempt is found out to be what the operator says."""
    if instruction.verdict is Verdict.PLACED:
        return attempt.order_id == instruction.order_id
    return attempt.ended and not attempt.order_id


def _refuse_others(copy: Copy, attempt: Attempt, shown: Order) -> None:
    """Raise `Refuted` for an order that the attempt cannot have placed."""
    order_id, ticket = shown.order_id, attempt.ticket
    if any(one.order_id == order_id for one in copy.attempts):
        raise Refuted(f"order {order_id} is an earlier one of the same copy")
    if correlation.ours(shown.correlation_id):
        raise Refuted(f"order {order_id} has the name of another request of Lockstep")
    wanted = (ticket.side, ticket.instrument, ticket.product)
    if (shown.side, shown.instrument, shown.product) != wanted:
        raise Refuted(
            f"order {order_id} is {_words(shown.side, shown.instrument, shown.product)}, "
            f"{_words(*wanted)} was asked for"
        )


def settled(copy: Copy, number: int, order_id: str = "", terms: Terms | None = None) -> Copy:
    """The copy once its unclear attempt of that number counts as absent.

    An order that the operator named instead is the next attempt, with the `terms` that it has. So
    should the first one turn up after all, under its own name, it is a stray like any other.
    """
    attempts = tuple(_given_up(one) if one.number == number else one for one in copy.attempts)
    if order_id:
        parked = next(one for one in copy.attempts if one.number == number)
        ticket, following = parked.ticket, copy.attempts[-1].number + 1
        name = correlation.correlation_id(copy.leader_order_id, parked.slice_number, following)
        adopted = Attempt(
            ticket=replace(ticket, correlation_id=name),
            number=following,
            stage=Stage.LIVE,
            sent_at=parked.sent_at,
            terms=terms,
            slice_number=parked.slice_number,
            reference=parked.reference,
            chased_from=parked.chased_from,
            order_id=order_id,
        )
        attempts = (*attempts, adopted)
    return replace(copy, attempts=attempts)


def _given_up(attempt: Attempt) -> Attempt:
    unclear = attempt.stage in (Stage.SENT, Stage.UNKNOWN, Stage.PARKED)
    return replace(attempt, stage=Stage.ABSENT) if unclear else attempt


def _words(side: Side, instrument: InstrumentKey, product: Product) -> str:
    return f"{side} {instrument.segment} {instrument.security_id} {product}"
