"""Who used the older program goes on with its database: what runs in both accounts is followed."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from desk.environment import VARIABLES
from ledger.reader import Reader
from tests.ledger import legacy
from tests.scenarios.conftest import Build
from tests.scenarios.house import HALF, LEADER, RELIANCE, SAME, SBIN, House
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

scenario = pytest.mark.scenario


def _inherited(build: Build) -> tuple[House, tuple[str, str], tuple[str, str]]:
    """A house on the older program's database, in which two orders of the leader and their copies
    rest; and the ids of each pair; it placed them a minute ago."""
    house = build(members=(HALF, SAME))
    house.price(RELIANCE, 2500)
    path = legacy.make(house.folder / house.ledger, orders=10)
    return house, _pair(house, path), _pair(house, path)


def _pair(house: House, path: Path) -> tuple[str, str]:
    leader = house.places(RELIANCE, "BUY", 10, price=2400)
    follower = _by_hand(house, RELIANCE, 5, 2400)
    at = int(time.time()) - 60
    legacy.pair(path, leader, follower, created_at=at, updated_at=at)
    return leader, follower


def _by_hand(house: House, key: tuple[str, str], quantity: int, price: float) -> str:
    """A BUY in the follower's account that has no name of Lockstep's."""
    segment, security_id = key
    return house.control.place(
        HALF.client_id,
        segment=segment,
        security_id=security_id,
        side="BUY",
        quantity=quantity,
        price=price,
    )


def _status(house: House, order_id: str) -> str:
    rows = house.control.book(HALF.client_id)
    return next(str(row["orderStatus"]) for row in rows if row["orderId"] == order_id)


@scenario("3.1")
@scenario("3.4")
def test_cancels_reach_the_copies_that_the_older_program_placed(build: Build) -> None:
    """One while it runs, and one from before it started. What comes next is copied as ever, and
    the old queries tell all of it."""
    house, (leader, follower), (gone, left) = _inherited(build)
    house.cancels(gone)
    house.price(SBIN, 800)
    _by_hand(house, SBIN, 3, 810)
    house.start()
    eventually(lambda: _status(house, left) == "CANCELLED", 20)
    assert _status(house, follower) == "PENDING"
    house.cancels(leader)
    eventually(lambda: _status(house, follower) == "CANCELLED")
    copy = house.comes_to(leader, HALF, "cancelled")
    assert copy["order_ids"] == [follower]
    assert house.requests(HALF, "POST") == 0
    fresh = house.places(RELIANCE, "BUY", 20, price=2410)
    house.waits(fresh, HALF, orderStatus="PENDING", quantity=10)
    house.comes_to(fresh, HALF, "open")
    assert len(house.ask("copies", "--follower", HALF.name)) == 13
    eventually(lambda: _asked(house, "SELECT * FROM legacy_positions_seen"))
    assert house.stop() == 0
    assert house.ask("replay", "today")["same"] is True
    assert house.ask("drift") == []
    _the_statements_are_of_now(house)
    _the_old_queries_tell(house, leader, follower, fresh)


def test_the_environment_and_the_database_are_enough(build: Build) -> None:
    """No lockstep.toml: the variables, of which the file has the tokens, and the database."""
    house = build(members=(HALF,))
    house.config.unlink()
    legacy.make(house.folder / "old.db", version=2)
    tokens = {"LEADER": house.broker.token(LEADER), "FOLLOWER": house.broker.token(HALF.client_id)}
    lines = [f"{name}_ACCESS_TOKEN={token}" for name, token in tokens.items()]
    (house.folder / ".env").write_text("\n".join(lines))
    said = dict.fromkeys(VARIABLES, "") | {
        "LEADER_CLIENT_ID": LEADER,
        "FOLLOWER_CLIENT_ID": HALF.client_id,
        "DHAN_API_BASE_URL": house.broker.api_url,
        "DHAN_WS_URL": house.broker.feed_url,
        "SQLITE_PATH": "./old.db",
        "SIZING_STRATEGY": "fixed_ratio",
        "COPY_RATIO": "0.5",
    }
    out = house.folder / "out.txt"
    house.process = nursery().bear([], said, out, cwd=house.folder)
    house.listens()
    assert house.stop() == 0
    assert "There is no lockstep.toml" in house.output()
    assert "LIVE: orders are sent for the accounts of the environment variables" in house.output()
    assert not any(token in house.output() for token in tokens.values())
    with Reader.open(house.folder / "old.db") as reader:
        assert len(reader.copies("follower")) == 40
    assert not house.config.exists()


def _the_old_queries_tell(house: House, leader: str, follower: str, fresh: str) -> None:
    with closing(sqlite3.connect(house.folder / house.ledger)) as connection:
        connection.row_factory = sqlite3.Row
        newest, active, orders, placed = (
            connection.execute(legacy.QUERIES[number]).fetchall() for number in (0, 4, 1, 5)
        )
        all_of_fresh = connection.execute(
            "SELECT follower, follower_quantity FROM all_copy_mappings WHERE leader_order_id = ? "
            "ORDER BY follower",
            [fresh],
        ).fetchall()
        cancels = connection.execute(
            "SELECT count(*) FROM audit_log WHERE action = 'cancel_order'"
        ).fetchone()[0]
    mapped = {row["leader_order_id"]: row for row in newest}
    assert newest[0]["leader_order_id"] == fresh
    assert (mapped[fresh]["status"], mapped[fresh]["follower_quantity"]) == ("placed", 10)
    assert mapped[leader]["status"] == "cancelled"
    assert fresh in {row["id"] for row in active}
    assert not {leader, follower} & {row["id"] for row in active}
    statuses = {row["id"]: (row["account_type"], row["status"]) for row in orders}
    assert statuses[follower] == ("follower", "CANCELLED")
    assert statuses[fresh] == ("leader", "PENDING")
    assert len(statuses) == 6
    assert len(placed) == 11
    assert cancels == 2
    assert [tuple(row) for row in all_of_fresh] == [("half", 10), ("same", 20)]


def _the_statements_are_of_now(house: House) -> None:
    funds = _asked(house, legacy.QUERIES[2])
    assert {row["account_type"]: row["available_balance"] for row in funds} == {
        "leader": pytest.approx(100_000_000, abs=30_000),
        "follower": pytest.approx(100_000_000, abs=30_000),
    }
    assert all(row["snapshot_ts"] > legacy.START for row in funds)
    held = {(row["account_type"], row["security_id"]): row for row in _asked(house, _POSITIONS)}
    assert held["follower", "3045"]["quantity"] == 3
    assert held["follower", "3045"]["avg_price"] == pytest.approx(800, abs=10)
    assert held["follower", "3045"]["snapshot_ts"] > legacy.START
    assert held["leader", "40001"]["snapshot_ts"] == legacy.START
    assert len(_asked(house, "SELECT * FROM all_funds WHERE snapshot_ts > 1770000000")) == 3


_POSITIONS = legacy.QUERIES[3]


def _asked(house: House, query: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(house.folder / house.ledger)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()
