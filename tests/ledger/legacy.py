"""Databases of the older program, as its users have them: version 1 or 2, with any number of
orders. The same arguments give the same rows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

START = 1_759_376_700
"""2025-10-02 09:15 in India, in seconds since 1970."""

QUERIES = (
    "SELECT * FROM copy_mappings ORDER BY created_at DESC LIMIT 10",
    "SELECT * FROM orders WHERE created_at > strftime('%s', 'now', '-1 day')",
    "SELECT * FROM v_latest_funds",
    "SELECT * FROM v_latest_positions",
    "SELECT * FROM v_active_orders",
    "SELECT * FROM audit_log WHERE action = 'place_order' AND account_type = 'follower'",
)
"""What users ask it."""

TABLES = (
    "orders",
    "order_events",
    "trades",
    "positions",
    "funds",
    "instruments",
    "copy_mappings",
    "audit_log",
    "config",
)
VIEWS = ("v_active_orders", "v_latest_positions", "v_latest_funds")

_EITHER = "CHECK (account_type IN ('leader', 'follower'))"
_FIRST = f"""
    CREATE TABLE orders (
        id TEXT PRIMARY KEY, account_type TEXT NOT NULL, correlation_id TEXT, status TEXT NOT NULL,
        side TEXT NOT NULL, product TEXT NOT NULL, order_type TEXT NOT NULL, validity TEXT NOT NULL,
        security_id TEXT NOT NULL, exchange_segment TEXT NOT NULL, quantity INTEGER NOT NULL,
        price REAL, trigger_price REAL, disclosed_qty INTEGER, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, raw_request TEXT, raw_response TEXT, {_EITHER}
    );
    CREATE TABLE order_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT NOT NULL, event_type TEXT NOT NULL,
        event_data TEXT, event_ts INTEGER NOT NULL, sequence INTEGER, UNIQUE (order_id, sequence),
        FOREIGN KEY (order_id) REFERENCES orders(id) ON DELETE CASCADE
    );
    CREATE TABLE trades (
        id TEXT PRIMARY KEY, order_id TEXT NOT NULL, account_type TEXT NOT NULL,
        trade_ts INTEGER NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL,
        exchange_segment TEXT, security_id TEXT, raw_data TEXT,
        FOREIGN KEY (order_id) REFERENCES orders(id) ON DELETE CASCADE, {_EITHER}
    );
    CREATE TABLE positions (
        snapshot_ts INTEGER NOT NULL, account_type TEXT NOT NULL, security_id TEXT NOT NULL,
        exchange_segment TEXT NOT NULL, quantity INTEGER NOT NULL, avg_price REAL NOT NULL,
        realized_pl REAL, unrealized_pl REAL, product TEXT, raw_data TEXT,
        PRIMARY KEY (snapshot_ts, account_type, security_id, exchange_segment), {_EITHER}
    );
    CREATE TABLE funds (
        snapshot_ts INTEGER NOT NULL, account_type TEXT NOT NULL, available_balance REAL NOT NULL,
        collateral REAL, margin_used REAL, raw_data TEXT,
        PRIMARY KEY (snapshot_ts, account_type), {_EITHER}
    );
    CREATE TABLE instruments (
        security_id TEXT PRIMARY KEY, exchange_segment TEXT NOT NULL, symbol TEXT NOT NULL,
        name TEXT, instrument_type TEXT, expiry_date TEXT, strike_price REAL, option_type TEXT,
        lot_size INTEGER NOT NULL, tick_size REAL NOT NULL, underlying_security_id TEXT, meta TEXT,
        updated_at INTEGER NOT NULL
    );
    CREATE TABLE copy_mappings (
        id INTEGER PRIMARY KEY AUTOINCREMENT, leader_order_id TEXT NOT NULL UNIQUE,
        follower_order_id TEXT UNIQUE, leader_quantity INTEGER NOT NULL,
        follower_quantity INTEGER NOT NULL, sizing_strategy TEXT, capital_ratio REAL,
        status TEXT NOT NULL, error_message TEXT, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, FOREIGN KEY (leader_order_id) REFERENCES orders(id),
        FOREIGN KEY (follower_order_id) REFERENCES orders(id),
        CHECK (status IN ('pending', 'placed', 'failed', 'cancelled'))
    );
    CREATE TABLE audit_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL, account_type TEXT NOT NULL,
        request_data TEXT, response_data TEXT, status_code INTEGER, error_message TEXT,
        duration_ms INTEGER, ts INTEGER NOT NULL, {_EITHER}
    );
    CREATE TABLE config (
        key TEXT PRIMARY KEY, value TEXT NOT NULL, description TEXT, updated_at INTEGER NOT NULL
    );
    CREATE VIEW v_active_orders AS
        SELECT o.*, m.follower_order_id, m.sizing_strategy FROM orders o
        LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
        WHERE o.status IN ('PENDING', 'OPEN') ORDER BY o.created_at DESC;
    CREATE VIEW v_latest_positions AS
        SELECT * FROM positions p WHERE snapshot_ts = (SELECT max(snapshot_ts) FROM positions q
            WHERE q.account_type = p.account_type AND q.security_id = p.security_id
                AND q.exchange_segment = p.exchange_segment);
    CREATE VIEW v_latest_funds AS
        SELECT * FROM funds f WHERE snapshot_ts =
            (SELECT max(snapshot_ts) FROM funds g WHERE g.account_type = f.account_type);
