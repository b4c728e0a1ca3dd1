"""The tables of the older program, as views: its own rows as they were, and new ones beside them.

The views under the old names have the old columns, and of the followers the one that took over
stands for 'follower'. The same under `all_...` have every account, and say whose a row is. What
users have made of the old names (views, queries) goes on by these.

A number that is computed has no type of its own in SQLite, and would be smaller than any text that
it is compared with, as `created_at` is with what `strftime` gives. So such columns are cast.
"""

import sqlite3
from collections.abc import Iterator, Mapping

from ledger.legacy import ORDER_TYPES, PRODUCTS, SEGMENTS, columns_of, told_as

_ACCOUNT = "(SELECT account FROM legacy_adoption)"
_FOLLOWER = "(SELECT follower FROM legacy_adoption)"
_LAST_INTENT = "(SELECT last_intent FROM legacy_adoption)"
_STATUSES = {"TRADED": "EXECUTED", "PART_TRADED": "OPEN", "EXPIRED": "CANCELLED"} | dict.fromkeys(
    ("TRANSIT", "UNREADABLE"), "PENDING"
)
_MAPPING_STATUS = """
    CASE WHEN c.state IN ('open', 'part_filled', 'filled') THEN 'placed'
        WHEN c.state = 'cancelled' THEN 'cancelled'
        WHEN c.state IN ('rejected', 'skipped') THEN 'failed' ELSE 'pending' END
"""
_STRATEGY = """
    CASE WHEN c.sizing LIKE '%by capital%' THEN 'capital_proportional'
        WHEN c.sizing LIKE '%by risk%' THEN 'risk_based'
        WHEN c.sizing LIKE '%multiplier%' THEN 'fixed_ratio' ELSE c.sizing END
"""
_NEWEST_ORDER = "json_extract(c.order_ids, '$[#-1]')"
_LATEST = {
    "v_active_orders": """
        SELECT o.*, m.follower_order_id, m.sizing_strategy FROM orders o
        LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
        WHERE o.status IN ('PENDING', 'OPEN') ORDER BY o.created_at DESC
    """,
    "v_latest_positions": """
        SELECT * FROM positions p WHERE snapshot_ts = (
            SELECT max(snapshot_ts) FROM positions q WHERE q.account_type = p.account_type
                AND q.security_id = p.security_id AND q.exchange_segment = p.exchange_segment)
    """,
    "v_latest_funds": """
        SELECT * FROM funds f WHERE snapshot_ts = (
            SELECT max(snapshot_ts) FROM funds g WHERE g.account_type = f.account_type)
    """,
}
_LATEST_OF_SECOND = {
    "v_active_bracket_orders": """
        SELECT o.*,
            (SELECT leg_order_id FROM bracket_order_legs l WHERE l.parent_order_id = o.id
                AND l.leg_type = 'ENTRY') AS entry_leg_id,
            (SELECT leg_order_id FROM bracket_order_legs l WHERE l.parent_order_id = o.id
                AND l.leg_type = 'TARGET') AS target_leg_id,
            (SELECT leg_order_id FROM bracket_order_legs l WHERE l.parent_order_id = o.id
                AND l.leg_type = 'SL') AS sl_leg_id
        FROM orders o
        WHERE o.bo_profit_value IS NOT NULL OR o.bo_stop_loss_value IS NOT NULL
    """,
    "v_cover_orders": "SELECT * FROM orders WHERE co_stop_loss_value IS NOT NULL",
}


def views(connection: sqlite3.Connection, second: bool) -> Iterator[str]:
    """The statements that make the views; those that the file has by itself stay. `second` is
    whether the schema is version 2."""
    yield from _orders(connection)
    yield from _trades(connection)
    yield from _mappings(connection)
    yield from _audit_log(connection)
    yield from _snapshots(connection)
    yield _config(connection)
    has = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    for name, query in (_LATEST | (_LATEST_OF_SECOND if second else {})).items():
        if name not in has:
            yield f"CREATE VIEW {name} AS {query}"


