"""What an older database holds, as rows of the ledger's own tables, so that lists, reports, exits
and a restart need not know of it.

Parameters: `leader` and `account` are client ids, `follower` is who takes over; `at` is now in
microseconds; `today` and `day` are, in seconds, when the day in India began that is now, and the
last one on which the leader did anything.

What was open on an earlier day has expired with it: Dhan's orders last for a day. A word that has
no meaning here keeps an order out; it stays in the older tables, and its number is told.
"""

from ledger.legacy import ORDER_TYPES, PRODUCTS, SEGMENTS, STATUSES, told_as

_IS_A_SEGMENT = (
    "'NSE_EQ', 'NSE_FNO', 'NSE_CURRENCY', 'NSE_COMM', 'BSE_EQ', 'BSE_FNO', 'BSE_CURRENCY', "
    "'MCX_COMM', 'IDX_I', 'INX_EQ'"
)
_IS_OPEN = "('TRANSIT', 'PENDING', 'PART_TRADED')"

# Who took over; the orders that were open then, and what had traded of them; and the newest
# statement of each account.
TABLES = (
    """
    CREATE TABLE legacy_adoption (
        at INTEGER NOT NULL,
        version INTEGER NOT NULL,
        backup TEXT NOT NULL,
        leader TEXT NOT NULL,
        follower TEXT NOT NULL,
        account TEXT NOT NULL,
        last_intent INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE legacy_open (
        order_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        filled INTEGER NOT NULL,
        PRIMARY KEY (order_id, client_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE legacy_funds_seen (
        client_id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        available INTEGER NOT NULL,
        collateral INTEGER NOT NULL,
        used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE legacy_positions_seen (
        at INTEGER NOT NULL,
        client_id TEXT NOT NULL,
        segment TEXT NOT NULL,
        security_id TEXT NOT NULL,
        product TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        average INTEGER NOT NULL,
        realised INTEGER NOT NULL,
        unrealised INTEGER NOT NULL,
        PRIMARY KEY (client_id, security_id, segment)
    ) STRICT, WITHOUT ROWID
    """,
)


def orders(second: bool) -> str:
    """The statement that takes the orders over; `second` is whether they know of brackets."""
    leg = "CASE leg_type WHEN 'SL' THEN 2 WHEN 'TARGET' THEN 3 ELSE 1 END" if second else "1"
    parent = "parent_order_id" if second else "NULL"
    return f"""
    WITH traded AS MATERIALIZED (
        SELECT order_id, sum(quantity) AS shares, sum(quantity * price) AS rupees
        FROM legacy_trades GROUP BY order_id
    ), put AS (
        SELECT o.*, {told_as("o.status", STATUSES)} AS state,
            {told_as("o.order_type", ORDER_TYPES)} AS kind,
            {told_as("o.product", PRODUCTS)} AS held_as,
            {told_as("o.exchange_segment", SEGMENTS)} AS segment,
            {leg} AS leg, {parent} AS parent, coalesce(shares, 0) AS shares, rupees,
            (SELECT symbol FROM instruments i WHERE i.security_id = o.security_id) AS symbol
        FROM legacy_orders o LEFT JOIN traded ON traded.order_id = o.id
    ), known AS (
        SELECT *, CASE WHEN state = 'TRADED' THEN quantity ELSE min(shares, quantity) END AS filled,
            CASE
                WHEN state IN {_IS_OPEN} AND (created_at < :day OR validity = 'IOC')
                    THEN 'EXPIRED'
                WHEN state = 'PENDING' AND shares THEN 'PART_TRADED'
                ELSE state
            END AS status_now
        FROM put
        WHERE quantity > 0 AND side IN ('BUY', 'SELL') AND validity IN ('DAY', 'IOC')
            AND kind IN ('LIMIT', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_MARKET')
            AND held_as IN ('CNC', 'INTRADAY', 'MARGIN', 'MTF', 'CO', 'BO')
            AND segment IN ({_IS_A_SEGMENT})
            AND state IN {_IS_OPEN[:-1]}, 'TRADED', 'CANCELLED', 'REJECTED', 'EXPIRED')
            AND coalesce(price, 0) >= 0 AND coalesce(trigger_price, 0) >= 0 AND shares >= 0
    )
    INSERT INTO order_states (order_id, client_id, role, segment, security_id, side, product,
        quantity, order_type, price, trigger_price, validity, disclosed, status, updated_at, source,
        filled, traded_value, correlation_id, symbol, reason, placed_at, platform, after_market,
        amo_time, leg, parent_id, exact)
    SELECT id, CASE account_type WHEN 'leader' THEN :leader ELSE :account END, account_type,
        segment, security_id, side, held_as, quantity, kind,
        CASE WHEN kind IN ('LIMIT', 'STOP_LOSS')
            THEN CAST(round(100 * coalesce(price, 0)) AS INTEGER) ELSE 0 END,
        CASE WHEN kind IN ('STOP_LOSS', 'STOP_LOSS_MARKET')
            THEN CAST(round(100 * coalesce(trigger_price, 0)) AS INTEGER) ELSE 0 END,
        validity, max(coalesce(disclosed_qty, 0), 0), status_now, updated_at * 1000000, 1, filled,
        CASE WHEN shares AND filled
            THEN CAST(round(100 * rupees * filled / shares) AS INTEGER) ELSE 0 END,
        correlation_id, coalesce(symbol, ''),
        CASE WHEN status_now = 'EXPIRED' AND state <> 'EXPIRED'
            THEN 'it expired with its day' ELSE '' END,
        created_at * 1000000, '', 0, NULL, leg, parent, shares = filled AND shares > 0
    FROM known
    """


