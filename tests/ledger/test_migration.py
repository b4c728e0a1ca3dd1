"""An older ledger is brought up to date with all that it has."""

import sqlite3
from contextlib import closing
from pathlib import Path

from domain.messages import Alert, Level
from ledger import schema
from ledger.entries import OrderKnown, Setting
from ledger.ledger import Ledger
from ledger.toolkit import Database
from tests.ledger.makers import answered, changed, intent, order


def test_the_ledger_of_the_first_version_loses_nothing(
    path: Path,
) -> None:
    newest = path.with_name("newest.db")
    with Ledger.open(newest) as ledger:
        asked = intent()
        filled = order(filled=4, value=40_000)
        ledger.commit([asked, answered(asked), intent(follower="bala"), changed()])
        ledger.commit([OrderKnown("leader", order("1001", "leader")), Setting("key", "value")])
        ledger.commit([OrderKnown("follower", filled), Alert(Level.NOTE, "so it is", "asha")])
    before = _all_of(newest)
    _first_version(path, newest)
    with Ledger.open(path) as ledger:
        (version,) = ledger.connection.execute("PRAGMA user_version").fetchone()
        assert version == schema.VERSION
        ledger.commit([intent(leader_order_id="1002")])
    after = _all_of(path)
    assert before["intents"]
    assert after["intents"][: len(before["intents"])] == before["intents"]
    assert {name: rows for name, rows in after.items() if name != "intents"} == {
        name: rows for name, rows in before.items() if name != "intents"
    }


def _first_version(path: Path, newest: Path) -> None:
    """A ledger as the first version would have written what is in another one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        database = Database(connection, execute_plugins=False)
        with database.atomic():
            schema.migrations.apply(database, stop_before="0002 instructions")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("ATTACH ? AS newest", (str(newest),))
        for (table,) in connection.execute(_TABLES).fetchall():
            described = connection.execute(f"PRAGMA table_info({table})").fetchall()
            columns = ", ".join(column[1] for column in described)
            connection.execute(
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM newest.{table}"
            )


_TABLES = """
    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'
"""


def _all_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute(_TABLES)]
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in tables
        }
