"""`replay`: follow a recorded day again, by the rules that were or by those of another file."""

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from desk.commands.names import refuse_stranger
from desk.commands.output import show_json, show_table
from desk.config import Config, load
from desk.documents import average
from desk.replaying import Compared, Day, follow_again
from desk.supposing import Supposed
from desk.usage import Misused
from domain.messages import CopyReport
from domain.sessions import IST
from ledger.journal import followers_noted, noted
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_COLUMNS = ("leader order", "follower", "order", "was", "filled", "average")
_SUPPOSED = ("would be", "filled", "average", "reason")


def run(
    config: Config, wanted: str, follower: str | None, others: Path | None, as_json: bool
) -> int:
    """Print what came of it: 0 where the day came out as it was recorded, 1 where not. Raises
    Misused, ConfigError and ledger.opening.LedgerUnusable."""
    day = _day(wanted)
    with Reader.open(config.engine.ledger) as reader:
        names = followers_noted(reader, day.since, day.until)
        if not names:
            raise Misused(f"nothing was recorded on {day.since.date()}")
        try:
            if others is not None:
                return _suppose(reader, day, names, load(others), follower, as_json)
            refuse_stranger(follower, names)
            chosen = [name for name in names if follower in (None, name)]
            found = [follow_again(reader, name, day) for name in chosen]
        except ValueError as trouble:
            raise Misused(f"another version recorded that day: {trouble}") from trouble
    _show(day, found, as_json)
    return 1 if any(one.differences for one in found) else 0


def _day(wanted: str) -> Day:
    """The whole of a day in India."""
    today = datetime.now(IST).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        chosen = named.get(wanted) or date.fromisoformat(wanted)
    except ValueError:
        raise Misused("DAY is today, yesterday, or a date: 2026-11-25") from None
    since = IST.localize(datetime.combine(chosen, time.min))
    return Day(since, since + timedelta(days=1))


def _show(day: Day, found: Sequence[Compared], as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "day": day.since.date().isoformat(),
                "same": not any(one.differences for one in found),
                "followers": [
                    {
                        "follower": one.follower,
                        "inputs": one.inputs,
                        "requests": one.requests,
                        "copies": one.copies,
                        "differences": list(one.differences),
                    }
                    for one in found
                ],
            }
        )
        return
    for one in found:
        what = f"{one.inputs} inputs, {one.requests} requests, {one.copies} copies"
        if one.differences:
            logger.error("%s: %s; not as recorded:", one.follower, what)
            for difference in one.differences:
                logger.error("  %s", difference)
        else:
            logger.info("%s: %s, all as recorded", one.follower, what)


def _suppose(
    reader: Reader,
    day: Day,
    names: Sequence[str],
    others: Config,
    follower: str | None,
    as_json: bool,
) -> int:
    """Print what the followers of another file would have had; one that was not there that day
    hears what the first that was heard of the leader."""
    refuse_stranger(follower, [settings.name for settings in others.followers])
    documents, rows = [], []
    for settings in others.followers:
        if follower not in (None, settings.name):
            continue
        heard = settings.name if settings.name in names else names[0]
        notes = noted(reader, heard, day.since, day.until)
        would = Supposed(settings.name, settings.mandate, day).follow(notes)
        was = {copy.leader_order_id: copy for copy in reader.copies(settings.name)}
        for leader_id, copy in would.items():
            documents.append(_document(was.get(leader_id), copy))
            rows.append(_row(was.get(leader_id), copy))
    if as_json:
        show_json(documents)
    else:
        show_table((*_COLUMNS, *_SUPPOSED), rows)
        logger.warning("Supposed fills are the leader's, in proportion and at its average price")
    return 0


def _document(was: CopyReport | None, would: CopyReport) -> dict[str, object]:
    return {
        "leader_order_id": would.leader_order_id,
        "follower": would.follower,
        "symbol": would.symbol,
        "side": would.side.value,
        "was": _outcome(was) if was else None,
        "would": _outcome(would),
    }


def _outcome(copy: CopyReport) -> dict[str, object]:
    return {
        "state": copy.state.value,
        "reason": copy.reason,
        "side": copy.side.value,
        "quantity": copy.quantity,
        "filled": copy.filled,
        "average_price": average(copy.traded_value, copy.filled),
        "sizing": copy.sizing,
    }


def _row(was: CopyReport | None, would: CopyReport) -> tuple[object, ...]:
    turned = f" (was {was.side})" if was and was.side is not would.side else ""
    before = (was.state, f"{was.filled}/{was.quantity}", _average(was)) if was else (None,) * 3
    return (
        would.leader_order_id,
        would.follower,
        f"{would.side} {would.symbol}{turned}",
        *before,
        would.state,
        f"{would.filled}/{would.quantity}",
        _average(would),
        would.reason,
    )


def _average(copy: CopyReport) -> str | None:
    return average(copy.traded_value, copy.filled)
