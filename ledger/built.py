"""What was built by orders that are older than those which a follower takes over one by one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.instruments import InstrumentKey, Segment
from domain.orders import Order, Product, Side
from ledger.history import TOUCHED, Rows
from ledger.instants import micros
from ledger.knowledge import order_of

Holding = tuple[InstrumentKey, Product]
"""An instrument, and the leader's product."""

# Of all followers at once, since it reads all that was ever placed. An order is found by its name,
# by the answer to its placement, or by the operator's word. What is INTRADAY did not last.
# A NOT IN of two columns would look through all that was touched for each, as either may be NULL.
_MINE = """
    WITH touched AS MATERIALIZED (
        SELECT follower, leader_order_id FROM intents WHERE intended_at >= ?1
        UNION SELECT follower, leader_order_id FROM copies WHERE updated_at >= ?1
    ), placed AS NOT MATERIALIZED (
        SELECT intents.* FROM intents LEFT JOIN touched USING (follower, leader_order_id)
        WHERE kind = 'place' AND product != 'INTRADAY' AND intended_at < ?1
            AND touched.follower IS NULL
    ), traded AS (
        SELECT follower, leader_order_id, segment, security_id, side, product, coalesce(
            (
                SELECT filled FROM order_states INDEXED BY order_states_correlation
                WHERE correlation_id = placed.correlation_id AND client_id = placed.client_id
            ),
            (
                SELECT filled FROM answers JOIN order_states ON order_id = given_order_id
                WHERE intent_id = placed.id AND client_id = placed.client_id
            )
        ) AS filled
        FROM placed
        UNION ALL
        SELECT follower, leader_order_id, placed.segment, placed.security_id, placed.side,
            placed.product, filled
        FROM instructions JOIN placed USING (leader_order_id, follower, attempt)
        JOIN order_states ON order_states.order_id = instructions.order_id
            AND order_states.client_id = placed.client_id
        WHERE after IS NOT NULL
    )
    SELECT follower, segment, security_id,
        coalesce(
            (
                SELECT product FROM order_states
                WHERE order_id = traded.leader_order_id
                    AND (role = 'leader' OR order_id GLOB 'FLAT-*')
            ),
            product
        ) AS leaders,
        sum(CASE side WHEN 'BUY' THEN filled ELSE -filled END) AS net
    FROM traded WHERE filled
    GROUP BY follower, segment, security_id, leaders
"""
_LEADER = """
    SELECT segment, security_id, product AS leaders,
        sum(CASE side WHEN 'BUY' THEN filled ELSE -filled END) AS net
    FROM order_states WHERE role = 'leader' AND updated_at < ? AND product != 'INTRADAY'
    GROUP BY segment, security_id, product
"""
_COPIED = f"SELECT * FROM order_states WHERE role = 'leader' AND order_id IN ({TOUCHED})"
# The orders that Lockstep made in the leader's place are kept as the follower's.
_MADE = f"SELECT * FROM order_states WHERE role = 'follower' AND order_id IN ({TOUCHED})"


def built_by_copies(ledger: Rows, since: datetime) -> dict[str, dict[Holding, int]]:
    """By follower, the net shares of its copies that `ledger.history.copies_of` does not give for
    the same `since`. Raises what `rows` raises, and ValueError for rows that this version cannot
    have written."""
    found: dict[str, dict[Holding, int]] = defaultdict(dict)
    for row in ledger.rows(_MINE, micros(since)):
        key = InstrumentKey(Segment(row["segment"]), row["security_id"])
        found[row["follower"]][key, Product(row["leaders"])] = row["net"]
    return found


def built_by_leader(ledger: Rows, until: datetime) -> dict[Holding, int]:
    """The net shares of the leader's orders that did not change since then by the broker's clock.
    Raises like `built_by_copies`."""
    return {
        (InstrumentKey(Segment(row["segment"]), row["security_id"]), Product(row["leaders"])): row[
            "net"
        ]
        for row in ledger.rows(_LEADER, micros(until))
    }


def copied_orders(ledger: Rows, follower: str, since: datetime) -> list[Order]:
    """The leader's orders of the copies that `ledger.history.copies_of` gives. Raises what `rows`
    raises."""
    return [order_of(row) for row in ledger.rows(_COPIED, follower, micros(since))]


def made_orders(ledger: Rows, follower: str, since: datetime) -> list[Order]:
    """The orders that Lockstep made to leave positions, of the copies that
    `ledger.history.copies_of` gives. Raises what `rows` raises."""
    made = [order_of(row) for row in ledger.rows(_MADE, follower, micros(since))]
    return [order for order in made if order.flattening]


def without(built: Mapping[Holding, int], orders: Iterable[Order]) -> dict[Holding, int]:
    """What the leader's orders built, but for these."""
    left = dict(built)
    for order in orders:
        if order.product is not Product.INTRADAY:
            holding = (order.instrument, order.product)
            signed = order.filled if order.side is Side.BUY else -order.filled
            left[holding] = left.get(holding, 0) - signed
    return left
