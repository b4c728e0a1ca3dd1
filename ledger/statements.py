"""The newest statement of each account, in a ledger that was the older program's database: its
users ask for funds and positions there (`ledger.legacy_views`)."""

from collections import defaultdict
from collections.abc import Iterable

from domain.instruments import InstrumentKey
from domain.statements import FundsSeen, PositionShown, PositionsSeen
from ledger.history import Rows
from ledger.instants import micros
from ledger.rows import Row

_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'legacy_adoption'"

UPSERT_FUNDS = """
INSERT OR REPLACE INTO legacy_funds_seen (client_id, at, available, collateral, used)
VALUES (?, ?, ?, ?, ?)
"""
# Before the positions that are there: what is not among them is gone.
CLOSE_POSITIONS = """
UPDATE legacy_positions_seen SET at = ?1, quantity = 0, average = 0, unrealised = 0
WHERE client_id = ?2
"""
UPSERT_POSITION = """
INSERT OR REPLACE INTO legacy_positions_seen
    (client_id, at, segment, security_id, product, quantity, average, realised, unrealised)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def inherited(ledger: Rows) -> bool:
    """Whether the ledger was the older program's database. Raises what `rows` raises."""
    return bool(ledger.rows(_THERE))


def funds_row(seen: FundsSeen) -> Row:
    """What `UPSERT_FUNDS` wants."""
    funds = seen.funds
    return (seen.client_id, micros(seen.at), funds.available, funds.collateral, funds.used)


def closed_row(seen: PositionsSeen) -> Row:
    """What `CLOSE_POSITIONS` wants."""
    return (micros(seen.at), seen.client_id)


def position_rows(statements: Iterable[PositionsSeen]) -> list[Row]:
    """What `UPSERT_POSITION` wants: as the older program has it, an instrument is one position,
    whatever the products. Of several the largest tells product and average."""
    rows: list[Row] = []
    for seen in statements:
        held: dict[InstrumentKey, list[PositionShown]] = defaultdict(list)
        for position in seen.positions:
            held[position.instrument].append(position)
        rows += [_row(seen, instrument, positions) for instrument, positions in held.items()]
    return rows


def _row(seen: PositionsSeen, instrument: InstrumentKey, positions: list[PositionShown]) -> Row:
    largest = max(positions, key=lambda one: abs(one.quantity))
    return (
        seen.client_id,
        micros(seen.at),
        instrument.segment.value,
        instrument.security_id,
        largest.product.value,
        sum(one.quantity for one in positions),
        largest.average,
        sum(one.realised for one in positions),
        sum(one.unrealised for one in positions),
    )