def _both(
    connection: sqlite3.Connection,
    table: str,
    old: Mapping[str, str],
    new: Mapping[str, str],
    old_from: str,
    new_from: str,
    own: str,
) -> Iterator[str]:
    """A view of all accounts over the old rows (`o`) and the new ones, and one under the old name.

    `old` and `new` say in SQL what stands in a column: of old rows where it is not simply what it
    was, of new ones where there is anything. Columns besides the old ones come last. `own` says
    which rows the view under the old name has.
    """
    columns = columns_of(connection, f"legacy_{table}")
    more = [name for name in new if name not in columns]
    olds = ", ".join(f"{old.get(name, f'o.{name}')} AS {name}" for name in (*columns, *more))
    news = ", ".join(f"{new.get(name, 'NULL')} AS {name}" for name in (*columns, *more))
    yield f"""
        CREATE VIEW all_{table} AS SELECT {olds} FROM legacy_{table} o {old_from}
        UNION ALL SELECT {news} FROM {new_from}
    """
    yield f"CREATE VIEW {table} AS SELECT {', '.join(columns)} FROM all_{table} WHERE {own}"


def _whole(sql: str) -> str:
    return f"CAST({sql} AS INTEGER)"


def _real(sql: str) -> str:
    return f"CAST({sql} AS REAL)"


def _text(sql: str) -> str:
    return f"CAST({sql} AS TEXT)"


def _seconds(column: str) -> str:
    return _whole(f"{column} / 1000000")


def _rupees(column: str) -> str:
    return _real(f"{column} / 100.0")


def _back(words: Mapping[str, str]) -> dict[str, str]:
    """The older words by those that stand for them here; the first of several counts."""
    back: dict[str, str] = {}
    for old, new in words.items():
        back.setdefault(new, old)
    return back


def _segment(connection: sqlite3.Connection, column: str) -> str:
    """The segment as this file names it: not every one has the older names."""
    rows = connection.execute("SELECT DISTINCT exchange_segment FROM legacy_orders")
    names = {str(row[0]) for row in rows}
    back = {new: old for new, old in _back(SEGMENTS).items() if new not in names}
    return _text(told_as(column, back))


def _client(kind: str = "o.account_type") -> str:
    return f"(SELECT CASE {kind} WHEN 'leader' THEN leader ELSE account END FROM legacy_adoption)"


def _orders(connection: sqlite3.Connection) -> Iterator[str]:
    """Of old orders that Lockstep has learnt more of since, what it knows now."""
    now = {
        "status": _text(told_as("s.status", _STATUSES)),
        "quantity": _whole("s.quantity"),
        "price": _real("CASE WHEN s.price THEN s.price / 100.0 ELSE o.price END"),
        "trigger_price": _real(
            "CASE WHEN s.trigger_price THEN s.trigger_price / 100.0 ELSE o.trigger_price END"
        ),
        "updated_at": _seconds("s.updated_at"),
    }
    old = {
        name: f"CASE WHEN s.order_id IS NULL THEN o.{name} ELSE {sql} END"
        for name, sql in now.items()
    }
    old |= {name: _whole(old[name]) for name in ("quantity", "updated_at")}
    old |= {name: _real(old[name]) for name in ("price", "trigger_price")}
    old |= {"status": _text(old["status"]), "client_id": _client()}
    new = now | {
        "id": "s.order_id",
        "account_type": "s.role",
        "correlation_id": "s.correlation_id",
        "side": "s.side",
        "product": _text(told_as("s.product", _back(PRODUCTS))),
        "order_type": _text(told_as("s.order_type", _back(ORDER_TYPES))),
        "validity": "s.validity",
        "security_id": "s.security_id",
        "exchange_segment": _segment(connection, "s.segment"),
        "price": _real("CASE WHEN s.price THEN s.price / 100.0 END"),
        "trigger_price": _real("CASE WHEN s.trigger_price THEN s.trigger_price / 100.0 END"),
        "disclosed_qty": _whole("s.disclosed"),
        "created_at": _seconds("coalesce(s.placed_at, s.updated_at)"),
        "parent_order_id": "s.parent_id",
        "leg_type": "CASE s.leg WHEN 2 THEN 'SL' WHEN 3 THEN 'TARGET' END",
        "client_id": "s.client_id",
    }
    if "leg_type" not in columns_of(connection, "legacy_orders"):
        del new["parent_order_id"], new["leg_type"]
    yield from _both(
        connection,
        "orders",
        old,
        new,
        f"""LEFT JOIN legacy_open ON legacy_open.order_id = o.id
            LEFT JOIN order_states s ON s.order_id = legacy_open.order_id
                AND s.client_id = {_client()}
                AND (s.updated_at <> o.updated_at * 1000000
                    OR s.status IN ('TRADED', 'CANCELLED', 'REJECTED', 'EXPIRED'))""",
        """order_states s WHERE s.order_id NOT GLOB 'FLAT-*'
            AND NOT EXISTS (SELECT 1 FROM legacy_orders WHERE id = s.order_id)""",
        f"account_type = 'leader' OR client_id = {_ACCOUNT}",
    )


