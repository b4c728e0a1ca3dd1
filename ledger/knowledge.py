"""What the ledger knows of orders: merged as the domain merges, with every growth of the filled
quantity kept as a fill of its own (scenario 4.3)."""

import sqlite3
from dataclasses import replace

from domain.instruments import InstrumentKey, Segment
from domain.merge import merge
from domain.orders import (
    AmoTime,
    Order,
    OrderType,
    Product,
    Side,
    Source,
    Stamp,
    Status,
    Terms,
    Validity,
)
from ledger.entries import OrderKnown, Role
from ledger.instants import instant, maybe_instant, maybe_micros, micros
from ledger.rows import Row

_COLUMNS = (
    "order_id, client_id, role, segment, security_id, side, product, quantity, order_type, price, "
    "trigger_price, validity, disclosed, status, updated_at, source, filled, traded_value, "
    "correlation_id, symbol, reason, placed_at, platform, after_market, amo_time, leg, parent_id, "
    "exact"
)
_NAMES = _COLUMNS.split(", ")

UPSERT_ORDER = (
    f"INSERT INTO order_states ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))}) "
    "ON CONFLICT (order_id, client_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])
)

# A later word on what the same fills cost corrects the last of them.
UPSERT_FILL = """
INSERT INTO fills (order_id, client_id, cumulative, quantity, value, at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (order_id, client_id, cumulative) DO UPDATE SET
    quantity = quantity + excluded.quantity, value = value + excluded.value
"""

_FIND = "SELECT * FROM order_states WHERE order_id = ? AND client_id = ?"
_MOST_REMEMBERED = 20_000

_Key = tuple[str, str]


class Knowledge:
    """The orders as last committed, and on top of them what the next commit will add.

    Remembers the orders it met, so that most commits read nothing.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kept: dict[_Key, Order] = {}
        self._staged: dict[_Key, tuple[Role, Order]] = {}
        self._fills: list[Row] = []

    def learn(self, known: OrderKnown) -> None:
        """Add a piece of knowledge to the next commit."""
        order = known.order
        key = (order.order_id, order.client_id)
        before = self._known(key)
        merged = merge(before, order) if before else order
        if before is not None and _same(merged, before):
            return
        self._staged[key] = (known.role, merged)
        quantity = merged.filled - (before.filled if before else 0)
        value = merged.traded_value - (before.traded_value if before else 0)
        if quantity or value:
            at = micros(order.stamp.updated_at)
            self._fills.append((*key, merged.filled, quantity, value, at))

    def orders(self) -> list[Row]:
        """The rows for `UPSERT_ORDER`."""
        return [_row(role, order) for role, order in self._staged.values()]

    def fills(self) -> list[Row]:
        """The rows for `UPSERT_FILL`, to be written after the orders."""
        return self._fills

    def committed(self) -> None:
        """The staged knowledge is in the ledger now."""
        for key, (_, order) in self._staged.items():
            self._kept.pop(key, None)
            self._kept[key] = order
        while len(self._kept) > _MOST_REMEMBERED:
            del self._kept[next(iter(self._kept))]
        self.forget()

    def forget(self) -> None:
        """The staged knowledge will not be committed."""
        self._staged, self._fills = {}, []

    def _known(self, key: _Key) -> Order | None:
        staged = self._staged.get(key)
        if staged is not None:
            return staged[1]
        kept = self._kept.get(key)
        if kept is None:
            row = self._connection.execute(_FIND, key).fetchone()
            if row is not None:
                kept = self._kept[key] = order_of(row)
        return kept


def _same(merged: Order, before: Order) -> bool:
    """Whether the ledger has it already; when it was heard is not kept."""
    old, new = before.stamp, merged.stamp
    if (old.updated_at, old.source) != (new.updated_at, new.source):
        return False
    return replace(merged, stamp=old) == before


def _row(role: Role, order: Order) -> Row:
    terms, stamp = order.terms, order.stamp
    return (
        order.order_id,
        order.client_id,
        role,
        order.instrument.segment.value,
        order.instrument.security_id,
        order.side.value,
        order.product.value,
        terms.quantity,
        terms.order_type.value,
        terms.price,
        terms.trigger,
        terms.validity.value,
        terms.disclosed,
        order.status.value,
        micros(stamp.updated_at),
        int(stamp.source),
        order.filled,
        order.traded_value,
        order.correlation_id,
        order.symbol,
        order.reason,
        maybe_micros(order.placed_at),
        order.platform,
        int(order.after_market),
        order.amo_time.value if order.amo_time else None,
        order.leg,
        order.parent_id,
        int(order.exact),
    )


def terms_of(row: sqlite3.Row) -> Terms:
    """The terms in a row of `order_states` or `intents`."""
    return Terms(
        quantity=row["quantity"],
        order_type=OrderType(row["order_type"]),
        price=row["price"],
        trigger=row["trigger_price"],
        validity=Validity(row["validity"]),
        disclosed=row["disclosed"],
    )


def order_of(row: sqlite3.Row) -> Order:
    """The order in a row of `order_states`.

    When it was heard is not kept, the monotonic clock being another one after a reboot: at equal
    times by the broker's clock, whatever this process hears is newer.
    """
    return Order(
        order_id=row["order_id"],
        client_id=row["client_id"],
        instrument=InstrumentKey(Segment(row["segment"]), row["security_id"]),
        side=Side(row["side"]),
        product=Product(row["product"]),
        terms=terms_of(row),
        status=Status(row["status"]),
        stamp=Stamp(instant(row["updated_at"]), Source(row["source"]), heard=0),
        filled=row["filled"],
        traded_value=row["traded_value"],
        correlation_id=row["correlation_id"],
        symbol=row["symbol"],
        reason=row["reason"],
        placed_at=maybe_instant(row["placed_at"]),
        platform=row["platform"],
        after_market=bool(row["after_market"]),
        amo_time=AmoTime(row["amo_time"]) if row["amo_time"] else None,
        leg=row["leg"],
        parent_id=row["parent_id"],
        exact=bool(row["exact"]),
    )
