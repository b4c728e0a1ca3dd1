"""The database of the older single-follower program: how one is recognised, and what its words
mean here.

Its times are seconds since 1970 and its prices rupees. Version 2 has a few columns, a table and
two views more than version 1.
"""

import sqlite3
from collections.abc import Mapping

MARKS = frozenset({"orders", "copy_mappings", "audit_log", "config"})
"""The tables by which such a database is suspected."""

RENAMED = ("orders", "trades", "positions", "funds", "copy_mappings", "audit_log", "config")
"""The tables that a view takes the place of, which shows new rows beside theirs."""

_ORDERS = (
    "id account_type correlation_id status side product order_type validity security_id "
    "exchange_segment quantity price trigger_price disclosed_qty created_at updated_at raw_request "
    "raw_response"
)
_COLUMNS = {
    "orders": _ORDERS,
    "order_events": "id order_id event_type event_data event_ts sequence",
    "trades": "id order_id account_type trade_ts quantity price exchange_segment security_id "
    "raw_data",
    "positions": "snapshot_ts account_type security_id exchange_segment quantity avg_price "
    "realized_pl unrealized_pl product raw_data",
    "funds": "snapshot_ts account_type available_balance collateral margin_used raw_data",
    "instruments": "security_id exchange_segment symbol name instrument_type expiry_date "
    "strike_price option_type lot_size tick_size underlying_security_id meta updated_at",
    "copy_mappings": "id leader_order_id follower_order_id leader_quantity follower_quantity "
    "sizing_strategy capital_ratio status error_message created_at updated_at",
    "audit_log": "id action account_type request_data response_data status_code error_message "
    "duration_ms ts",
    "config": "key value description updated_at",
}
_SECOND = {
    "orders": "co_stop_loss_value co_trigger_price bo_profit_value bo_stop_loss_value "
    "bo_order_type parent_order_id leg_type",
    "bracket_order_legs": "id parent_order_id leg_order_id leg_type account_type status created_at "
    "updated_at",
}

PRODUCTS = {"MIS": "INTRADAY", "NRML": "MARGIN"}
ORDER_TYPES = {"SL": "STOP_LOSS", "SL-M": "STOP_LOSS_MARKET"}
SEGMENTS = {
    "NSE_FO": "NSE_FNO",
    "BSE_FO": "BSE_FNO",
    "NSE_CD": "NSE_CURRENCY",
    "BSE_CD": "BSE_CURRENCY",
    "MCX_FO": "MCX_COMM",
    "MCX": "MCX_COMM",
}
STATUSES = {
    "OPEN": "PENDING",
    "EXECUTED": "TRADED",
    "TRIGGERED": "PENDING",
    "PARTIALLY_FILLED": "PART_TRADED",
}
"""Its words that are others here; what stands in none of these is the same word."""


class Unlike(Exception):
    """It is not the database that it looks like; says what was found instead."""


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of a database that has the tables of `MARKS`: 1 or 2. Raises `Unlike` for
    any other, for one that lacks something, and for one with a table that Lockstep needs the name
    of."""
    rows = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
    names = {str(row[0]) for row in rows}
    lacking = [table for table in _COLUMNS if table not in names]
    if lacking:
        raise Unlike(f"it has no table {lacking[0]}")
    _see(connection, _COLUMNS)
    said = connection.execute("SELECT value FROM config WHERE key = 'schema_version'").fetchone()
    version = "none" if said is None else str(said[0])
    if version not in ("1", "2"):
        raise Unlike(f"its schema version is {version[:20]}, where 1 and 2 are known")
    if version == "2":
        _see(connection, _SECOND)
    kinds = {str(row[0]): str(row[1]) for row in rows}
    views = [table for table in RENAMED if kinds[table] != "table"]
    if views:
        raise Unlike(f"{views[0]} is a {kinds[views[0]]} in it")
    return int(version)


def _see(connection: sqlite3.Connection, wanted: Mapping[str, str]) -> None:
    """Raise `Unlike` where a column is lacking."""
    for table, columns in wanted.items():
        has = set(columns_of(connection, table))
        lacking = [column for column in columns.split() if column not in has]
        if lacking:
            raise Unlike(f"its table {table} has no column {lacking[0]}")


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of the columns of a table, in their order; none where there is no such table."""
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


def told_as(column: str, words: Mapping[str, str], otherwise: str | None = None) -> str:
    """SQL for the other word of what stands in a column, `otherwise` (SQL, the column itself
    unless given) for a word that has none."""
    cases = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in words.items())
    return f"CASE {column} {cases} ELSE {column if otherwise is None else otherwise} END"
