"""Scenario 9.5: a stop at an awkward moment ends in time, with everything recorded; and a start
finds out what is not known before it does anything else."""

import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import DOUBLE, HALF, LEADER, RELIANCE, SAME, House
from tests.waiting import eventually

scenario = pytest.mark.scenario
ACCOUNTS = (LEADER, HALF.client_id, SAME.client_id, DOUBLE.client_id)
ORDERS = ("POST", "PUT", "DELETE")


def _ends(house: House, *kinds: signal.Signals) -> None:
    """The process ends with exit code 0 within ten seconds of the first signal, and leaves no
    other process behind."""
    assert house.process is not None
    children = _children(house.process.pid)
    asked = time.monotonic()
    for kind in kinds:
        house.process.send_signal(kind)
    assert house.process.wait(10) == 0, house.output()
    assert time.monotonic() - asked < 10
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def _children(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task")
    return [one for task in tasks.iterdir() for one in (task / "children").read_text().split()]


def _goes_on(house: House, *orders: str) -> None:
    """The next process has every order in every account once, and follows on."""
    house.control.clear_faults()
    house.start()
    fresh = house.places(RELIANCE, "BUY", 10, price=2410)
    for order in (*orders, fresh):
        house.all_wait(order, orderStatus="PENDING", timeout=30)
    assert house.stop() == 0


# During the start


def _says_live(house: House) -> bool:
    return "LIVE" in house.output()


def _listens_to_one(house: House) -> bool:
    return any(house.control.sockets(account) for account in ACCOUNTS)


@scenario("9.5")
@pytest.mark.parametrize("moment", [_says_live, _listens_to_one])
def test_a_stop_during_the_start(build: Build, moment: Callable[[House], bool]) -> None:
    house = build()
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.launch()
    eventually(lambda: moment(house), 30)
    _ends(house, signal.SIGTERM)
    _goes_on(house, order)


@scenario("9.5")
def test_a_stop_during_a_start_where_nobody_answers(build: Build) -> None:
    house = build()
    for account in ACCOUNTS:
        house.control.fault(account, "*", "hang", times=-1)
        house.control.silence(account)
    house.launch()
    eventually(lambda: len({one["client_id"] for one in house.control.requests()}) == 4, 30)
    _ends(house, signal.SIGINT)


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a host that takes a connection and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/master.csv"


@scenario("9.5")
def test_a_stop_while_the_instrument_master_does_not_come(build: Build, mute: str) -> None:
    house = build()
    text = house.config.read_text().replace(house.broker.master_url, mute)
    house.config.write_text(text)
    house.start()
    assert house.process is not None
    pid = house.process.pid
    eventually(lambda: _children(pid), 30, "the master is not loaded by a process of its own")
    _ends(house, signal.SIGTERM)


# While it runs


@scenario("9.5")
def test_a_stop_while_every_kind_of_call_hangs(build: Build) -> None:
    """Reads of the order books, and in one account a change, a cancel and a placement."""
    house = build(more="[recovery]\nsweep_seconds = 1").start()
    house.price(RELIANCE, 2500)
    changed = house.places(RELIANCE, "BUY", 10, price=2400)
    closed = house.places(RELIANCE, "BUY", 10, price=2401)
    for order in (changed, closed):
        house.all_wait(order, orderStatus="PENDING")
    for account in ACCOUNTS:
        house.control.fault(account, "read", "hang", times=-1)
    house.control.silence(SAME.client_id)
    # A book of the same second as the change would outweigh it, and no other one comes.
    placed_in = int(time.time())
    eventually(lambda: int(time.time()) > placed_in)
    for operation in ("modify", "cancel", "place"):
        house.control.fault(SAME.client_id, operation, "hang", times=-1, after=True)
    house.changes(changed, price=2395)
    house.cancels(closed)
    placed = house.places(RELIANCE, "BUY", 10, price=2402)
    for method, times in (("POST", 3), ("PUT", 1), ("DELETE", 1)):
        eventually(partial(_sent, house, method, times), 30)  # what hangs holds connections
    _ends(house, signal.SIGTERM)
    assert house.copy(placed, SAME)["state"] == "unknown"
    house.control.silence(SAME.client_id, on=False)
    _goes_on(house, changed, placed)
    house.all_wait(closed, orderStatus="CANCELLED")
    house.all_wait(changed, price=2395.0)


def _sent(house: House, method: str, times: int) -> bool:
    return all(house.requests(member, method) >= times for member in house.members)


@scenario("9.5")
def test_who_says_it_again_and_again_gets_the_same_stop(build: Build) -> None:
    house = build().start()
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "hang", times=1, after=True)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, HALF, orderStatus="PENDING")
    eventually(lambda: house.orders(order, SAME))
    _ends(house, signal.SIGTERM, signal.SIGINT, signal.SIGTERM)
    assert house.copy(order, SAME)["state"] in ("unknown", "placing", "open")
    _goes_on(house, order)


