"""A process that keeps a database from others until its input ends: `holder PATH engine` runs
an instance, `holder PATH lock` or `holder PATH write` locks the file as another program might."""

import sqlite3
import sys
from pathlib import Path

from ledger.ledger import Ledger


def main(path: Path, how: str) -> None:
    if how == "engine":
        with Ledger.open(path):
            _hold()
        return
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE" if how == "lock" else "BEGIN IMMEDIATE")
    _hold()
    connection.execute("ROLLBACK")
    connection.close()


def _hold() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
