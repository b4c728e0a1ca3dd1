"""The numbers of intents: given in the order of recording, found again for their answers."""

import sqlite3

from domain.attempts import Change
from domain.messages import Intent
from ledger.instants import micros
from ledger.rows import KINDS

_FIND = """
SELECT id FROM intents
WHERE leader_order_id = ? AND follower = ? AND correlation_id = ? AND kind = ?
    AND planned_ns = ? AND intended_at = ?
"""
_MOST_REMEMBERED = 20_000

_Name = tuple[str, str, Change | None, int]


class Numbers:
    """The next number, and those of the intents whose answers are awaited.

    Remembers what this process recorded, so that an answer need not be looked up.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        newest = connection.execute("SELECT max(id) FROM intents").fetchone()[0]
        self._committed = self.last = int(newest or 0)
        self._kept: dict[_Name, int] = {}
        self._staged: dict[_Name, int] = {}
        self._answered: list[_Name] = []

    def give(self, intent: Intent) -> int:
        """The number of an intent in the next commit."""
        self.last += 1
        self._staged[_name(intent)] = self.last
        return self.last

    def find(self, intent: Intent) -> int:
        """The number of an intent that is answered now. Raises ValueError for one that was
        never recorded."""
        name = _name(intent)
        number = self._staged.get(name) or self._kept.get(name)
        if number is None:
            number = self._look_up(intent)
        self._answered.append(name)
        return number

    def committed(self) -> None:
        """What was given and found is in the ledger now."""
        self._committed = self.last
        self._kept.update(self._staged)
        for name in self._answered:
            self._kept.pop(name, None)
        while len(self._kept) > _MOST_REMEMBERED:
            del self._kept[next(iter(self._kept))]
        self.forget()

    def forget(self) -> None:
        """What was given since the last commit is given again."""
        self.last = self._committed
        self._staged, self._answered = {}, []

    def _look_up(self, intent: Intent) -> int:
        row = self._connection.execute(
            _FIND,
            (
                intent.leader_order_id,
                intent.follower,
                intent.correlation_id,
                KINDS[intent.change],
                intent.planned_ns,
                micros(intent.intended_at),
            ),
        ).fetchone()
        if row is None:
            raise ValueError("an answer to a request whose intent is not recorded")
        return int(row["id"])


def _name(intent: Intent) -> _Name:
    return (intent.follower, intent.correlation_id, intent.change, intent.planned_ns)