@scenario("9.5")
def test_a_stop_while_somebody_keeps_the_ledger_locked(build: Build) -> None:
    house = build().start()
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    ledger = house.folder / "copy_trading.db"
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        unsent = house.places(RELIANCE, "BUY", 10, price=2401)
        eventually(lambda: "cannot be written" in house.output())
        _ends(house, signal.SIGTERM)
        other.execute("ROLLBACK")
    assert house.orders(unsent, SAME) == []
    _goes_on(house, order, unsent)


# The next start


@scenario("7.7")
def test_a_start_reads_each_book_before_it_sends_anything(build: Build) -> None:
    """By the broker's log of requests: with an outcome that is not known, an account's first
    order request comes after the answer with its order book; and the lost order is not placed
    again."""
    house = build().start()
    house.price(RELIANCE, 2500)
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(resting, orderStatus="PENDING")
    for member in house.members:
        house.control.silence(member.client_id)
        house.control.fault(member.client_id, "read", "hang", times=-1)
        house.control.fault(member.client_id, "place", "hang", times=1, after=True)
    lost = house.places(RELIANCE, "BUY", 10, price=2401)
    for member in house.members:
        eventually(partial(house.orders, lost, member))
    house.kill()
    house.control.clear_faults()
    for member in house.members:
        house.control.silence(member.client_id, on=False)
        house.control.fault(member.client_id, "read", "delay", ms=700, times=1)
    fresh = house.places(RELIANCE, "BUY", 10, price=2402)
    house.changes(resting, price=2390)
    since = time.monotonic_ns()
    house.start()
    for order in (lost, fresh, resting):
        house.all_wait(order, orderStatus="PENDING")
    house.all_wait(resting, price=2390.0)
    for member in house.members:
        asked = house.control.requests(member.client_id, since=since)
        books = [one for one in asked if (one["method"], one["path"]) == ("GET", "/v2/orders")]
        orders = [one for one in asked if one["method"] in ORDERS]
        assert {one["method"] for one in orders} == {"POST", "PUT"}
        assert len([one for one in orders if one["method"] == "POST"]) == 1
        assert orders[0]["at"] - books[0]["at"] >= 700_000_000
    assert house.stop() == 0


@scenario("7.2")
def test_an_exit_is_not_taken_for_a_late_entry_before_the_fills_are_known(build: Build) -> None:
    """The entry fills and is left while Lockstep is down; the leader's book comes first."""
    house = build(members=(SAME,), more="[recovery]\nmax_age_seconds = 1").start()
    house.price(RELIANCE, 2500)
    entry = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(entry, orderStatus="PENDING")
    house.kill()
    house.price(RELIANCE, 2390)
    exits = house.places(RELIANCE, "SELL", 10, price=2380)
    born = time.monotonic()
    house.control.fault(SAME.client_id, "read", "delay", ms=1500, times=-1)
    eventually(lambda: time.monotonic() - born > 2)
    house.start()
    house.waits(exits, SAME, orderStatus="TRADED", filledQty=10, timeout=30)
    assert house.stop() == 0
