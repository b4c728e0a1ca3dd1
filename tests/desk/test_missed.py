"""`copies --missed` as its user runs it: beside an engine and without one, with market quotes and
without."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from ledger.reader import Reader
from tests.scenarios.house import HALF, LEADER, RELIANCE, TCS, House, Member
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

HASTY = Member("hasty", "1000000003", more=["max_age_seconds = 1"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The leader bought before the start; one follower thought that too late."""
    with closing(House(tmp_path_factory.mktemp("house"), members=(HALF, HASTY))) as built:
        built.price(RELIANCE, 2500)
        built.price(TCS, 3500)
        built.places(RELIANCE, "BUY", 10, price=2400)
        built.places(TCS, "SELL", 4, order_type="MARKET")
        time_passes()
        built.start()
        eventually(lambda: len(built.ask("copies", "--missed")) == 2)
        yield built


def time_passes() -> None:
    """A little more than the second that the hasty one allows."""
    began = time.monotonic()
    eventually(lambda: time.monotonic() > began + 2.5)


def missed(house: House, *words: str) -> "subprocess.CompletedProcess[str]":
    """`python run.py copies --missed`."""
    return nursery().obeyed(["copies", "--missed", *words, "--config", str(house.config)])


def listed(house: House, *words: str) -> list[dict[str, Any]]:
    """The document."""
    done = missed(house, "--json", *words)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_what_was_missed_and_what_it_costs_now(house: House) -> None:
    bought, sold = listed(house)
    assert bought["follower"] == sold["follower"] == "hasty"
    assert (bought["side"], bought["quantity"], bought["limit"]) == ("BUY", 10, "2400.00")
    assert (sold["side"], sold["quantity"], sold["limit"]) == ("SELL", 4, None)
    assert (sold["leader_filled"], sold["leader_average_price"]) == (4, "3500.00")
    assert bought["age_seconds"] > bought["max_age_seconds"] == 1.0
    assert (bought["price"], bought["price_source"]) == ("2500.00", "quote")
    house.price(RELIANCE, 2510.5)
    assert listed(house)[0]["price"] == "2510.50"
    assert "2510.50" in missed(house).stdout


def test_one_follower_or_one_order(house: House) -> None:
    bought, sold = listed(house)
    (only,) = listed(house, "--order", sold["leader_order_id"])
    assert only["leader_order_id"] == sold["leader_order_id"] != bought["leader_order_id"]
    assert listed(house, "--follower", "half") == []
    done = missed(house, "--follower", "hsaty")
    assert done.returncode == 2
    assert "did you mean hasty?" in done.stderr


def test_without_market_quotes_there_is_the_last_price_told_or_none(house: House) -> None:
    house.control.set_account(LEADER, quotes=False)
    try:
        done = missed(house, "--json")
        bought, _ = json.loads(done.stdout)
    finally:
        house.control.set_account(LEADER, quotes=True)
    assert done.returncode == 0
    assert "Data APIs not subscribed" in done.stderr
    assert (bought["price"], bought["price_at"], bought["price_source"]) == (None, None, None)


def test_the_operator_is_told_in_one_alert(house: House) -> None:
    with Reader.open(house.folder / "copy_trading.db") as reader:
        told = [one.alert for one in reader.alerts(50) if "came too late" in one.alert.what]
    words = "; ".join(one.what for one in told)
    assert words.count("1 s allowed") == 2
    assert "BUY 10 RELIANCE at 2400.00 (" in words
    assert "SELL 4 TCS at the market price (" in words
    assert all("copies --missed" in one.fix and one.where == "hasty" for one in told)


def test_nothing_is_asked_of_a_broker_where_nothing_was_missed(house: House) -> None:
    before = len(quotes(house))
    assert listed(house, "--follower", "half") == []
    assert len(quotes(house)) == before


def quotes(house: House) -> list[Any]:
    return [one for one in house.control.requests(LEADER) if one["path"].endswith("/ltp")]
