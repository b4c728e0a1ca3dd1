"""`clock`: the phase of every segment's session, now or at an instant."""

from datetime import UTC, datetime

from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.usage import Misused
from domain.instruments import Segment
from domain.sessions import IST, phase_at


def run(config: Config | None, at: str | None, as_json: bool) -> int:
    """Print the sessions. Raises Misused."""
    instant = datetime.now(UTC) if at is None else _instant(at)
    always = config is not None and config.always_open
    segments = [segment for segment in Segment if segment.copied]
    rows = [_always(segment) if always else _row(segment, instant) for segment in segments]
    if as_json:
        show_json(rows)
    else:
        show_table(list(rows[0]), [list(row.values()) for row in rows])
    return 0


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Misused("--at wants an ISO 8601 instant: 2026-11-25T09:15:00+05:30") from None
    if instant.tzinfo is None:
        raise Misused("--at wants an instant with its offset: 2026-11-25T09:15:00+05:30")
    return instant


def _row(segment: Segment, instant: datetime) -> dict[str, object]:
    try:
        session = phase_at(segment, instant)
    except (OverflowError, LookupError):
        raise Misused("--at is too far away") from None
    return {
        "segment": segment.value,
        "phase": session.phase.value,
        "open": session.open,
        "next_phase": session.next_phase.value,
        "next_at": session.next_at.astimezone(IST).isoformat(),
    }


def _always(segment: Segment) -> dict[str, object]:
    """The configuration says that every segment is open at any time."""
    return {
        "segment": segment.value,
        "phase": "open",
        "open": True,
        "next_phase": None,
        "next_at": None,
    }
