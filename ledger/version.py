"""The SQLite that keeps the ledger, and whether it is one to warn of."""

import logging
import sqlite3
from functools import cache

logger = logging.getLogger(__name__)


@cache
def say_version() -> None:
    """Log once which SQLite this process uses, with a warning where it has the WAL-reset bug."""
    if has_reset_bug(sqlite3.sqlite_version_info):
        logger.warning(
            "SQLite %s can damage a database that two programs write at the same instant (fixed "
            "in 3.51.3, 3.50.7 and 3.44.6). Lockstep writes by one connection only: let no other "
            "program write the ledger while it runs, and keep backups",
            sqlite3.sqlite_version,
        )
    else:
        logger.info("SQLite %s keeps the ledger", sqlite3.sqlite_version)


def has_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether write-ahead logs of this SQLite can be reset while another connection still
    needs them: 3.7.0 to 3.51.2, but for the corrected 3.50.7 and 3.44.6 (SQLite's release
    notes)."""
    corrected = version[:2] == (3, 50) and version >= (3, 50, 7)
    corrected = corrected or (version[:2] == (3, 44) and version >= (3, 44, 6))
    return (3, 7, 0) <= version <= (3, 51, 2) and not corrected
