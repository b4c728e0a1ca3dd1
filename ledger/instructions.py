"""The operator's instructions, on their way from the command line into the ledger.

Only the engine writes the ledger. So an instruction is left beside it in a file of its own, on
disk and whole before anybody is told so, and the engine takes it in: at once while it runs, else
at its next start.
"""

import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from domain.copies import CopyState
from domain.halts import HaltAsked, Word
from domain.instructions import Given, Instruction, Verdict
from ledger.instants import instant, micros
from ledger.ledger import Ledger, LedgerFailure
from ledger.opening import not_writable
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_COPY = "SELECT state, attempt FROM copies WHERE leader_order_id = ? AND follower = ?"
_WAITING = """
SELECT * FROM instructions WHERE id IN (
    SELECT max(id) FROM instructions WHERE closed_at IS NULL GROUP BY leader_order_id, follower
) ORDER BY id
"""
_WHOLE, _SET_ASIDE = ".json", ".unreadable"


class Impossible(Exception):
    """The copy cannot be settled now; says why."""


def instruct(
    path: Path,
    leader_order_id: str,
    follower: str,
    verdict: Verdict,
    order_id: str,
    at: datetime,
) -> Instruction:
    """Leave the operator's word on a parked copy for the engine that writes the ledger at `path`,
    on disk when this returns. It replaces one that waits.

    Raises `Impossible` for a copy that is not parked, and `LedgerUnusable`.
    """
    with Reader.open(path) as reader:
        rows = reader.rows(_COPY, leader_order_id, follower)
    if not rows:
        raise Impossible(f"{follower} has no copy of order {leader_order_id}")
    if rows[0]["state"] != CopyState.PARKED:
        raise Impossible(f"the copy of order {leader_order_id} is {rows[0]['state']}")
    key = f"{micros(at)}-{secrets.token_hex(4)}"
    told = Instruction(key, leader_order_id, follower, rows[0]["attempt"], verdict, order_id)
    _leave(path, key, _text(Given(told, at)))
    return told


def ask_halt(path: Path, follower: str, word: Word, by: str, at: datetime) -> HaltAsked:
    """Leave the operator's word on a follower for the engine that writes the ledger at `path`, on
    disk when this returns. Raises `LedgerUnusable`."""
    key = f"{micros(at)}-{secrets.token_hex(4)}"
    asked = HaltAsked(key, follower, word, by, at)
    said = {"key": key, "at": micros(at), "follower": follower, "halt": word.value, "by": by}
    _leave(path, key, json.dumps(said))
    return asked


def take_over(ledger: Ledger) -> None:
    """Keep what was left for the ledger. Raises `LedgerFailure`, with everything left as it is
    that is not kept; nothing is lost or kept twice by a process that dies in between."""
    for file in _left(ledger.path):
        try:
            ledger.commit([_read(file)])
        except (ValueError, KeyError, TypeError) as error:
            _set_aside(file, error)
        except LedgerFailure as failure:
            if failure.passing:
                raise
            _set_aside(file, failure)
        else:
            file.unlink()


def waiting(ledger: Ledger) -> list[Instruction]:
    """The newest instruction on each copy that nobody has taken or refused yet. Raises
    `LedgerFailure`."""
    return [
        Instruction(
            key=row["key"],
            leader_order_id=row["leader_order_id"],
            follower=row["follower"],
            attempt=row["attempt"],
            verdict=Verdict(row["verdict"]),
            order_id=row["order_id"],
        )
        for row in ledger.rows(_WAITING)
    ]


def asked_halts(path: Path) -> list[HaltAsked]:
    """What was left of halts that nobody has taken over yet, the oldest first."""
    found = []
    for file in _left(path):
        with suppress(OSError, ValueError, KeyError, TypeError):
            entry = _read(file)
            if isinstance(entry, HaltAsked):
                found.append(entry)
    return found


def _leave(path: Path, key: str, text: str) -> None:
    folder = _folder(path)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / key, text)
    except OSError as error:
        raise not_writable(folder, error) from error


def _folder(path: Path) -> Path:
    return path.with_name(path.name + ".instructions")


def _left(path: Path) -> Iterator[Path]:
    """The files of whole instructions, the oldest first."""
    folder = _folder(path)
    if folder.is_dir():
        yield from sorted(file for file in folder.iterdir() if file.suffix == _WHOLE)


def _write(place: Path, text: str) -> None:
    """A file with that text at `place`, under its whole name once it is on disk."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    place.rename(place.with_suffix(_WHOLE))
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _text(given: Given) -> str:
    told = given.instruction
    return json.dumps(
        {
            "key": told.key,
            "at": micros(given.at),
            "leader_order_id": told.leader_order_id,
            "follower": told.follower,
            "attempt": told.attempt,
            "verdict": told.verdict.value,
            "order_id": told.order_id,
        }
    )


def _read(file: Path) -> Given | HaltAsked:
    said = json.loads(file.read_text(encoding="utf-8"))
    if "halt" in said:
        return HaltAsked(
            key=str(said["key"]),
            follower=str(said["follower"]),
            word=Word(said["halt"]),
            by=str(said["by"]),
            at=instant(said["at"]),
        )
    told = Instruction(
        key=str(said["key"]),
        leader_order_id=str(said["leader_order_id"]),
        follower=str(said["follower"]),
        attempt=int(said["attempt"]),
        verdict=Verdict(said["verdict"]),
        order_id=str(said["order_id"]),
    )
    return Given(told, instant(said["at"]))


def _set_aside(file: Path, why: Exception) -> None:
    logger.error("%s is no instruction and is set aside: %s", file, why)
    file.rename(file.with_suffix(_SET_ASIDE))
