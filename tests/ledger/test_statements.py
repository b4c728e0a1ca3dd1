"""The older program's queries for funds and positions tell the newest statement of each account."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.instruments import InstrumentKey, Segment
from domain.orders import Product
from domain.statements import FundsSeen, FundsShown, PositionShown, PositionsSeen
from ledger.adopting import take_over
from ledger.ledger import Ledger
from ledger.statements import inherited
from tests.ledger import legacy
from tests.ledger.adopter import HEIR

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OTHER = "1000000003"


def _position(security_id: str, quantity: int, product: Product = Product.MARGIN) -> PositionShown:
    key = InstrumentKey(Segment.NSE_FNO, security_id)
    return PositionShown(key, product, quantity, 10_150, 100, -50)


def _asked(path: Path, query: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def _statements(path: Path, *seen: FundsSeen | PositionsSeen) -> None:
    with Ledger.open(path) as ledger:
        assert inherited(ledger)
        ledger.commit(seen)


def test_the_newest_funds_count(path: Path) -> None:
    take_over(legacy.make(path), HEIR, NOW)
    for number, client_id in enumerate((HEIR.account, OTHER, HEIR.account)):
        funds = FundsShown(50_000_050 + number, 1_000, 2_000)
        _statements(path, FundsSeen(client_id, NOW + timedelta(seconds=number), funds))
    rows = {row["account_type"]: row for row in _asked(path, "SELECT * FROM v_latest_funds")}
    assert rows["leader"]["snapshot_ts"] == legacy.START
    mine = rows["follower"]
    assert mine["snapshot_ts"] == int(NOW.timestamp()) + 2
    amounts = (mine["available_balance"], mine["collateral"], mine["margin_used"])
    assert amounts == (500_000.52, 10.0, 20.0)
    others = _asked(path, f"SELECT * FROM all_funds WHERE client_id = '{OTHER}'")
    assert [row["available_balance"] for row in others] == [500_000.51]


def test_a_position_that_is_gone_has_nothing_in_it(path: Path) -> None:
    take_over(legacy.make(path), HEIR, NOW)
    first = (_position("40001", 150), _position("40002", 75), _position("40002", -25, Product.CNC))
    later = NOW + timedelta(minutes=1)
    _statements(path, PositionsSeen(HEIR.account, NOW, first))
    held = _latest(path)
    assert held["40001"]["quantity"] == 150
    assert (held["40001"]["exchange_segment"], held["40001"]["product"]) == ("NSE_FO", "NRML")
    assert (held["40001"]["avg_price"], held["40001"]["unrealized_pl"]) == (101.5, -0.5)
    assert (held["40002"]["quantity"], held["40002"]["realized_pl"]) == (50, 2.0)
    _statements(path, PositionsSeen(HEIR.account, later, (_position("40002", 75),)))
    held = _latest(path)
    assert {name: row["quantity"] for name, row in held.items()} == {"40001": 0, "40002": 75}
    assert {row["snapshot_ts"] for row in held.values()} == {int(later.timestamp())}


def _latest(path: Path) -> dict[str, dict[str, Any]]:
    rows = _asked(path, "SELECT * FROM v_latest_positions WHERE account_type = 'follower'")
    return {row["security_id"]: row for row in rows}


def test_no_other_ledger_is_one_of_the_older_program(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert not inherited(ledger)
