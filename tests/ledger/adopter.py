"""A process that takes a database of the older program over, and dies as by a power cut after so
many thousand steps of SQLite in the connection that writes: `adopter PATH THOUSANDS`."""

import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger import adopting

HEIR = adopting.Heir("1000000001", "asha", "1000000002")


class _Mortal(sqlite3.Connection):
    """Counts what it does from its first transaction on, the backup left out."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.left = int(sys.argv[2])
        self.set_progress_handler(self._step, 1000)

    def _step(self) -> int:
        self.left -= self.in_transaction
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0


def main() -> None:
    """Take over, as long as it lives."""
    connect = sqlite3.connect

    def mortal(*words: Any, **more: Any) -> sqlite3.Connection:
        return connect(*words, factory=_Mortal, **more)

    sqlite3.connect = mortal  # type: ignore[assignment]  # for this process only
    adopting.take_over(Path(sys.argv[1]), HEIR, datetime.now(UTC))


if __name__ == "__main__":
    main()
