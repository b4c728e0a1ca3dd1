"""Scenarios 5.4 and 8.6: what the instrument master does not have, with the real process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dhan.master import read
from domain.instruments import InstrumentKey, Segment
from ledger.instruments import MasterFile
from tests.actors.masters import CALL, SBIN, children_of, gone, listed, written
from tests.dhan.broker import Broker
from tests.scenarios.conftest import Build
from tests.scenarios.house import NIFTY_CALL, RELIANCE, SAME, House
from tests.scenarios.house import SBIN as SHARE
from tests.waiting import eventually

scenario = pytest.mark.scenario
PUT = InstrumentKey(Segment.NSE_FNO, "40002")
NIFTY_PUT = ("NSE_FNO", "40002")


def kept(house: House) -> MasterFile:
    return MasterFile.beside(house.folder / house.ledger, house.master)


def seeded(house: House, *without: InstrumentKey, ago: timedelta = timedelta(0)) -> datetime:
    """Have an edition in place that was loaded a while ago; when."""
    rows = read(written(house.folder / "seed.csv", listed(*without)), 1.0)
    return kept(house).write(rows, datetime.now(UTC) - ago).loaded_at


def refused(house: House, order: str) -> bool:
    """Whether every follower says that the order's instrument is unknown."""
    said = [line for line in house.output().splitlines() if "skipped: unknown instrument: " in line]
    return all(any(f"[{order} {one.name} " in line for line in said) for one in house.members)


@scenario("5.4")
@scenario("8.6")
def test_an_unknown_instrument_is_looked_for_once_and_refused_without_a_request(
    build: Build, tmp_path: Path
) -> None:
    house = build(master=written(tmp_path / "master.csv", listed(SBIN, CALL)))
    before = seeded(house, SBIN, CALL)
    house.start()
    share = house.places(SHARE, "BUY", 10, price=780)
    eventually(lambda: refused(house, share), 30)
    after = kept(house).edition().loaded_at
    assert after > before
    option = house.places(NIFTY_CALL, "BUY", 130, price=100)
    eventually(lambda: refused(house, option), 30)
    assert kept(house).edition().loaded_at == after  # it was had again a moment ago
    known = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(known, orderStatus="PENDING")
    house.changes(share, price=781)
    house.cancels(option)
    house.changes(known, price=2401)
    house.all_wait(known, price=2401.0)
    for member in house.members:
        assert house.orders(share, member) + house.orders(option, member) == []
        assert house.requests(member, "POST") == 1  # that for what is known
    copy = house.copy(share, SAME)
    assert copy["reason"] == "unknown instrument: NSE_EQ 3045 is not in the instrument master"
    assert copy["in_step"]
    assert "NSE_EQ 3045 is not in the instrument master" in house.output()
    assert house.stop() == 0
    again = house.ask("replay", "today")
    assert [one["differences"] for one in again["followers"]] == [[]] * len(house.members)


@scenario("8.6")
def test_what_is_listed_meanwhile_is_found_and_copied(build: Build, tmp_path: Path) -> None:
    house = build(master=written(tmp_path / "master.csv", listed()))
    before = seeded(house, CALL)
    house.start()
    assert kept(house).edition().loaded_at == before
    order = house.places(NIFTY_CALL, "BUY", 130, price=100)
    house.waits(order, SAME, orderStatus="PENDING", quantity=130, timeout=30)
    assert kept(house).edition().loaded_at > before


@scenario("8.6")
def test_without_any_master_events_and_defaults_serve(build: Build, tmp_path: Path) -> None:
    house = build(master=str(tmp_path / "nowhere.csv"))
    house.start()
    eventually(lambda: "The instrument master could not be loaded" in house.output())
    assert "order events tell lots and ticks" in house.output()
    option = house.places(NIFTY_PUT, "BUY", 130, price=90)
    share = house.places(SHARE, "BUY", 10, price=780)
    house.waits(option, SAME, orderStatus="PENDING", quantity=130)
    house.waits(share, SAME, orderStatus="PENDING", quantity=10)


@scenario("8.6")
def test_yesterdays_master_serves_where_todays_cannot_be_had(build: Build, tmp_path: Path) -> None:
    """What it has is believed; what it does not have may be new today, and is not refused."""
    house = build(master=str(tmp_path / "nowhere.csv"))
    seeded(house, PUT, ago=timedelta(days=1, hours=1))
    house.start()
    eventually(lambda: "The instrument master could not be loaded" in house.output())
    assert "today's is being loaded" in house.output()
    assert house.ask("instruments")["stale"] is True
    known = house.places(NIFTY_CALL, "BUY", 130, price=100)
    new = house.places(NIFTY_PUT, "BUY", 130, price=90)
    house.waits(known, SAME, orderStatus="PENDING", quantity=130)
    house.waits(new, SAME, orderStatus="PENDING", quantity=130)


@pytest.mark.parametrize("kill", [False, True])
def test_a_process_that_loads_does_not_outlive_the_engine(
    build: Build, kill: bool, tmp_path: Path
) -> None:
    with Broker(lambda asked: None) as silent:
        house = build(master=f"http://127.0.0.1:{silent.port}/master.csv")
        house.start()
        assert house.process is not None
        eventually(lambda: silent.asked, 30)
        pids = children_of(house.process.pid)
        assert len(pids) == 1
        if kill:
            house.kill()
        else:
            assert house.stop() == 0
        eventually(lambda: all(gone(pid) for pid in pids))


@scenario("8.6")
def test_a_master_that_is_had_again_by_hand_reaches_the_engine(
    build: Build, tmp_path: Path
) -> None:
    house = build(master=written(tmp_path / "master.csv", listed(CALL)))
    seeded(house, CALL)
    house.start()
    refused_once = house.places(NIFTY_CALL, "BUY", 130, price=100)
    eventually(lambda: refused(house, refused_once), 30)
    written(tmp_path / "master.csv", listed())
    before = kept(house).edition().loaded_at.isoformat()
    shown = house.ask("instruments", "--refresh", "40001")
    assert [row["symbol"] for row in shown["found"]] == ["NIFTY-25000-CE"]
    assert shown["loaded_at"] > before

    def copied() -> bool:
        order = house.places(NIFTY_CALL, "BUY", 65, price=100)
        eventually(lambda: house.orders(order, SAME) or refused(house, order))
        return bool(house.orders(order, SAME))

    eventually(copied, 60, "the engine goes on with the edition before")
