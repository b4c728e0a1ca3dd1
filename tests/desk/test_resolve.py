"""`copies resolve` as its user runs it: what nobody could find out, settled by a word."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desk.commands.resolve import run as settle
from desk.config import load
from desk.usage import Misused, parser
from domain.copies import CopyState
from domain.correlation import correlation_id
from domain.messages import CopyReport
from ledger.ledger import Ledger
from ledger.reader import Reader
from tests.desk.files import run, written
from tests.ledger.makers import changed
from tests.ledger.words import parked as a_parked_copy
from tests.scenarios.house import HALF, RELIANCE, ROOT, SAME, House
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

MORE = (
    "[recovery]\nsweep_seconds = 0.5\nmax_age_seconds = 900\nsettle_seconds = 1\npark_seconds = 1"
)


def built(folder: Path) -> House:
    """Two followers and an engine that soon gives up."""
    house = House(folder, members=(HALF, SAME), more=MORE).start()
    house.price(RELIANCE, 2500)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that is left running, and has no parked copy between two tests."""
    with closing(built(tmp_path_factory.mktemp("house"))) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """One that a test may end."""
    with closing(built(tmp_path)) as running:
        yield running


def copy(house: House, order: str) -> CopyReport:
    """Same's copy, as the ledger has it."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        (report,) = reader.copies(SAME.name, order)
    return report


def state(house: House, order: str) -> CopyState | None:
    with Reader.open(house.folder / "copy_trading.db") as reader:
        return next((one.state for one in reader.copies(SAME.name, order)), None)


def parks(house: House, acted: bool = False) -> str:
    """A leader order whose copy in Same's account is parked: the request was cut off, and neither
    socket nor order book tell of that account. `acted` is whether its order is there."""
    house.control.fault(SAME.client_id, "place", "reset", after=acted)
    house.control.fault(SAME.client_id, "feed", "drop", times=-1)
    house.control.fault(SAME.client_id, "read", "status", times=-1, status=503)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    eventually(lambda: state(house, order) is CopyState.PARKED, 20, "it is not parked")
    return order


def parked(house: House) -> str:
    """The same, with an account that can be looked at again, and has no such order."""
    order = parks(house)
    house.control.clear_faults()
    return order


def by_hand(house: House, side: str = "BUY", quantity: int = 10, price: float = 2400) -> str:
    """The account's owner places an order in the app; its id."""
    segment, security_id = RELIANCE
    return house.control.place(
        SAME.client_id,
        segment=segment,
        security_id=security_id,
        side=side,
        quantity=quantity,
        price=price,
    )


def row(house: House, order_id: str) -> dict[str, Any]:
    rows = house.control.book(SAME.client_id)
    return next(one for one in rows if one["orderId"] == order_id)


def asked(house: House, *words: str) -> list[str]:
    return [sys.executable, "run.py", "copies", "resolve", *words, "--config", str(house.config)]


def resolve(house: House, *words: str) -> "subprocess.CompletedProcess[str]":
    """`python run.py copies resolve`."""
    return nursery().obeyed(asked(house, *words)[2:])


def settled(house: House, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document."""
    done = resolve(house, *words, "--json")
    return done.returncode, json.loads(done.stdout)


def words(house: House, order: str) -> Iterator[str]:
    """The remedies that the alerts about a leader order name."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        for one in reader.alerts(20):
            if order in one.alert.what and one.alert.where == SAME.name:
                yield one.alert.fix


def test_the_operator_is_told_how_to_settle_it_and_what_is_absent_is_placed_again(
    house: House,
) -> None:
    order = parked(house)
    command = f"python run.py copies resolve {order} {SAME.name} placed --order-id ID (or: absent)"
    eventually(lambda: any(command in fix for fix in words(house, order)), why="no alert names it")
    house.waits(order, HALF, orderStatus="PENDING")
    code, told = settled(house, order, SAME.name, "absent")
    assert code == 0
    assert told.pop("instruction")
    assert told.pop("at").endswith("+05:30")
    assert told == {
        "leader_order_id": order,
        "follower": SAME.name,
        "verdict": "absent",
        "order_id": None,
        "taken": True,
        "outcome": "taken",
    }
    again = house.waits(order, SAME, orderStatus="PENDING")
    assert again["correlationId"] == correlation_id(order, 0, 1)


def test_an_order_that_cannot_be_it_is_refused_and_another_word_may_follow(house: House) -> None:
    order = parked(house)
    code, told = settled(house, order, SAME.name, "placed", "--order-id", "77")
    assert (code, told["taken"]) == (1, False)
    assert told["outcome"] == "refused: the account's order book does not show order 77"
    other = by_hand(house, side="SELL", price=2600)
    done = resolve(house, order, SAME.name, "placed", "--order-id", other)
    assert done.returncode == 1
    assert f"refused: order {other} is SELL NSE_EQ 2885 INTRADAY, BUY NSE_EQ" in done.stderr
    assert state(house, order) is CopyState.PARKED
    assert row(house, other)["orderStatus"] == "PENDING"
    assert resolve(house, order, SAME.name, "absent").returncode == 0
    house.waits(order, SAME, orderStatus="PENDING")


@pytest.mark.parametrize(
    ("absent", "code", "outcome"),
    [
        (True, 1, "refused: the copy is open by now, only a parked one can be settled"),
        (False, 0, "it is known to be so already"),
    ],
)
def test_nothing_is_believed_before_the_order_book_was_read_once_more(
    house: House, absent: bool, code: int, outcome: str
) -> None:
    """A wrong word does not place again what is there, a right one is no error."""
    order = parks(house, acted=True)
    mine = str(house.only(order, SAME)["orderId"])
    said = ["absent"] if absent else ["placed", "--order-id", mine]
    with subprocess.Popen(
        asked(house, order, SAME.name, *said, "--json"), cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        eventually(lambda: taken_in(house, order), 20, "it is not taken in")
        assert state(house, order) is CopyState.PARKED
        house.control.clear_faults()
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out)["outcome"]) == (code, outcome)
    assert house.only(order, SAME)["orderStatus"] == "PENDING"
    eventually(lambda: copy(house, order).order_ids == (mine,))


