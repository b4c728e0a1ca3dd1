"""`audit`: every request to Dhan, with what came of it, and how long it waited and took."""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from desk.commands.names import refuse_stranger
from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.usage import Misused
from domain.sessions import IST
from ledger.asked import waiting_asked
from ledger.audit import Audited, audited, reads_made, requests_made
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_MOST_ROWS = 200
_LEADER = "leader"
_COLUMNS = (
    "at",
    "account",
    "request",
    "leader order",
    "order",
    "attempt",
    "outcome",
    "status",
    "waited ms",
    "took ms",
    "said",
)


def run(
    config: Config, follower: str | None, since: str | None, until: str | None, as_json: bool
) -> int:
    """Print the requests of today, or of the time that is asked for (IST). Raises Misused and
    ledger.opening.LedgerUnusable."""
    now = datetime.now(UTC)
    began = _instant("--since", since or "00:00", now)
    ended = _instant("--until", until, now) if until else datetime.max.replace(tzinfo=UTC)
    names = {one.address.client_id: one.name for one in config.followers}
    names[config.engine.leader.client_id] = _LEADER
    accounts = {name: client_id for client_id, name in names.items()}
    waiting = [audited(one) for one in waiting_asked(config.engine.ledger)]
    with Reader.open(config.engine.ledger) as reader:
        rows = requests_made(reader, began, ended, follower)
        if follower is None or follower in accounts:
            account = accounts.get(follower or "")
            reads = reads_made(reader, began, ended, account)
            rows += reads
            rows += [
                one
                for one in waiting
                if began <= one.at < ended and account in (None, one.account) and one not in reads
            ]
    if not rows:
        refuse_stranger(follower, [*accounts])
    rows.sort(key=lambda row: row.at)
    if as_json:
        show_json([_document(row, names) for row in rows])
        return 0
    if len(rows) > _MOST_ROWS:
        logger.warning("The newest %d of %d; --json has all", _MOST_ROWS, len(rows))
    show_table(_COLUMNS, _cells(rows[-_MOST_ROWS:], names))
    return 0


def _instant(option: str, text: str, now: datetime) -> datetime:
    """A time of today, the beginning of a day, or an instant; in India where nothing else is
    said."""
    today = now.astimezone(IST).date()
    for whole in (f"{today}T{text}", text):
        try:
            found = datetime.fromisoformat(whole)
        except ValueError:
            continue
        return found if found.tzinfo else IST.localize(found)
    raise Misused(f"{option} wants 10:00, 2026-11-25, or 2026-11-25T10:00")


def _document(row: Audited, names: dict[str, str]) -> dict[str, object]:
    return {
        "at": row.at.isoformat(timespec="microseconds"),
        "account": row.account,
        "follower": _name(row, names),
        "request": row.request,
        "leader_order_id": row.leader_order_id or None,
        "order_id": row.order_id or None,
        "attempt": row.attempt,
        "outcome": row.outcome or None,
        "http_status": row.http_status,
        "message": row.message or None,
        "permit_wait_us": row.waited_us,
        "record_us": row.record_us,
        "duration_us": row.took_us,
        "times": row.times,
    }


def _cells(rows: Sequence[Audited], names: dict[str, str]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        yield (
            f"{row.at.astimezone(IST):%d %b %H:%M:%S.%f}"[:-3],
            _name(row, names) or row.account,
            row.request if row.times == 1 else f"{row.request} ({row.times} times)",
            row.leader_order_id,
            row.order_id,
            row.attempt,
            row.outcome or "no answer recorded",
            row.http_status,
            f"{row.waited_us / 1000:.1f}",
            None if row.took_us is None else f"{row.took_us / 1000:.1f}",
            row.message,
        )


def _name(row: Audited, names: dict[str, str]) -> str | None:
    return row.follower or names.get(row.account)
