"""Whether anything was sent that the ledger does not know: the broker's log of requests, which
knows nothing of Lockstep, beside the intents in the ledger."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.scenarios.house import House

_KINDS = {"POST": "place", "PUT": "modify", "DELETE": "cancel"}

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


def alerts(path: Path) -> list[str]:
    """What the ledger at `path` says that the operator was told, oldest first."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT what, place, fix FROM alerts ORDER BY id")
        return ["; ".join(row) for row in rows]