def taken_in(house: House, order: str) -> bool:
    """Whether the engine has the operator's word on the copy."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        return bool(reader.rows("SELECT 1 FROM instructions WHERE leader_order_id = ?", order))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1001", "ash", "absent"], "no follower has that name; did you mean asha"),
        (["1001", "ravi", "absent"], "ravi has no copy of order 1001; parked, .*: 1001 asha"),
        (["7", "asha", "absent"], "asha has no copy of order 7; parked, .*: 1001 asha"),
        (["1001", "asha", "placed"], "placed needs --order-id"),
        (["1001", "asha", "placed", "--order-id", "a b"], "placed needs --order-id"),
        (["1001", "asha", "absent", "--order-id", "7"], "--order-id goes with placed only"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(tmp_path: Path, words: list[str], said: str) -> None:
    config = load(written(tmp_path))
    with Ledger.open(config.engine.ledger) as ledger:
        a_parked_copy(ledger)
    wanted = parser().parse_args(["copies", "resolve", *words])
    with pytest.raises(Misused, match=said):
        settle(config, wanted)


def test_where_nothing_is_parked_nothing_can_be_settled(tmp_path: Path) -> None:
    path = written(tmp_path)
    with Ledger.open(tmp_path / "copy_trading.db") as ledger:
        ledger.commit([changed()])
    done = run("copies", "resolve", "1001", "asha", "absent", "--config", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "the copy of order 1001 is open; no copy is parked" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_order_that_is_named_is_the_copy_from_then_on(own: House) -> None:
    order = parked(own)
    mine = by_hand(own, quantity=4, price=2380)
    done = resolve(own, order, SAME.name, "placed", "--order-id", mine)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Recorded, and taken" in done.stderr
    eventually(lambda: (row(own, mine)["quantity"], row(own, mine)["price"]) == (10, 2400.0))
    own.changes(order, price=2395)
    eventually(lambda: row(own, mine)["price"] == 2395.0, why="it is not steered on")
    own.kill()
    own.cancels(order)
    own.start()
    eventually(lambda: row(own, mine)["orderStatus"] == "CANCELLED", why="a restart forgets it")
    assert own.orders(order, SAME) == [], "nothing else was placed"
    eventually(lambda: state(own, order) is CopyState.CANCELLED)
    assert copy(own, order).order_ids == (mine,)


def test_while_stopped_it_waits_for_the_next_start_and_the_last_word_counts(own: House) -> None:
    order, other = parked(own), parked(own)
    assert own.stop() == 0
    done = resolve(own, order, SAME.name, "placed", "--order-id", "77")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No engine runs: it is taken at the next start" in done.stderr
    code, told = settled(own, order, SAME.name, "absent")
    assert (code, told["taken"], told["outcome"]) == (0, None, "waiting")
    done = resolve(own, "7", SAME.name, "absent")
    assert f"parked, so that it can be settled: {order} same, {other} same" in done.stderr
    assert own.orders(order, SAME) == []
    own.start()
    own.waits(order, SAME, orderStatus="PENDING")
    own.kill()
    own.start()
    order_id = own.only(order, SAME)["orderId"]
    eventually(lambda: state(own, order) is CopyState.OPEN)
    kept = copy(own, order)
    assert kept.order_ids == (order_id,)
    assert kept.correlation_ids == tuple(correlation_id(order, 0, number) for number in range(2))
    assert state(own, other) is CopyState.PARKED
