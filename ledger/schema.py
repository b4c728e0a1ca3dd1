"""The tables of the ledger and how a database is recognised as one.

Amounts are paise and shares; instants are microseconds since 1970 (UTC), `*_ns` are of the
monotonic clock of the process that wrote them. Words are those of the domain: an enumeration is
stored by the name of its member where its value is a sentence. Every migration ends by setting
`user_version`, so that an older program knows a newer ledger when it sees one.

Keys begin with the leader's order (or what follows from it), not with the follower: the rows of
one event for all followers are neighbours then, and one commit writes a few pages, not hundreds.
"""

from ledger.toolkit import Database, Migrations

APPLICATION_ID = 0x4C4B5354  # "LKST"
VERSION = 5

migrations = Migrations("lockstep")


def migrate(db: Database) -> None:
    """Bring the database to this version, in one transaction: all of it or nothing."""
    with db.atomic():
        migrations.apply(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")


@migrations(name="0001 intents, answers, orders, fills, copies, alerts, settings")
def _first(db: Database) -> None:
    for statement in _FIRST:
        db.execute(statement)


@migrations(name="0002 instructions")
def _second(db: Database) -> None:
    for statement in _SECOND:
        db.execute(statement)


@migrations(name="0003 journal")
def _third(db: Database) -> None:
    for statement in _THIRD:
        db.execute(statement)


@migrations(name="0004 halts")
def _fourth(db: Database) -> None:
    db.execute(_HALTS)


@migrations(name="0005 audit")
def _fifth(db: Database) -> None:
    for statement in _AUDIT:
        db.execute(statement)


_FIRST = (
    """
    CREATE TABLE intents (
        id INTEGER PRIMARY KEY,
        follower TEXT NOT NULL,
        client_id TEXT NOT NULL,
        leader_order_id TEXT NOT NULL,
        correlation_id TEXT NOT NULL,
        slice_number INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind = 'place' OR kind = 'modify' OR kind = 'cancel'),
        order_id TEXT NOT NULL,
        quantity INTEGER,
        order_type TEXT,
        price INTEGER,
        trigger_price INTEGER,
        validity TEXT,
        disclosed INTEGER,
        side TEXT,
        product TEXT,
        segment TEXT,
        security_id TEXT,
        amo_time TEXT,
        reference INTEGER,
        why TEXT,
        sizing TEXT NOT NULL,
        born INTEGER,
        intended_at INTEGER NOT NULL,
        heard_ns INTEGER NOT NULL,
        planned_ns INTEGER NOT NULL
    ) STRICT
    """,
    # The last guard of "exactly once": a second placement by the same name is impossible.
    """
    CREATE UNIQUE INDEX one_placement ON intents (correlation_id, follower)
    WHERE kind = 'place'
    """,
    "CREATE INDEX intents_of_copy ON intents (leader_order_id, follower)",
    "CREATE INDEX intents_since ON intents (intended_at, follower, leader_order_id)",
    # `after` is the last intent that was recorded before the answer.
    """
    CREATE TABLE answers (
        intent_id INTEGER PRIMARY KEY REFERENCES intents (id),
        after INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        given_order_id TEXT,
        given_status TEXT,
        refusal TEXT,
        message TEXT NOT NULL,
        code TEXT NOT NULL,
        http_status INTEGER,
        committed_ns INTEGER NOT NULL,
        written_ns INTEGER,
        answered_ns INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE order_states (
        client_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role = 'leader' OR role = 'follower'),
        segment TEXT NOT NULL,
        security_id TEXT NOT NULL,
        side TEXT NOT NULL,
        product TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        order_type TEXT NOT NULL,
        price INTEGER NOT NULL,
        trigger_price INTEGER NOT NULL,
        validity TEXT NOT NULL,
        disclosed INTEGER NOT NULL,
        status TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        source INTEGER NOT NULL,
        filled INTEGER NOT NULL,
        traded_value INTEGER NOT NULL,
        correlation_id TEXT,
        symbol TEXT NOT NULL,
        reason TEXT NOT NULL,
        placed_at INTEGER,
        platform TEXT NOT NULL,
        after_market INTEGER NOT NULL,
        amo_time TEXT,
        leg INTEGER NOT NULL,
        parent_id TEXT,
        exact INTEGER NOT NULL,
        PRIMARY KEY (order_id, client_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX order_states_correlation ON order_states (correlation_id, client_id)",
    "CREATE INDEX leader_orders ON order_states (updated_at) WHERE role = 'leader'",
    """
    CREATE TABLE fills (
        client_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        cumulative INTEGER NOT NULL,
        quantity INTEGER NOT NULL,
        value INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (order_id, client_id, cumulative),
        FOREIGN KEY (order_id, client_id) REFERENCES order_states (order_id, client_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE copies (
        follower TEXT NOT NULL,
        leader_order_id TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        order_ids TEXT NOT NULL,
        correlation_ids TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        filled INTEGER NOT NULL,
        traded_value INTEGER NOT NULL,
        leader_filled INTEGER NOT NULL,
        leader_value INTEGER NOT NULL,
        slippage_paise INTEGER,
        slippage_bps REAL,
        dispatch_us INTEGER,
        in_step INTEGER NOT NULL,
        sizing TEXT NOT NULL,
        updated_at INTEGER,
        born INTEGER,
        skipped TEXT,
        detail TEXT NOT NULL,
        attempt INTEGER,
        stages TEXT NOT NULL DEFAULT '',
        missed_quantity INTEGER,
        missed_age INTEGER,
        missed_allowed INTEGER,
        missed_price INTEGER,
        missed_price_at INTEGER,
        PRIMARY KEY (leader_order_id, follower)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX copies_since ON copies (updated_at, follower)",
    """
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000000),
        level TEXT NOT NULL,
        what TEXT NOT NULL,
        place TEXT NOT NULL,
        fix TEXT NOT NULL
    ) STRICT
    """,
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)

# The operator's word on parked copies; of several that wait, the newest counts. `after` is the
# last intent that was recorded before the instruction changed the copy, NULL while it did not; the
# terms are those that the order it names had then.
_SECOND = (
    """
    CREATE TABLE instructions (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        leader_order_id TEXT NOT NULL,
        follower TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict = 'placed' OR verdict = 'absent'),
        order_id TEXT NOT NULL,
        closed_at INTEGER,
        outcome TEXT NOT NULL DEFAULT '',
        taken INTEGER NOT NULL DEFAULT 0,
        after INTEGER,
        quantity INTEGER,
        order_type TEXT,
        price INTEGER,
        trigger_price INTEGER,
        validity TEXT,
        disclosed INTEGER
    ) STRICT
    """,
)

# What is told to all followers alike has one body.
_THIRD = (
    "CREATE TABLE journal_bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",
    """
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        follower TEXT NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX journal_of ON journal (follower, at)",
    "CREATE INDEX journal_lives ON journal (follower, at) WHERE kind = 'Opened'",
)

# The operator's words on followers: `taken_at` is when the follower took it, `outcome` how far it
# came, `done_at` when nothing was left to do.
_HALTS = """
    CREATE TABLE halts (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        follower TEXT NOT NULL,
        word TEXT NOT NULL CHECK (word IN ('release', 'halt', 'flatten', 'kill')),
        asked_by TEXT NOT NULL,
        taken_at INTEGER,
        outcome TEXT NOT NULL DEFAULT '',
        done_at INTEGER
    ) STRICT
"""

# What the audit needs beside intents and answers: how long a request waited for a permit, and the
# reads, which are told together by the minute; `error` is why there was no answer.
_AUDIT = (
    "ALTER TABLE intents ADD COLUMN waited_us INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE reads (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        client_id TEXT NOT NULL,
        request TEXT NOT NULL,
        status INTEGER,
        error TEXT NOT NULL,
        times INTEGER NOT NULL,
        took_us INTEGER NOT NULL,
        longest_us INTEGER NOT NULL,
        waited_us INTEGER NOT NULL
    ) STRICT
    """,
)
