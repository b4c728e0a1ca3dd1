"""`instruments`: the instrument master in place, had again on demand, and what it says."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from actors.master_load import MasterLoad
from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.table import rupees
from domain.instruments import Instrument
from ledger.instruments import Edition, MasterFile, NoMaster

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_MOST_ROWS = 200
_ALL_ROWS = 1_000_000
_COLUMNS = ("segment", "id", "symbol", "lot", "tick", "freeze", "circuit", "expiry")


def run(config: Config, words: Sequence[str], refresh: bool, as_json: bool) -> int:
    """Print the state of the master, or what it says of these security ids and symbols: 1 where
    there is none, it could not be had again, or nothing was found."""
    file = MasterFile.beside(config.engine.ledger, config.engine.master)
    trouble = _loaded(file) if refresh else ""
    try:
        edition = file.edition()
        limit = _ALL_ROWS if as_json else _MOST_ROWS
        found = {word: file.search(word, limit) for word in words}
    except NoMaster as none:
        logger.error("No instrument master at %s: %s", file.path, none)
        return 1
    if as_json:
        show_json(_state(file, edition) | {"found": [_document(one) for one in _all(found)]})
    else:
        _print(file, edition, found)
    return 1 if trouble or not all(found.values()) else 0


def _loaded(file: MasterFile) -> str:
    """Have it loaded now; what kept it from that."""
    load = MasterLoad(file)
    try:
        while not load.ended():
            time.sleep(_LOOK_SECONDS)
    finally:
        load.stop()
    if load.trouble:
        logger.error("It could not be loaded: %s", load.trouble)
    return load.trouble


def _state(file: MasterFile, edition: Edition) -> dict[str, object]:
    return {
        "file": str(file.path),
        "source": edition.source,
        "loaded_at": edition.loaded_at.isoformat(),
        "instruments": edition.instruments,
        "left_out": edition.left_out,
        "stale": not edition.fresh(datetime.now(UTC)),
    }


def _all(found: dict[str, list[Instrument]]) -> list[Instrument]:
    """Each once, though several words may have found it."""
    return list(dict.fromkeys(one for rows in found.values() for one in rows))


def _print(file: MasterFile, edition: Edition, found: dict[str, list[Instrument]]) -> None:
    if not edition.fresh(datetime.now(UTC)):
        age = (datetime.now(UTC) - edition.loaded_at).total_seconds() / 3600
        logger.warning("The master is stale: loaded %.0f h ago", age)
    if not found:
        state = _state(file, edition)
        show_table(list(state), [list(state.values())])
        return
    for word, rows in found.items():
        if not rows:
            logger.error("Nothing in the master is %s", word)
        elif len(rows) == _MOST_ROWS:
            logger.warning("%s: the first %d; --json has all", word, _MOST_ROWS)
    show_table(_COLUMNS, [_row(one) for one in _all(found)])


def _row(one: Instrument) -> tuple[object, ...]:
    key, limits = one.key, (one.lower, one.upper)
    circuit = " to ".join(rupees(limit) for limit in limits if limit is not None)
    return (
        key.segment, key.security_id, one.symbol, one.lot, rupees(one.tick), one.freeze,
        circuit, one.expiry,
    )  # fmt: skip


def _document(one: Instrument) -> dict[str, object]:
    """Prices are rupees in decimal strings."""
    return {
        "segment": one.key.segment.value,
        "security_id": one.key.security_id,
        "symbol": one.symbol,
        "underlying": one.underlying,
        "kind": one.kind,
        "lot": one.lot,
        "tick": rupees(one.tick),
        "freeze": one.freeze,
        "lower": _price(one.lower),
        "upper": _price(one.upper),
        "expiry": one.expiry.isoformat() if one.expiry else None,
        "strike": _price(one.strike),
        "option_type": one.option_type.value if one.option_type else None,
    }


def _price(paise: int | None) -> str | None:
    return None if paise is None else rupees(paise)
