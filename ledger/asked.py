"""What commands asked of the broker by themselves, on its way into the audit."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from ledger.entries import ReadsMade
from ledger.instants import instant, micros
from ledger.ledger import Ledger
from ledger.left import leave, left, new_key, take_in
from ledger.opening import LedgerUnusable, ours, present

_NEWEST = "SELECT at, client_id, request FROM reads ORDER BY id DESC LIMIT 1000"


def leave_asked(path: Path, made: Sequence[ReadsMade], at: datetime) -> None:
    """Leave it for the engine that writes the ledger at `path`, where there is a ledger. Raises
    `LedgerUnusable` where nothing can be left beside it."""
    if not made or not _is_ledger(path):
        return
    rows = [asdict(one) | {"at": micros(one.at)} for one in made]
    leave(_folder(path), new_key(at), json.dumps(rows))


def take_in_asked(ledger: Ledger) -> None:
    """Keep what was left, once: what a process kept that died before it removed the file is among
    the newest. Raises `LedgerFailure`, with everything left as it is that is not kept."""

    def new(file: Path) -> list[ReadsMade]:
        kept = {tuple(row) for row in ledger.rows(_NEWEST)}
        made = _read(file)
        return [one for one in made if (micros(one.at), one.client_id, one.request) not in kept]

    take_in(ledger, _folder(ledger.path), new)


def waiting_asked(path: Path) -> list[ReadsMade]:
    """What was left and nobody took in yet."""
    found: list[ReadsMade] = []
    for file in left(_folder(path)):
        with suppress(OSError, ValueError, KeyError, TypeError):
            found += _read(file)
    return found


def _is_ledger(path: Path) -> bool:
    try:
        return present(path) and ours(path, thoroughly=False)
    except LedgerUnusable:
        return False


def _folder(path: Path) -> Path:
    return path.with_name(path.name + ".asked")


def _read(file: Path) -> list[ReadsMade]:
    said = json.loads(file.read_text(encoding="utf-8"))
    return [ReadsMade(**row | {"at": instant(row["at"])}) for row in said]
