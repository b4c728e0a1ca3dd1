"""`explain` as its user runs it, of a real day: beside the engine and without one."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.scenarios.house import HALF, HDFCBANK, RELIANCE, House, Member
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

CAREFUL = Member("careful", "1000000003", more=["limits = { quantity = 5 }"])


@dataclass
class Day:
    house: House
    bought: str
    sold: str
    resting: str


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Bought at the market, sold again, and one order that was changed and rests."""
    with closing(House(tmp_path_factory.mktemp("house"), members=(HALF, CAREFUL))) as house:
        house.price(RELIANCE, 2500)
        house.start()
        bought = house.places(RELIANCE, "BUY", 11, order_type="MARKET")
        house.waits(bought, HALF, orderStatus="TRADED")
        sold = house.places(RELIANCE, "SELL", 11, order_type="MARKET")
        house.waits(sold, HALF, orderStatus="TRADED")
        resting = house.places(HDFCBANK, "BUY", 20, price=1600)
        house.waits(resting, HALF, orderStatus="PENDING")
        house.changes(resting, price=1610)
        house.waits(resting, HALF, price=1610.0)
        eventually(lambda: house.copy(resting, HALF)["in_step"])
        yield Day(house, bought, sold, resting)


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str


def explain(day: Day, *words: str) -> Done:
    """`python run.py explain`."""
    with TemporaryDirectory() as folder:
        out, trouble = Path(folder, "out"), Path(folder, "trouble")
        arguments = ["explain", *words, "--config", str(day.house.config)]
        code = nursery().bear(arguments, {}, out, trouble).wait(30)
        return Done(code, out.read_text(), trouble.read_text())


def told(day: Day, order: str, name: str) -> Any:
    """The one document of a copy."""
    (found,) = json.loads(explain(day, order, name, "--json").stdout)
    return found


def test_the_arithmetic_and_the_price_of_a_copy(day: Day) -> None:
    found = told(day, day.bought, "half")
    assert {one["source"] for one in found["input"]} <= {"feed", "book"}
    assert found["input"][0]["quantity"] == 11
    assert "size: 0.5 times the leader's quantity, rounded down" in found["rules"]
    words = found["numbers"][0]["words"]
    assert "quantity: 11 x 0.5 = 5.5" in words
    assert "rounded down to whole lots of 1: 0.5 left over" in words
    assert words[-1].startswith("price: a limit of 2525.00 for the leader's MARKET, from 2500.00 (")
    (request,) = found["requests"]
    assert (request["kind"], request["quantity"], request["price"]) == ("place", 5, "2525.00")
    assert request["outcome"] == "accepted"
    assert request["order_id"] == day.house.only(day.bought, HALF)["orderId"]
    assert found["state"] == "filled"


def test_an_exit_a_change_and_a_skip(day: Day) -> None:
    words = told(day, day.sold, "half")["numbers"][0]["words"]
    assert "quantity: the leader leaves 11 of 11, the same part of 5" in words
    placed, changed = told(day, day.resting, "half")["requests"]
    assert (placed["price"], changed["kind"], changed["price"]) == ("1600.00", "modify", "1610.00")
    skipped = told(day, day.bought, "careful")
    assert skipped["requests"] == []
    assert "limits: quantity 5" in skipped["rules"]
    verdict = "skipped, a limit of the follower is reached: quantity 11, limit 5"
    assert skipped["numbers"][0]["words"][-1] == verdict


def test_people_read_it_of_all_followers(day: Day) -> None:
    done = explain(day, day.bought)
    assert done.code == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line.startswith("Order ")]
    assert [head.split()[3] for head in heads] == ["careful:", "half:"]
    assert [head.split()[-1] for head in heads] == ["skipped", "filled"]
    assert "by the order feed: BUY 11 MARKET DAY Reliance" in done.stdout
    assert ": accepted as order " in done.stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("{bought}", "hlaf"), "did you mean half?"),
        (("{bought}0",), "the leader has no order {bought}0; did you mean {bought}?"),
        (("{copy}",), "that is an order of half; ask: explain {bought} half"),
        (("0",), "the leader has no order 0 (the newest is "),
    ],
)
def test_what_is_not_known_is_said_with_the_nearest(
    day: Day, words: tuple[str, ...], hint: str
) -> None:
    names = {"bought": day.bought, "copy": day.house.only(day.bought, HALF)["orderId"]}
    done = explain(day, *(word.format(**names) for word in words))
    assert done.code == 2
    assert hint.format(**names) in " ".join(done.stderr.split())


def test_it_works_without_an_engine(day: Day) -> None:
    before = explain(day, day.bought, "half")
    day.house.stop()
    done = explain(day, day.bought, "half")
    assert done.stdout == before.stdout
    assert "No engine is running" in done.stderr
