"""`copies`: what became of the leader's orders in each account, from the ledger."""

import logging

from desk.commands.names import refuse_stranger
from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.documents import average, copy_document
from domain.messages import CopyReport
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_MOST_ROWS = 200
_COLUMNS = (
    "leader order",
    "follower",
    "order",
    "state",
    "filled",
    "average",
    "leader's",
    "slippage",
    "dispatch",
    "reason",
)


def run(config: Config, follower: str | None, order: str | None, as_json: bool) -> int:
    """Print the copies. Raises Misused and ledger.opening.LedgerUnusable."""
    with Reader.open(config.engine.ledger) as reader:
        copies = reader.copies(follower, order)
        if reader.running_pid() is None:
            logger.warning("No engine is running; this is what the ledger kept")
    if not copies:
        refuse_stranger(follower, [settings.name for settings in config.followers])
    if as_json:
        show_json([copy_document(copy) for copy in copies])
        return 0
    if len(copies) > _MOST_ROWS:
        logger.warning("The newest %d of %d copies; --json has all", _MOST_ROWS, len(copies))
    show_table(_COLUMNS, [_row(copy) for copy in copies[-_MOST_ROWS:]])
    return 0


def _row(copy: CopyReport) -> tuple[object, ...]:
    cost, bps = copy.slippage_paise, copy.slippage_bps
    return (
        copy.leader_order_id,
        copy.follower,
        f"{copy.side} {copy.quantity} {copy.symbol}",
        copy.state,
        f"{copy.filled}/{copy.quantity}",
        average(copy.traded_value, copy.filled),
        average(copy.leader_value, copy.leader_filled),
        None if cost is None else f"{cost / 100:+.2f} ({bps} bp)",
        None if copy.dispatch_us is None else f"{copy.dispatch_us / 1000:.1f} ms",
        copy.reason,
    )
