"""Many rows by few statements.

SQLite's module lets other threads in at every statement, and in a busy process each costs a wait
for the next turn of this one: a commit of a hundred rows took most of a second that way.
"""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain

from ledger.rows import Row

_SIZES = (16, 4)
_ONE_ROW = re.compile(r"VALUES (\((?:\?, )*\?\))")


def write_all(connection: sqlite3.Connection, sql: str, rows: Iterable[Row]) -> None:
    """Have `sql` done for each row, in their order: as `executemany` does it, with fewer
    statements where `sql` inserts."""
    rest: Sequence[Row] = list(rows)
    for size in _SIZES:
        wide = _wide(sql, size)
        while wide is not None and len(rest) >= size:
            connection.execute(wide, tuple(chain.from_iterable(rest[:size])))
            rest = rest[size:]
    if rest:
        connection.executemany(sql, rest)


@cache
def _wide(sql: str, size: int) -> str | None:
    """`sql` for so many rows at once; None for what does not insert."""
    found = _ONE_ROW.search(sql)
    if found is None:
        return None
    values = ", ".join([found[1]] * size)
    return f"{sql[: found.start(1)]}{values}{sql[found.end(1) :]}"