def _trades(connection: sqlite3.Connection) -> Iterator[str]:
    new = {
        "id": "f.order_id || '-' || f.cumulative",
        "order_id": "f.order_id",
        "account_type": "s.role",
        "trade_ts": _seconds("f.at"),
        "quantity": _whole("f.quantity"),
        "price": _real("f.value / 100.0 / f.quantity"),
        "exchange_segment": _segment(connection, "s.segment"),
        "security_id": "s.security_id",
        "client_id": "f.client_id",
    }
    yield from _both(
        connection,
        "trades",
        {"client_id": _client()},
        new,
        "",
        """fills f JOIN order_states s USING (order_id, client_id)
            LEFT JOIN legacy_open p USING (order_id, client_id)
            WHERE f.quantity > 0 AND CASE WHEN p.order_id IS NULL
                THEN NOT EXISTS (SELECT 1 FROM legacy_orders WHERE id = f.order_id)
                ELSE f.cumulative > p.filled END""",
        f"account_type = 'leader' OR client_id = {_ACCOUNT}",
    )


def _mappings(connection: sqlite3.Connection) -> Iterator[str]:
    """The id of a new one is the leader's order's. An old one has changed if its copy has since
    it was taken over."""
    quantity = """(SELECT quantity FROM order_states
        WHERE order_id = c.leader_order_id AND role = 'leader')"""
    changed = {
        "follower_order_id": _text(f"coalesce({_NEWEST_ORDER}, o.follower_order_id)"),
        "follower_quantity": _whole("c.quantity"),
        "status": _text(_MAPPING_STATUS),
        "error_message": "nullif(c.reason, '')",
        "updated_at": _seconds("c.updated_at"),
    }
    old = {
        name: f"CASE WHEN c.leader_order_id IS NULL THEN o.{name} ELSE {sql} END"
        for name, sql in changed.items()
    }
    old |= {name: _whole(old[name]) for name in ("follower_quantity", "updated_at")}
    new = changed | {
        "id": _whole("c.leader_order_id"),
        "leader_order_id": "c.leader_order_id",
        "follower_order_id": _text(_NEWEST_ORDER),
        "leader_quantity": _whole(f"coalesce({quantity}, 0)"),
        "sizing_strategy": _text(_STRATEGY),
        "capital_ratio": _real(
            f"CASE WHEN c.sizing LIKE '%by capital%' THEN 1.0 * c.quantity / {quantity} END"
        ),
        "created_at": _seconds("coalesce(c.born, c.updated_at)"),
        "follower": "c.follower",
    }
    yield from _both(
        connection,
        "copy_mappings",
        old | {"follower": _FOLLOWER},
        new,
        f"""LEFT JOIN copies c ON c.leader_order_id = o.leader_order_id
            AND c.follower = {_FOLLOWER} AND c.updated_at <> o.updated_at * 1000000
            AND c.updated_at <> (SELECT at FROM legacy_adoption)""",
        f"""copies c WHERE c.leader_order_id NOT GLOB 'FLAT-*' AND NOT (c.follower = {_FOLLOWER}
            AND EXISTS (SELECT 1 FROM legacy_copy_mappings
                WHERE leader_order_id = c.leader_order_id))""",
        f"follower = {_FOLLOWER}",
    )


