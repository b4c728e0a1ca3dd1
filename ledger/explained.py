"""What the ledger tells about one leader order, for whoever asks why its copies are as they are."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.messages import Alert, Level
from domain.orders import Order
from ledger.instants import instant
from ledger.knowledge import order_of
from ledger.reader import Told

_LEADER_ORDER = "SELECT * FROM order_states WHERE order_id = ? AND role = 'leader'"
_ALERTS = "SELECT * FROM alerts WHERE place = ? AND instr(what, ?) ORDER BY id"
_COPIED = """
    SELECT leader_order_id, follower FROM intents WHERE order_id = ?1 OR correlation_id = ?1
    UNION
    SELECT leader_order_id, follower FROM answers JOIN intents ON intents.id = answers.intent_id
    WHERE given_order_id = ?1
    LIMIT 1
"""
_NEWEST = """
    SELECT order_id FROM order_states WHERE role = 'leader'
    ORDER BY updated_at DESC, order_id DESC LIMIT ?
"""


class Rows(Protocol):
    """A ledger, for its writer or an onlooker."""

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query finds."""
        ...


@dataclass(frozen=True, slots=True)
class Copied:
    """Whose copy of which leader order an order is."""

    leader_order_id: str
    follower: str


def leader_order(ledger: Rows, order_id: str) -> Order | None:
    """The leader's order as it is known now, None for no order of the leader. Raises what `rows`
    raises."""
    return next((order_of(row) for row in ledger.rows(_LEADER_ORDER, order_id)), None)


def copied(ledger: Rows, name: str) -> Copied | None:
    """What an order of a follower's, by its id or its correlation id, is a copy of; None for an
    order that Lockstep did not place. Raises what `rows` raises."""
    for row in ledger.rows(_COPIED, name):
        return Copied(row["leader_order_id"], row["follower"])
    return None


def newest_orders(ledger: Rows, limit: int) -> Sequence[str]:
    """The ids of the leader's newest orders, newest first. Raises what `rows` raises."""
    return [row["order_id"] for row in ledger.rows(_NEWEST, limit)]


def alerts_about(ledger: Rows, order_id: str, follower: str) -> Sequence[Told]:
    """What the operator was told of a follower's copy of a leader order, oldest first. Raises what
    `rows` raises."""
    return [
        Told(instant(row["at"]), Alert(Level(row["level"]), row["what"], row["place"], row["fix"]))
        for row in ledger.rows(_ALERTS, follower, order_id)
    ]
