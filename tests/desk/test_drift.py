"""`drift` as its user runs it, beside a running engine and without one."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dhan.addresses import AccountAddress
from dhan.requests import Requests
from dhan.wire import Wire
from domain.correlation import correlation_id
from domain.instruments import InstrumentKey, Segment
from domain.orders import OrderType, Product, Side, Terms
from domain.tickets import Ticket
from tests.scenarios.house import HALF, NIFTY_CALL, RELIANCE, SAME, House, Member
from tests.scenarios.nursery import nursery
from tests.waiting import eventually


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two followers, an engine, and an order that both have filled."""
    with closing(House(tmp_path, members=(HALF, SAME))) as built:
        built.start()
        built.price(RELIANCE, 2500)
        order = built.places(RELIANCE, "BUY", 10, price=2510)
        built.all_wait(order, orderStatus="TRADED")
        yield built


def drift(house: House, *words: str) -> "subprocess.CompletedProcess[str]":
    """`python run.py drift`."""
    return nursery().obeyed(["drift", *words, "--config", str(house.config)])


def found(house: House, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the list."""
    done = drift(house, "--json", *words)
    return done.returncode, json.loads(done.stdout)


def by_hand(house: House, member: Member, side: str, quantity: int, price: float = 0) -> str:
    """The owner of an account trades RELIANCE in the app."""
    return house.control.place(
        member.client_id,
        segment=RELIANCE[0],
        security_id=RELIANCE[1],
        side=side,
        quantity=quantity,
        order_type="LIMIT" if price else "MARKET",
        price=price,
    )


def strays(house: House, member: Member) -> str:
    """An order under a name of ours that the ledger knows nothing of; its id."""
    account = member.client_id
    address = AccountAddress(account, house.broker.api_url, lambda: house.broker.token(account))
    ticket = Ticket(
        correlation_id("102261125999999", 0, 0),
        InstrumentKey(Segment(RELIANCE[0]), RELIANCE[1]),
        Side.BUY,
        Product.INTRADAY,
        Terms(3, OrderType.LIMIT, 240_000),
    )
    wire = Wire()
    wire.start()
    answer = wire.call(wire.open(address), Requests(account).place(ticket), 5.0)
    wire.stop(1.0)
    order_id = str(json.loads(answer.body)["orderId"])
    eventually(lambda: status(house, member, order_id) == "PENDING")
    return order_id


def status(house: House, member: Member, order_id: str) -> str:
    rows = house.control.book(member.client_id)
    return next(str(row["orderStatus"]) for row in rows if row["orderId"] == order_id)


def test_own_trades_are_left_alone(house: House) -> None:
    by_hand(house, HALF, "BUY", 30)
    by_hand(house, SAME, "SELL", 10)
    resting = by_hand(house, SAME, "BUY", 4, price=2300)
    assert found(house) == (0, [])
    done = drift(house, "--repair")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No drift: 2 accounts" in done.stderr
    assert status(house, SAME, resting) == "PENDING"


def test_differences_are_listed_with_what_would_mend_them(house: House) -> None:
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    mine = str(house.only(order, SAME)["orderId"])
    house.control.cancel(SAME.client_id, mine)
    stray = strays(house, HALF)
    code, listed = found(house)
    assert code == 1
    assert [(one["follower"], one["kind"]) for one in listed] == [
        ("half", "orphan"),
        ("same", "order"),
    ]
    orphan, cancelled = listed
    assert orphan["repair"]["what"] == f"cancel order {stray}"
    assert cancelled["leader_order_ids"] == [order]
    again = cancelled["repair"]
    assert (again["action"], again["side"], again["quantity"]) == ("entry", "BUY", 10)
    assert found(house, "--follower", "half") == (1, [orphan])
    assert [len(house.orders(order, member)) for member in house.members] == [1, 1]

    done = drift(house, "--repair")
    assert done.returncode == 1
    assert "cancel order" in done.stdout
    assert "Nothing is sent" in done.stderr
    assert status(house, HALF, stray) == "PENDING"
    house.control.cancel(HALF.client_id, stray)
    assert found(house, "--follower", "half") == (0, [])


def test_without_an_engine_the_ledgers_copies_count(house: House) -> None:
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    assert house.stop() == 0
    house.cancels(order)
    house.price(RELIANCE, 2395)
    house.all_wait(order, orderStatus="TRADED")
    done = drift(house, "--json", "--follower", "same")
    (excess,) = json.loads(done.stdout)
    assert "No engine is running" in done.stderr
    assert (excess["kind"], excess["leader_order_ids"]) == ("position", [order])
    assert (excess["position"], excess["implied"], excess["own"]) == (20, 10, 0)
    assert excess["repair"]["what"].startswith("exit: SELL 10 ")
    by_hand(house, SAME, "SELL", 10)
    assert found(house, "--follower", "same") == (0, [])


def test_an_account_that_cannot_be_read_is_no_account_without_drift(house: House) -> None:
    house.control.expire_token(SAME.client_id)
    code, (unread,) = found(house)
    assert (code, unread["follower"], unread["kind"]) == (1, "same", "unread")
    assert house.broker.token(SAME.client_id) not in json.dumps(unread)


def test_a_name_that_nobody_has_is_wrong_usage(house: House) -> None:
    done = drift(house, "--follower", "sam", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean same?" in done.stderr


def test_without_a_ledger_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with closing(House(tmp_path, members=(SAME,))) as quiet:
        assert drift(quiet, "--json").returncode == 3


def test_contracts_are_compared_by_the_lots_of_the_master_in_place(house: House) -> None:
    eventually(lambda: "In place: the instrument master" in house.output(), 20)
    order = house.places(NIFTY_CALL, "BUY", 130, price=100)
    house.all_wait(order, orderStatus="PENDING")
    house.control.cancel(SAME.client_id, str(house.only(order, SAME)["orderId"]))
    code, listed = found(house, "--follower", "same")
    assert code == 1
    assert [(one["kind"], one["repair"]["quantity"]) for one in listed] == [("order", 130)]
    assert house.stop() == 0
    (house.folder / f"{house.ledger}.instruments").unlink()
    done = drift(house, "--follower", "same")
    assert done.returncode == 0
    assert "no instrument master (none was loaded yet)" in done.stderr
