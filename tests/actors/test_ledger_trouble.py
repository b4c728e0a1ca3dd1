"""What the operator sees on the board when the ledger fails, and when it is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.messages import Level
from ledger.opening import LedgerUnusable
from tests.actors.shop import ONE, TWO, Shop
from tests.waiting import eventually

scenario = pytest.mark.scenario


def _alerts(shop: Shop, words: str) -> list[str]:
    alerts = shop.engine.view().alerts
    return [f"{a.level}: {a.where}: {a.what}; {a.fix}" for a in alerts if words in a.what]


@scenario("7.8")
@scenario("8.10")
def test_a_locked_ledger_is_told_on_the_board_until_it_works_again(shop: Shop) -> None:
    path = _path(shop)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        order = shop.buys(2400)
        eventually(lambda: _alerts(shop, "nothing is sent meanwhile"), why="nobody is told")
        (told,) = _alerts(shop, "nothing is sent meanwhile")
        assert told.startswith(f"{Level.ERROR}: {path}: ")
        assert "end the program that has locked it; copying resumes by itself" in told
        assert shop.orders(order, ONE) == shop.orders(order, TWO) == []
        other.execute("ROLLBACK")
    for account in (ONE, TWO):
        shop.waits(order, account, orderStatus="PENDING")
    assert len(_alerts(shop, "can be written again")) == 1
    assert not shop.engine.ended.is_set()


@scenario("8.10")
def test_a_lost_ledger_is_told_on_the_board_and_ends_the_engine(shop: Shop) -> None:
    path = _path(shop)
    shop.waits(shop.buys(2401), ONE, orderStatus="PENDING")
    path.rename(path.with_name("aside.db"))
    order = shop.buys(2400)
    assert shop.engine.ended.wait(10)
    assert isinstance(shop.engine.unusable, LedgerUnusable)
    assert shop.engine.fatal == ""
    (told,) = _alerts(shop, "nothing is sent")
    assert told.startswith(f"{Level.ERROR}: {path}: ")
    assert "put it back" in told
    assert shop.orders(order, ONE) == shop.orders(order, TWO) == []


@scenario("8.10")
@pytest.mark.parametrize("column", ["sizing", "side"])
def test_rows_that_nobody_can_have_written_end_the_engine_at_a_restart(
    shop: Shop, column: str
) -> None:
    """SQLite keeps no checksums: rubbish may look like a row."""
    order = shop.buys(2400)
    for account in (ONE, TWO):
        shop.waits(order, account, orderStatus="PENDING")
    with closing(sqlite3.connect(_path(shop), isolation_level=None)) as other:
        other.execute(f"UPDATE intents SET {column} = 'rubbish'")
    shop.crash("follower:one")
    assert shop.engine.ended.wait(10)
    assert "copies of one" in str(shop.engine.unusable)
    assert "it is damaged" in str(shop.engine.unusable)


def _path(shop: Shop) -> Path:
    return shop.folder / "shop.db"
