"""Whose a follower's copies are: they stay in the account that they were placed in."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from desk.config import Config
from desk.findings import dotted, error
from domain.messages import Alert
from ledger.history import MEMORY, accounts_of
from ledger.opening import present
from ledger.reader import Reader


def moved(config: Config, known: Collection[str] = ()) -> Iterator[Alert]:
    """The followers, but for those `known` to be right, whose copies in the ledger were placed in
    another account, which would be taken for this one's. Raises ledger.opening.LedgerUnusable."""
    path, since = config.engine.ledger, datetime.now(UTC) - MEMORY
    unknown = [
        (index, follower)
        for index, follower in enumerate(config.followers)
        if follower.name not in known
    ]
    if not unknown or not present(path) or not path.stat().st_size:
        return
    with Reader.open(path) as reader:
        for index, follower in unknown:
            if accounts_of(reader, follower.name, since) - {follower.address.client_id}:
                yield error(
                    "is not the account that the copies of this follower are in",
                    dotted(("followers", index, "client_id")),
                    "give the other account another name",
                )
