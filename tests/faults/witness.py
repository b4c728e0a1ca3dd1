"""Whether anything was sent that the ledger does not know, or again although what was sent before
had come through: the broker's log of requests and its order books, which know nothing of Lockstep,
beside what is in the ledger."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from tests.scenarios.house import House

_KINDS = {"POST": "place", "PUT": "modify", "DELETE": "cancel"}

_KNOWN = """
    SELECT 1 FROM intents AS again JOIN intents AS before USING (client_id)
    LEFT JOIN answers ON answers.intent_id = before.id
    WHERE again.client_id = ?1 AND again.correlation_id = ?3 AND again.kind = 'place'
        AND before.correlation_id = ?2 AND before.kind = 'place'
        AND (
            (outcome = 'accepted' AND after < again.id) OR EXISTS (
                SELECT 1 FROM journal JOIN journal_bodies ON journal_bodies.id = journal.body
                WHERE journal.follower = again.follower
                    AND journal.kind IN ('Heard', 'BookRead') AND instr(journal_bodies.body, ?2)
                    AND journal.id <= (
                        SELECT max(id) FROM journal AS cause
                        WHERE cause.follower = again.follower AND cause.at = again.intended_at
                    )
            )
        )
"""
_Asked = tuple[str, str, str]


def sent(house: House) -> Counter[_Asked]:
    """The order requests that the broker saw from followers: account, kind, and the correlation
    id of a placement or the order's id."""
    seen: Counter[_Asked] = Counter()
    for member in house.members:
        for request in house.control.requests(member.client_id):
            kind = _KINDS.get(request["method"])
            if kind is not None and "/orders" in request["path"]:
                order_id = request["path"].rpartition("/")[2]
                name = request["correlation_id"] if kind == "place" else order_id
                seen[member.client_id, kind, name] += 1
    return seen


def recorded(path: Path) -> Counter[_Asked]:
    """The intents in the ledger at `path`, in the same words."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT client_id, kind, iif(kind = 'place', correlation_id, order_id) FROM intents"
        )
        return Counter(tuple(row) for row in rows)


def unrecorded(house: House, path: Path | None = None) -> list[str]:
    """The requests that the broker saw and the ledger does not know, in plain words."""
    unknown = sent(house) - recorded(path or house.folder / house.ledger)
    return [
        f"{client_id}: {kind} {name} was sent and never recorded, {times} times"
        for (client_id, kind, name), times in unknown.items()
    ]


def placed_blindly(house: House, path: Path | None = None) -> list[str]:
    """The orders of followers that were placed although one before them, for the same slice of
    the same copy, had come through and the ledger did not know that yet."""
    ledger = path or house.folder / house.ledger
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
        return [
            f"{member.client_id}: {name} was placed while nothing was known of {before}"
            for member in house.members
            for before, name in _again(house, member.client_id)
            if connection.execute(_KNOWN, (member.client_id, before, name)).fetchone() is None
        ]


def recalled(path: Path) -> list[_Asked]:
    """The requests that were called back before they left, by the ledger at `path`."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT client_id, kind, iif(kind = 'place', correlation_id, order_id) FROM intents"
            " JOIN answers ON intent_id = intents.id WHERE outcome = 'recalled'"
        )
        return [tuple(row) for row in rows]


def sent_all_the_same(house: House, path: Path | None = None) -> list[str]:
    """The placements that were called back, by the ledger, and yet reached the broker."""
    seen = sent(house)
    called_back = recalled(path or house.folder / house.ledger)
    return [
        f"{client_id}: {name} was called back and sent all the same"
        for client_id, kind, name in called_back
        if kind == "place" and seen[client_id, kind, name]
    ]


def _again(house: House, client_id: str) -> Iterator[tuple[str, str]]:
    """The names of orders after each other in one slice of one copy, the first of them accepted."""
    slices: dict[str, list[tuple[int, str, bool]]] = {}
    for row in house.control.book(client_id):
        name = str(row["correlationId"])
        of, _, attempt = name.rpartition("-")
        slices.setdefault(of, []).append((int(attempt, 36), name, row["orderStatus"] != "REJECTED"))
    for placed in slices.values():
        for (_, before, accepted), (_, name, _) in pairwise(sorted(placed)):
            if accepted:
                yield before, name


def alerts(path: Path) -> list[str]:
    """What the ledger at `path` says that the operator was told, oldest first."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT what, place, fix FROM alerts ORDER BY id")
        return ["; ".join(row) for row in rows]