def _audit_log(connection: sqlite3.Connection) -> Iterator[str]:
    new = {
        "id": _whole("(SELECT coalesce(max(id), 0) FROM legacy_audit_log) + i.id"),
        "action": "i.kind || '_order'",
        "account_type": "'follower'",
        "request_data": """json_object('correlationId', i.correlation_id, 'orderId',
            nullif(i.order_id, ''), 'transactionType', i.side, 'exchangeSegment', i.segment,
            'securityId', i.security_id, 'productType', i.product, 'orderType', i.order_type,
            'quantity', i.quantity, 'price', i.price / 100.0, 'triggerPrice',
            i.trigger_price / 100.0, 'validity', i.validity)""",
        "response_data": """CASE WHEN a.outcome = 'accepted' THEN json_object(
            'orderId', a.given_order_id, 'orderStatus', a.given_status) END""",
        "status_code": _whole("a.http_status"),
        "error_message": "CASE WHEN a.outcome <> 'accepted' THEN a.message END",
        "duration_ms": _whole("(a.answered_ns - coalesce(a.written_ns, a.committed_ns)) / 1000000"),
        "ts": _seconds("i.intended_at"),
        "follower": "i.follower",
    }
    yield from _both(
        connection,
        "audit_log",
        {"follower": f"CASE o.account_type WHEN 'follower' THEN {_FOLLOWER} END"},
        new,
        "",
        f"""intents i LEFT JOIN answers a ON a.intent_id = i.id
            WHERE i.id > {_LAST_INTENT}""",
        f"account_type = 'leader' OR follower = {_FOLLOWER}",
    )


def _snapshots(connection: sqlite3.Connection) -> Iterator[str]:
    """What was last read of the accounts. A position that is gone has nothing in it."""
    leader = "(SELECT leader FROM legacy_adoption)"
    role = f"CASE s.client_id WHEN {leader} THEN 'leader' ELSE 'follower' END"
    own = f"account_type = 'leader' OR client_id = {_ACCOUNT}"
    seen = {"snapshot_ts": _seconds("s.at"), "account_type": role, "client_id": "s.client_id"}
    funds = seen | {
        "available_balance": _rupees("s.available"),
        "collateral": _rupees("s.collateral"),
        "margin_used": _rupees("s.used"),
    }
    yield from _both(
        connection, "funds", {"client_id": _client()}, funds, "", "legacy_funds_seen s", own
    )
    positions = seen | {
        "security_id": "s.security_id",
        "exchange_segment": _segment(connection, "s.segment"),
        "quantity": _whole("s.quantity"),
        "avg_price": _rupees("s.average"),
        "realized_pl": _rupees("s.realised"),
        "unrealized_pl": _rupees("s.unrealised"),
        "product": _text(told_as("s.product", _back(PRODUCTS))),
    }
    yield from _both(
        connection,
        "positions",
        {"client_id": _client()},
        positions,
        "",
        "legacy_positions_seen s",
        own,
    )


def _config(connection: sqlite3.Connection) -> str:
    columns = ", ".join(
        """CASE WHEN key = 'last_leader_event_ts' THEN coalesce(
            (SELECT value FROM settings WHERE key = 'last_leader_event_ts'), value)
            ELSE value END AS value"""
        if name == "value"
        else name
        for name in columns_of(connection, "legacy_config")
    )
    return f"CREATE VIEW config AS SELECT {columns} FROM legacy_config"
