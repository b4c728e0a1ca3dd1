"""The operator's instructions, on their way from the command line into the ledger."""

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from domain.copies import CopyState
from domain.halts import HaltAsked, Word
from domain.instructions import Given, Instruction, Verdict
from ledger.instants import instant, micros
from ledger.ledger import Ledger
from ledger.left import leave, left, new_key, take_in
from ledger.reader import Reader

_COPY = "SELECT state, attempt FROM copies WHERE leader_order_id = ? AND follower = ?"
_WAITING = """
SELECT * FROM instructions WHERE id IN (
    SELECT max(id) FROM instructions WHERE closed_at IS NULL GROUP BY leader_order_id, follower
) ORDER BY id
"""


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
    key = new_key(at)
    told = Instruction(key, leader_order_id, follower, rows[0]["attempt"], verdict, order_id)
    leave(_folder(path), key, _text(Given(told, at)))
    return told


def ask_halt(path: Path, follower: str, word: Word, by: str, at: datetime) -> HaltAsked:
    """Leave the operator's word on a follower for the engine that writes the ledger at `path`, on
    disk when this returns. Raises `LedgerUnusable`."""
    key = new_key(at)
    asked = HaltAsked(key, follower, word, by, at)
    said = {"key": key, "at": micros(at), "follower": follower, "halt": word.value, "by": by}
    leave(_folder(path), key, json.dumps(said))
    return asked


def take_over(ledger: Ledger) -> None:
    """Keep what was left for the ledger. Raises `LedgerFailure`, with everything left as it is
    that is not kept; nothing is lost or kept twice by a process that dies in between."""
    take_in(ledger, _folder(ledger.path), lambda file: [_read(file)])


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
    for file in left(_folder(path)):
        with suppress(OSError, ValueError, KeyError, TypeError):
            entry = _read(file)
            if isinstance(entry, HaltAsked):
                found.append(entry)
    return found


def _folder(path: Path) -> Path:
    return path.with_name(path.name + ".instructions")


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
