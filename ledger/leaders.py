"""What a new process is told of the leader: its orders of the last day that anything was heard of
them, and until when everything is known."""

from datetime import datetime

from domain.messages import OrderSeen
from ledger.history import Rows
from ledger.instants import instant, maybe_instant, micros
from ledger.knowledge import order_of

WATERMARK = "last_leader_event_ts"
"""The setting that tells until when, in seconds since 1970 by the broker's clock, everything that
the leader did is in the ledger."""

_MARK = "SELECT value FROM settings WHERE key = ?"
_NEWEST = "SELECT max(updated_at) AS at FROM order_states WHERE role = 'leader'"
_ORDERS = """
    SELECT order_states.*,
        (SELECT min(born) FROM copies WHERE leader_order_id = order_states.order_id) AS born
    FROM order_states WHERE role = 'leader' AND updated_at >= ? ORDER BY updated_at, order_id
"""
_SECOND = 1_000_000


def leader_day(ledger: Rows) -> list[OrderSeen]:
    """The leader's orders that changed on the last day (in India) on which any did, oldest first.
    `born` is that of their copies, where there are any. Raises what `rows` raises.

    Orders last for a day: whatever was open before it has ended.
    """
    began = last_day(ledger)
    if began is None:
        return []
    return [
        OrderSeen(order, maybe_instant(row["born"]) or order.placed_at, heard_ns=0)
        for row in ledger.rows(_ORDERS, micros(began))
        for order in (order_of(row),)
    ]


def last_day(ledger: Rows) -> datetime | None:
    """When the last day (in India) began on which any order of the leader changed, None where
    none ever did. Raises what `rows` raises."""
    newest = maybe_instant(ledger.rows(_NEWEST)[0]["at"])
    return newest and newest.replace(hour=0, minute=0, second=0, microsecond=0)


def watermark(ledger: Rows) -> datetime | None:
    """Until when everything that the leader did is known, None where nothing is. Raises what
    `rows` raises."""
    rows = ledger.rows(_MARK, WATERMARK)
    return instant(int(rows[0]["value"]) * _SECOND) if rows else None
