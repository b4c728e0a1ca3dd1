"""`explain`: why a copy is what it is, from the ledger alone: what was told, the rules of that
time, the arithmetic, every request with its answer, and what came of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from rich.console import Console

from desk import redact
from desk.commands.names import refuse_stranger
from desk.commands.output import show_json
from desk.config import Config
from desk.documents import average, copy_document
from desk.explaining import Story, story
from desk.reasons import numbers, order_words, rules_in_words, rupees, terms_words
from desk.usage import Misused
from domain.attempts import Withdrawal
from domain.halts import HaltAsked
from domain.messages import CopyReport
from domain.orders import FLATTENING, FLATTENING_LEGS, Source, Terms
from domain.sessions import IST
from ledger.explained import alerts_about, copied, leader_order, newest_orders
from ledger.halts import standing_halt
from ledger.journal import noted
from ledger.reader import Asked, Reader, Told

logger = logging.getLogger(__name__)

_MOST_NAMED = 500
_MOMENT = timedelta(seconds=1)
_SOURCES = {
    Source.FEED: "the order feed",
    Source.POSTBACK: "a postback",
    Source.BOOK: "the order book",
}
_ANSWERS = {
    None: "no answer is recorded",
    "not_sent": "was not sent",
    "recalled": "was called back before it was sent",
    "unknown": "came unclear",
}


@dataclass(frozen=True, slots=True)
class _Explained:
    """One copy with all that is to be said of it."""

    copy: CopyReport
    story: Story | None
    asked: Sequence[Asked]
    alerts: Sequence[Told]
    halt: HaltAsked | None


def run(config: Config, order: str, follower: str | None, as_json: bool) -> int:
    """Print why. Raises Misused and ledger.opening.LedgerUnusable."""
    with Reader.open(config.engine.ledger) as reader:
        if reader.running_pid() is None:
            logger.warning("No engine is running; this is what the ledger kept")
        copies = reader.copies(follower, order)
        if not copies:
            _refuse(reader, config, order, follower)
        found = (_explained(reader, copy) for copy in copies)
        if as_json:
            show_json([_document(one) for one in found])
            return 0
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for one in found:
            console.print(redact.scrub("\n".join(_text(one))))
    return 0


def _refuse(reader: Reader, config: Config, order: str, follower: str | None) -> None:
    """Raise Misused with the nearest thing that could be explained."""
    others = [copy.follower for copy in reader.copies(None, order)]
    refuse_stranger(follower, [*(one.name for one in config.followers), *others])
    if others:
        raise Misused(f"{follower} has no copy of order {order}; {', '.join(others)} have")
    if theirs := copied(reader, order):
        wanted = f"{theirs.leader_order_id} {theirs.follower}"
        raise Misused(f"that is an order of {theirs.follower}; ask: explain {wanted}")
    if leader_order(reader, order) is not None:
        raise Misused(f"nobody has a copy of order {order}: no follower was told of it")
    newest = newest_orders(reader, _MOST_NAMED)
    near = get_close_matches(order, newest, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    last = f" (the newest is {newest[0]})" if newest and not near else ""
    raise Misused(f"the leader has no order {order}{hint}{last}")


def _explained(reader: Reader, copy: CopyReport) -> _Explained:
    leader_id, follower = copy.leader_order_id, copy.follower
    asked = reader.intents(leader_id, follower)
    return _Explained(
        copy,
        _story(reader, copy, asked),
        asked,
        alerts_about(reader, leader_id, follower),
        _halt(reader, copy, asked),
    )


def _halt(reader: Reader, copy: CopyReport, asked: Sequence[Asked]) -> HaltAsked | None:
    """The word by which the copy left a position, or was cancelled; None for any other copy."""
    leader_id = copy.leader_order_id
    made = leader_id.startswith(FLATTENING) and not leader_id.startswith(FLATTENING_LEGS)
    came = [one.intended_at for one in asked if made or one.why == Withdrawal.HALTED]
    kept = standing_halt(reader, copy.follower, came[0]) if came else None
    return kept.asked if kept else None


def _story(reader: Reader, copy: CopyReport, asked: Sequence[Asked]) -> Story | None:
    """What the journal tells of it, None where it has nothing (any more)."""
    leader = leader_order(reader, copy.leader_order_id)
    times = [leader.placed_at if leader else None, copy.at, *(one.intended_at for one in asked)]
    known = [one for one in times if one is not None]
    if not known:
        return None
    try:
        notes = noted(reader, copy.follower, min(known), max(known) + _MOMENT)
        found = story(copy.follower, copy.leader_order_id, notes)
    except ValueError as trouble:
        logger.warning("What was decided by cannot be read: %s", trouble)
        return None
    return found if found.tellings or found.decisions else None


# For people


def _text(one: _Explained) -> list[str]:
    copy = one.copy
    head = f"Order {copy.leader_order_id} in {copy.follower}: {copy.side} {copy.symbol}, "
    lines = [head + copy.state.value]
    if one.story is None:
        lines += ["  what was told and decided then is not in the journal (any more)"]
        lines += [f"  rule: {copy.sizing}"] if copy.sizing else []
    else:
        lines += _told(one.story)
    lines += ["  requests"]
    lines += [f"    {_clock(asked.intended_at)} {_request(asked)}" for asked in one.asked]
    lines += [] if one.asked else ["    none"]
    lines += ["  result", *(f"    {words}" for words in _result(copy))]
    lines += [f"    under a word on the follower: {one.halt.words}"] if one.halt else []
    for told in one.alerts:
        lines.append(f"    {_clock(told.at)} the operator was told: {told.alert.what}")
    return [*lines, ""]


def _told(found: Story) -> list[str]:
    day = (found.tellings or found.decisions)[0].at.astimezone(IST)
    lines = [f"  input, {day.day} {day:%B %Y}"]
    lines += (
        [] if found.tellings else ["    not an order of the leader, but made to leave a position"]
    )
    for telling in found.tellings:
        source = _SOURCES[telling.seen.order.stamp.source]
        order = telling.order
        filled = f", filled {order.filled}" if order.filled else ""
        at = f" at {average(order.traded_value, order.filled)}" if order.traded_value else ""
        words = f"{order_words(order)}, {order.status.lower()}{filled}{at}"
        lines.append(f"    {_clock(telling.at)} by {source}: {words}")
    lines.append("  rule")
    if found.decisions:
        first = found.decisions[0]
        said = rules_in_words(first.rules, first.order, first.instrument)
        lines += [f"    {words}" for words in said]
    else:
        lines.append("    nothing was decided yet")
    lines += [f"    {_clock(wait.at)} waited: {wait.why}" for wait in found.waits]
    lines.append("  numbers")
    for decision in found.decisions:
        words = "; ".join(numbers(decision))
        lines.append(f"    {_clock(decision.at)} {words}")
    return lines


def _request(asked: Asked) -> str:
    kind = str(asked.change) if asked.change else "place"
    terms = f" {terms_words(asked.terms)}" if asked.terms else ""
    why = f", because {asked.why}" if asked.why else ""
    return f"{kind}{terms} as {asked.correlation_id}{why}: {_answer(asked)}"


def _answer(asked: Asked) -> str:
    came = _ANSWERS.get(asked.outcome, asked.outcome or "")
    words = [came, f"as order {asked.given_order_id}" if asked.given_order_id else ""]
    if asked.answer_us is not None:
        words.append(f"after {asked.answer_us / 1000:.1f} ms")
    said = " ".join(word for word in words if word)
    told = " ".join(one for one in (asked.code, asked.message) if one)
    return f"{said}: {told}" if told else said


def _result(copy: CopyReport) -> list[str]:
    words = f"{copy.state}, filled {copy.filled} of {copy.quantity}"
    if copy.filled:
        words += f" at {average(copy.traded_value, copy.filled)}"
    if copy.leader_filled:
        theirs = average(copy.leader_value, copy.leader_filled)
        words += f"; the leader {copy.leader_filled} at {theirs}"
    lines = [words]
    if copy.reason:
        lines.append(f"because {copy.reason}")
    if copy.slippage_paise is not None:
        lines.append(f"slippage {copy.slippage_paise / 100:+.2f} ({copy.slippage_bps} bp)")
    if copy.dispatch_us is not None:
        since = (
            "it was made" if copy.leader_order_id.startswith(FLATTENING) else "the leader's event"
        )
        lines.append(f"on the wire {copy.dispatch_us / 1000:.1f} ms after {since}")
    return lines


def _clock(at: datetime) -> str:
    return f"{at.astimezone(IST):%H:%M:%S.%f}"


# For scripts


def _document(one: _Explained) -> dict[str, object]:
    found = one.story
    first = found.decisions[0] if found and found.decisions else None
    return copy_document(one.copy) | {
        "input": _tellings(found) if found else [],
        "rules": list(rules_in_words(first.rules, first.order, first.instrument)) if first else [],
        "waits": [{"at": _iso(w.at), "why": w.why} for w in found.waits] if found else [],
        "numbers": [
            {"at": _iso(decision.at), "sizing": decision.copy.sizing.text}
            | {"lot": decision.instrument.lot if decision.instrument else None}
            | {"words": list(numbers(decision))}
            for decision in (found.decisions if found else ())
        ],
        "requests": [_request_document(asked) for asked in one.asked],
        "alerts": [
            {"at": _iso(told.at), "level": told.alert.level.value}
            | {"what": told.alert.what, "fix": told.alert.fix}
            for told in one.alerts
        ],
        "halt": one.halt.words if one.halt else None,
    }


def _tellings(found: Story) -> list[dict[str, object]]:
    return [
        {
            "at": _iso(telling.at),
            "source": telling.seen.order.stamp.source.name.lower(),
            "product": telling.order.product.value,
            "status": telling.order.status.value,
            "filled": telling.order.filled,
            "average_price": average(telling.order.traded_value, telling.order.filled),
        }
        | _terms(telling.order.terms)
        for telling in found.tellings
    ]


def _request_document(asked: Asked) -> dict[str, object]:
    return {
        "at": _iso(asked.intended_at),
        "kind": asked.change.value if asked.change else "place",
        "correlation_id": asked.correlation_id,
        "order_id": asked.order_id or asked.given_order_id or None,
        "why": asked.why or None,
        "outcome": asked.outcome,
        "message": asked.message,
        "code": asked.code,
        "http_status": asked.http_status,
        "committed_us": asked.commit_us,
        "sent_us": asked.wire_us,
        "answered_us": asked.answer_us,
    } | (_terms(asked.terms) if asked.terms else {})


def _terms(terms: Terms) -> dict[str, object]:
    return {
        "order_type": terms.order_type.value,
        "quantity": terms.quantity,
        "price": rupees(terms.price) if terms.price else None,
        "trigger_price": rupees(terms.trigger) if terms.trigger else None,
        "validity": terms.validity.value,
        "disclosed": terms.disclosed,
    }


def _iso(at: datetime) -> str:
    return at.isoformat()