"""
_SECOND = f"""
    ALTER TABLE orders ADD COLUMN co_stop_loss_value REAL;
    ALTER TABLE orders ADD COLUMN co_trigger_price REAL;
    ALTER TABLE orders ADD COLUMN bo_profit_value REAL;
    ALTER TABLE orders ADD COLUMN bo_stop_loss_value REAL;
    ALTER TABLE orders ADD COLUMN bo_order_type TEXT;
    ALTER TABLE orders ADD COLUMN parent_order_id TEXT;
    ALTER TABLE orders ADD COLUMN leg_type TEXT;
    CREATE TABLE bracket_order_legs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, parent_order_id TEXT NOT NULL,
        leg_order_id TEXT NOT NULL, leg_type TEXT NOT NULL, account_type TEXT NOT NULL,
        status TEXT DEFAULT 'PENDING', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        UNIQUE (parent_order_id, leg_order_id, account_type), {_EITHER},
        CHECK (leg_type IN ('ENTRY', 'TARGET', 'SL'))
    );
    UPDATE config SET value = '2' WHERE key = 'schema_version';
    INSERT INTO config VALUES ('co_enabled', 'true', NULL, 0), ('bo_enabled', 'true', NULL, 0);
"""
_SETTINGS = {
    "schema_version": "1",
    "last_leader_event_ts": "0",
    "copy_enabled": "true",
    "last_position_snapshot_ts": "0",
    "last_funds_snapshot_ts": "0",
}


def make(path: Path, version: int = 1, orders: int = 40, start: int = START) -> Path:
    """A database in which the leader placed an order a minute from `start` on (seconds)."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_FIRST)
        for key, value in _SETTINGS.items():
            insert(connection, "config", key=key, value=value, updated_at=start)
        for number in range(orders):
            _order(connection, number, start + 60 * number)
        _accounts(connection, start)
        connection.execute(
            "UPDATE config SET value = ? WHERE key = 'last_leader_event_ts'",
            [str(start + 60 * (orders - 1) if orders else 0)],
        )
        connection.commit()
        if version == 2:
            connection.executescript(_SECOND)
    return path


def insert(connection: sqlite3.Connection, table: str, **row: Any) -> None:
    """Put a row into a table."""
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values())
    )


def pair(path: Path, leader: str, follower: str | None, **more: Any) -> None:
    """Add a leader order of ten RELIANCE at 2400, and the half of it as its copy, placed now;
    `mapped` is the status of the mapping, all else is of both orders."""
    now = int(time.time())
    mapped = more.pop("mapped", "placed")
    common = {
        "status": "PENDING",
        "side": "BUY",
        "product": "MIS",
        "order_type": "LIMIT",
        "validity": "DAY",
        "security_id": "2885",
        "exchange_segment": "NSE_EQ",
        "price": 2400.0,
        "created_at": now,
        "updated_at": now,
    } | more
    with closing(sqlite3.connect(path)) as connection, connection:
        insert(connection, "orders", id=leader, account_type="leader", quantity=10, **common)
        if follower is not None:
            insert(
                connection,
                "orders",
                id=follower,
                account_type="follower",
                correlation_id=leader,
                quantity=5,
                **common,
            )
        insert(
            connection,
            "copy_mappings",
            leader_order_id=leader,
            follower_order_id=follower,
            leader_quantity=10,
            follower_quantity=5,
            sizing_strategy="fixed_ratio",
            status=mapped,
            created_at=common["created_at"],
            updated_at=common["updated_at"],
        )


