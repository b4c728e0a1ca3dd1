"""The database of the older program, taken over for the first follower of the configuration."""

from datetime import UTC, datetime

from desk.config import Config
from ledger.adopting import Heir, take_over
from ledger.interrupted import interrupted
from ledger.opening import LedgerUnusable, LegacyFound, ours, present


def inherit(config: Config) -> None:
    """Where the ledger's file is still the older program's, take it over. Raises
    ledger.opening.LedgerUnusable, also for what is neither that nor a ledger."""
    path = config.engine.ledger
    if not present(path) or not path.stat().st_size:
        return
    try:
        ours(path, thoroughly=False)
    except LegacyFound:
        if not config.followers:
            raise
    except LedgerUnusable:
        if not config.followers or not interrupted(path):
            raise
    else:
        return
    first = config.followers[0]
    heir = Heir(config.engine.leader.client_id, first.name, first.address.client_id)
    take_over(path, heir, datetime.now(UTC))
