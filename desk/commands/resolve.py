"""`copies resolve`: the operator settles a copy whose outcome could not be found out."""

import logging
import time
from argparse import Namespace
from datetime import UTC, datetime

from desk.commands.names import refuse_stranger
from desk.commands.output import show_json
from desk.config import Config
from desk.usage import Misused
from domain.copies import CopyState
from domain.instructions import Instruction, Verdict
from ledger.instructions import Impossible, instruct
from ledger.reader import Closed, Reader

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 8.0
_PAUSE_SECONDS = 0.1


def run(config: Config, wanted: Namespace) -> int:
    """Leave the instruction for the engine, and say what came of it while one runs: 0 taken or
    waiting for the next start, 1 refused. Raises Misused and ledger.opening.LedgerUnusable."""
    refuse_stranger(wanted.name, [settings.name for settings in config.followers])
    verdict, path = Verdict(wanted.verdict), config.engine.ledger
    order_id = _order_id(verdict, wanted.order_id)
    now = datetime.now(UTC)
    try:
        told = instruct(path, wanted.leader_order, wanted.name, verdict, order_id, now)
    except Impossible as impossible:
        with Reader.open(path) as reader:
            raise Misused(f"{impossible}; {_possible(reader)}") from impossible
    with Reader.open(path) as reader:
        closed = _outcome(reader, told)
    if wanted.as_json:
        show_json(_document(told, closed))
    return 0 if closed is None or closed.taken else 1


def _order_id(verdict: Verdict, order_id: str | None) -> str:
    if verdict is Verdict.ABSENT:
        if order_id is not None:
            raise Misused("--order-id goes with placed only: what is absent has no order")
        return ""
    if not order_id or not order_id.isalnum():
        raise Misused("placed needs --order-id: the order's id in the account's order book")
    return order_id


def _possible(reader: Reader) -> str:
    parked = [copy for copy in reader.copies() if copy.state is CopyState.PARKED]
    names = ", ".join(f"{copy.leader_order_id} {copy.follower}" for copy in parked)
    return f"parked, so that it can be settled: {names}" if names else "no copy is parked"


def _outcome(reader: Reader, told: Instruction) -> Closed | None:
    """What the engine makes of it, None where nobody does yet."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (closed := reader.instruction(told.key)) is None:
        if reader.running_pid() is None:
            logger.warning("Recorded. No engine runs: it is taken at the next start")
            return None
        if time.monotonic() > deadline:
            logger.warning(
                "Recorded. The engine has not taken it yet: it does as soon as the follower runs "
                "and its account's order book can be read"
            )
            return None
        time.sleep(_PAUSE_SECONDS)
    logger.log(logging.INFO if closed.taken else logging.ERROR, "Recorded, and %s", closed.outcome)
    return closed


def _document(told: Instruction, closed: Closed | None) -> dict[str, object]:
    return {
        "instruction": told.key,
        "leader_order_id": told.leader_order_id,
        "follower": told.follower,
        "verdict": told.verdict.value,
        "order_id": told.order_id or None,
        "taken": closed.taken if closed else None,
        "outcome": closed.outcome if closed else "waiting",
        "at": closed.at.isoformat() if closed else None,
    }