def everything(path: Path, version: int = 1) -> dict[str, list[tuple[Any, ...]]]:
    """Every row under every old name, and what users ask."""
    names = (*TABLES, *VIEWS, *(("bracket_order_legs",) if version == 2 else ()))
    with closing(sqlite3.connect(path)) as connection:
        found = {name: asked(connection, f"SELECT * FROM {name}") for name in names}
        return found | {query: asked(connection, query) for query in QUERIES}


def asked(connection: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    """The rows that a query finds, with the names of their columns first; in no order, but for a
    query that names one."""
    cursor = connection.execute(query)
    names = tuple(column[0] for column in cursor.description)
    rows = cursor.fetchall()
    return [names, *(rows if "ORDER BY" in query else sorted(rows, key=repr))]


def _order(connection: sqlite3.Connection, number: int, at: int) -> None:
    """One in five is pending and one cancelled, one in seven failed to be copied."""
    leader, follower = f"1125100200{number:05d}", f"2125100200{number:05d}"
    status = {4: "PENDING", 3: "CANCELLED"}.get(number % 5, "EXECUTED")
    failed = number % 7 == 6
    common = {
        "status": status,
        "side": "BUY" if number % 2 else "SELL",
        "product": ("MIS", "CNC", "NRML")[number % 3],
        "order_type": ("MARKET", "LIMIT", "SL", "SL-M")[number % 4],
        "validity": "DAY",
        "security_id": str(40000 + number % 7),
        "exchange_segment": "NSE_FO",
        "price": 100.0 + number,
        "trigger_price": 99.0 if number % 4 > 1 else None,
        "created_at": at,
        "updated_at": at + 5,
        "raw_request": "{}",
    }
    insert(connection, "orders", id=leader, account_type="leader", quantity=150, **common)
    if not failed:
        insert(
            connection,
            "orders",
            id=follower,
            account_type="follower",
            correlation_id=leader,
            quantity=75,
            **common,
        )
    mapped = {"CANCELLED": "cancelled"}.get(status, "placed")
    insert(
        connection,
        "copy_mappings",
        leader_order_id=leader,
        follower_order_id=None if failed else follower,
        leader_quantity=150,
        follower_quantity=0 if failed else 75,
        sizing_strategy="capital_proportional",
        capital_ratio=0.5,
        status="failed" if failed else mapped,
        error_message="Insufficient margin" if failed else None,
        created_at=at,
        updated_at=at + 1,
    )
    insert(
        connection,
        "order_events",
        order_id=leader,
        event_type="PLACED",
        event_data="{}",
        event_ts=at,
        sequence=1,
    )
    for trade in _trades(number, leader, follower, at, failed) if status == "EXECUTED" else ():
        insert(connection, "trades", **trade)
    insert(
        connection,
        "audit_log",
        action="place_order",
        account_type="follower",
        request_data="{}",
        response_data="{}",
        status_code=200,
        duration_ms=42,
        ts=at,
    )


def _trades(
    number: int, leader: str, follower: str, at: int, failed: bool
) -> Iterator[dict[str, Any]]:
    """The leader's in two parts, the follower's of every other order."""
    parts = [(leader, "leader", 100), (leader, "leader", 50)]
    if number % 2 and not failed:
        parts.append((follower, "follower", 75))
    for part, (order, account, quantity) in enumerate(parts):
        yield {
            "id": f"T{order}-{part}",
            "order_id": order,
            "account_type": account,
            "trade_ts": at + 2 + part,
            "quantity": quantity,
            "price": 100.0 + number + part,
        }


def _accounts(connection: sqlite3.Connection, at: int) -> None:
    for account, balance in (("leader", 1_000_000.0), ("follower", 500_000.0)):
        insert(
            connection,
            "funds",
            snapshot_ts=at,
            account_type=account,
            available_balance=balance,
            collateral=0.0,
            margin_used=0.0,
        )
        insert(
            connection,
            "positions",
            snapshot_ts=at,
            account_type=account,
            security_id="40001",
            exchange_segment="NSE_FO",
            quantity=75,
            avg_price=101.5,
            realized_pl=0.0,
            unrealized_pl=12.5,
            product="NRML",
        )
    for number in range(7):
        insert(
            connection,
            "instruments",
            security_id=str(40000 + number),
            exchange_segment="NSE_FO",
            symbol=f"NIFTY25000{'CE' if number % 2 else 'PE'}",
            instrument_type="OPTIDX",
            lot_size=75,
            tick_size=0.05,
            updated_at=at,
        )
