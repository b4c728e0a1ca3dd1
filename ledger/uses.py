"""How much of the broker's order limits each account has used, from the recorded requests."""

from dataclasses import dataclass
from datetime import datetime

from ledger.history import Rows
from ledger.instants import instant, micros

# An answer that says that nothing was written counts for nothing.
_USES = """
    SELECT client_id, intended_at, planned_ns, answered_ns FROM intents
    LEFT JOIN answers ON intent_id = intents.id
    WHERE intended_at >= ?1 AND (intent_id IS NULL OR written_ns IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Uses:
    """When requests arrived at the latest, by their answers; and when those were intended that
    have no recorded answer, so that nobody knows whether or when they arrived."""

    answered: tuple[datetime, ...]
    unanswered: tuple[datetime, ...]


def uses_since(ledger: Rows, since: datetime) -> dict[str, Uses]:
    """What each account (client id) sent since then. Raises what `rows` raises."""
    found: dict[str, tuple[list[datetime], list[datetime]]] = {}
    for account, intended_at, planned_ns, answered_ns in ledger.rows(_USES, micros(since)):
        answered, unanswered = found.setdefault(account, ([], []))
        if answered_ns is None:
            unanswered.append(instant(intended_at))
        else:
            took = (answered_ns - planned_ns) // 1000
            answered.append(instant(intended_at + took))
    return {account: Uses(tuple(a), tuple(u)) for account, (a, u) in found.items()}
