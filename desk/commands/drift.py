"""`drift`: where accounts differ from what their copies imply, and what would mend it."""

import logging

from desk.accounts import moved
from desk.calendar import go_by
from desk.commands.names import refuse_stranger
from desk.commands.output import show_json, show_table
from desk.comparing import compare
from desk.config import Config, ConfigError
from domain.differences import Difference, proposal
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_COLUMNS = ("follower", "kind", "instrument", "what", "leader order", "order")


def run(config: Config, follower: str | None, repair: bool, as_json: bool) -> int:
    """Print the differences: 0 for none, 1 for some. Raises Misused, ConfigError (for followers
    whose copies are in another account, or a bad calendar), and ledger.opening.LedgerUnusable."""
    names = [settings.name for settings in config.followers]
    refuse_stranger(follower, names)
    if findings := tuple(moved(config)):
        raise ConfigError(config.path, findings)
    with Reader.open(config.engine.ledger) as reader:
        if reader.running_pid() is None:
            logger.warning("No engine is running; the copies are those that the ledger kept")
    go_by(config)
    chosen = [one for one in config.followers if follower in (None, one.name)]
    found = compare(config, chosen)
    if as_json:
        show_json([_document(one) for one in found])
    elif found:
        columns = (*_COLUMNS, "proposed") if repair else _COLUMNS
        show_table(columns, [_row(one, repair) for one in found])
    else:
        logger.info("No drift: %d accounts are as their copies imply", len(chosen))
    if repair and found:
        logger.warning(
            "Nothing is sent: what is proposed is yours to do in the account's app, where Lockstep "
            "recognises it"
        )
    return 1 if found else 0


def _row(one: Difference, repair: bool) -> tuple[object, ...]:
    cells = (
        one.follower,
        one.kind,
        one.symbol,
        one.what,
        ", ".join(one.leader_order_ids),
        one.order_id,
    )
    return (*cells, proposal(one) or "nothing: look at it") if repair else cells


def _document(one: Difference) -> dict[str, object]:
    holding = one.holding
    return {
        "follower": one.follower,
        "kind": one.kind.value,
        "what": one.what,
        "symbol": one.symbol,
        "segment": holding.instrument.segment.value if holding else None,
        "security_id": holding.instrument.security_id if holding else None,
        "product": holding.product.value if holding else None,
        "leader_order_ids": list(one.leader_order_ids),
        "order_id": one.order_id or None,
        "position": one.has,
        "implied": one.implied,
        "own": one.own,
        "repair": _repair(one),
    }


def _repair(one: Difference) -> dict[str, object] | None:
    repair = one.repair
    if repair is None:
        return None
    return {
        "action": repair.action.value,
        "what": proposal(one),
        "order_id": repair.order_id or None,
        "side": repair.side.value if repair.side else None,
        "quantity": repair.quantity or None,
        "like": repair.like or None,
    }
