"""Many rows by few statements leave what one statement for each row leaves."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bulk import write_all

_TABLE = "CREATE TABLE fills (id INTEGER PRIMARY KEY, name TEXT UNIQUE, sum INTEGER) STRICT"
_INSERT = "INSERT INTO fills (name, sum) VALUES (?, ?)"
_UPSERT = """
INSERT INTO fills (name, sum)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET sum = sum * 3 + excluded.sum
"""
_UPDATE = "UPDATE fills SET sum = sum * 3 + ?2 WHERE name = ?1"

_Rows = Sequence[tuple[str, int]]
_FEW_NAMES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=30)
_MANY = st.lists(st.tuples(st.text(), st.integers(0, 9)), max_size=60, unique_by=lambda row: row[0])


def _left(sql: str, rows: _Rows, *, one_by_one: bool) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(_TABLE)
        connection.executemany(_INSERT, [("a", 1), ("b", 2)] if sql == _UPDATE else [])
        if one_by_one:
            connection.executemany(sql, rows)
        else:
            write_all(connection, sql, rows)
        return connection.execute("SELECT * FROM fills ORDER BY id").fetchall()


@given(_FEW_NAMES)
def test_each_row_finds_what_those_before_it_left(rows: _Rows) -> None:
    for sql in (_UPSERT, _UPDATE):
        assert _left(sql, rows, one_by_one=False) == _left(sql, rows, one_by_one=True)


@given(_MANY)
def test_rows_are_kept_in_their_order(rows: _Rows) -> None:
    for sql in (_INSERT, _UPSERT):
        assert _left(sql, rows, one_by_one=False) == _left(sql, rows, one_by_one=True)


def test_a_hundred_rows_take_few_statements() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(_TABLE)
        done: list[str] = []
        connection.set_trace_callback(done.append)
        write_all(connection, _INSERT, [(f"{number}", number) for number in range(100)])
        connection.set_trace_callback(None)
        assert connection.execute("SELECT count(*) FROM fills").fetchone() == (100,)
    assert len(done) == 100 // 16 + 1


def test_a_row_that_cannot_be_kept_is_told_as_before() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(_TABLE)
        rows = [(f"{number}", number) for number in range(20)]
        with pytest.raises(sqlite3.IntegrityError):
            write_all(connection, _INSERT, [*rows, rows[3]])