# Trades that add up to what the order traded are fills as they are; else there is one fill.
FILLS = """
    WITH told AS (
        SELECT order_id,
            sum(quantity) OVER (PARTITION BY order_id ORDER BY trade_ts, id) AS cumulative,
            quantity, CAST(round(100 * quantity * price) AS INTEGER) AS value,
            trade_ts * 1000000 AS at
        FROM legacy_trades WHERE quantity > 0
    )
    INSERT INTO fills (client_id, order_id, cumulative, quantity, value, at)
    SELECT client_id, order_id, cumulative, told.quantity, value, at
    FROM told JOIN order_states USING (order_id) WHERE exact
    UNION ALL
    SELECT client_id, order_id, filled, filled, traded_value, updated_at
    FROM order_states WHERE filled AND NOT exact
"""

# Which orders Lockstep may still learn something of, and what had traded of them.
OPEN = f"""
    INSERT INTO legacy_open (order_id, client_id, filled)
    SELECT order_id, client_id, filled FROM order_states WHERE status IN {_IS_OPEN}
"""

# Each mapping with both orders. What was to be placed today and has no order is looked for at the
# broker, as after a crash; of another day it comes too late.
_MAPPED = """
    WITH mapped AS (
        SELECT m.id, m.leader_order_id, m.follower_order_id, m.error_message, m.status AS word,
            m.created_at, m.updated_at AS changed_at, l.segment, l.security_id, l.symbol,
            l.placed_at, l.filled AS leader_filled, l.traded_value AS leader_value,
            l.status AS leader_status,
            coalesce(f.quantity, m.follower_quantity) AS quantity,
            coalesce(f.side, l.side) AS side, coalesce(f.product, l.product) AS product,
            coalesce(f.order_type, l.order_type) AS order_type,
            coalesce(f.price, l.price) AS price,
            coalesce(f.trigger_price, l.trigger_price) AS trigger_price,
            coalesce(f.validity, l.validity) AS validity, coalesce(f.disclosed, 0) AS disclosed,
            f.status, coalesce(f.filled, 0) AS filled, coalesce(f.traded_value, 0) AS traded_value,
            f.reason,
            CASE
                WHEN m.leader_quantity > 0 AND m.follower_quantity > 0
                    THEN 'multiplier ' || m.follower_quantity || '/' || m.leader_quantity
                WHEN m.capital_ratio > 0.000001
                    THEN 'multiplier ' || printf('%.6f', m.capital_ratio)
                ELSE 'multiplier 1'
            END || CASE m.sizing_strategy
                WHEN 'capital_proportional' THEN ' by capital'
                WHEN 'risk_based' THEN ' by risk'
                ELSE ''
            END AS sizing,
            CASE
                WHEN m.follower_order_id IS NOT NULL THEN 'LIVE'
                WHEN m.status = 'failed' THEN 'REFUSED'
                WHEN m.status = 'pending' AND m.created_at >= :today THEN 'UNKNOWN'
            END AS stage
        FROM legacy_copy_mappings m
        JOIN order_states l ON l.order_id = m.leader_order_id AND l.client_id = :leader
        LEFT JOIN order_states f ON f.order_id = m.follower_order_id AND f.client_id = :account
        WHERE (m.follower_order_id IS NULL OR f.order_id IS NOT NULL) AND m.follower_quantity >= 0
    )
"""
INTENTS = f"""
    {_MAPPED}
    INSERT INTO intents (id, follower, client_id, leader_order_id, correlation_id, slice_number,
        attempt, kind, order_id, quantity, order_type, price, trigger_price, validity, disclosed,
        side, product, segment, security_id, sizing, born, intended_at, heard_ns, planned_ns)
    SELECT row_number() OVER (ORDER BY created_at, id), :follower, :account, leader_order_id,
        leader_order_id, 0, 0, 'place', '', quantity, order_type, price, trigger_price, validity,
        disclosed, side, product, segment, security_id, sizing, placed_at, created_at * 1000000,
        0, 0
    FROM mapped WHERE stage IS NOT NULL
"""
ANSWERS = """
    INSERT INTO answers (intent_id, after, outcome, given_order_id, given_status, refusal, message,
        code, http_status, committed_ns, answered_ns)
    SELECT intents.id, intents.id,
        CASE WHEN follower_order_id IS NULL THEN 'refused' ELSE 'accepted' END,
        follower_order_id, CASE WHEN follower_order_id IS NULL THEN NULL ELSE '' END,
        CASE WHEN follower_order_id IS NULL THEN 'OTHER' END,
        CASE WHEN follower_order_id IS NULL THEN coalesce(error_message, '') ELSE '' END,
        '', CASE WHEN follower_order_id IS NULL THEN 0 END, 0, 0
    FROM intents JOIN legacy_copy_mappings USING (leader_order_id)
    WHERE follower_order_id IS NOT NULL OR status = 'failed'
"""
COPIES = f"""
    {_MAPPED}, judged AS (
        SELECT *, coalesce(stage = 'LIVE' AND status IN {_IS_OPEN}, 0) AS open,
            leader_status IN {_IS_OPEN} AS leader_open,
            CASE WHEN filled AND leader_filled AND traded_value AND leader_value THEN
                (CASE side WHEN 'BUY' THEN 1 ELSE -1 END)
                    * (traded_value - 1.0 * leader_value * filled / leader_filled)
            END AS cost
        FROM mapped
    )
    INSERT INTO copies (follower, leader_order_id, state, reason, order_ids, correlation_ids,
        symbol, side, quantity, filled, traded_value, leader_filled, leader_value, slippage_paise,
        slippage_bps, in_step, sizing, updated_at, born, skipped, detail, attempt, stages)
    SELECT :follower, leader_order_id,
        CASE
            WHEN stage IS NULL THEN 'skipped'
            WHEN stage = 'REFUSED' THEN 'rejected'
            WHEN stage = 'UNKNOWN' THEN 'unknown'
            WHEN open AND filled THEN 'part_filled'
            WHEN open THEN 'open'
            WHEN status = 'TRADED' THEN 'filled'
            WHEN status = 'REJECTED' AND NOT filled THEN 'rejected'
            ELSE 'cancelled'
        END,
        CASE
            WHEN stage IS NULL
                THEN 'it was too old when it could be copied: the older program did not place it'
            WHEN stage = 'REFUSED' THEN 'other: ' || coalesce(error_message, '')
            ELSE coalesce(nullif(reason, ''), error_message, '')
        END,
        CASE WHEN stage = 'LIVE' THEN json_array(follower_order_id) ELSE '[]' END,
        CASE WHEN stage IS NULL THEN '[]' ELSE json_array(leader_order_id) END,
        symbol, side, quantity, filled, traded_value, leader_filled, leader_value,
        CAST(round(cost) AS INTEGER),
        round(10000.0 * cost * leader_filled / (1.0 * leader_value * filled), 2),
        stage IS NULL OR (stage = 'LIVE' AND open = leader_open), sizing,
        CASE WHEN open OR stage = 'UNKNOWN' THEN :at ELSE changed_at * 1000000 END, placed_at,
        CASE WHEN stage IS NULL THEN 'STALE' END,
        CASE WHEN stage IS NULL THEN 'the older program did not place it' ELSE '' END,
        CASE WHEN stage IS NOT NULL THEN 0 END,
        CASE WHEN stage IS NOT NULL THEN '0:' || stage ELSE '' END
    FROM judged
"""

LEFT_OUT = """
    SELECT
        (SELECT count(*) FROM legacy_orders) - (SELECT count(*) FROM order_states) AS orders,
        (SELECT count(*) FROM legacy_copy_mappings) - (SELECT count(*) FROM copies) AS mappings
"""
