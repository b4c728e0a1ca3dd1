"""A broker that is down for a while: nothing is lost, nothing doubled, and it is not hammered."""

from contextlib import closing

import pytest

from ledger.reader import Reader
from tests.scenarios.conftest import Build
from tests.scenarios.house import HALF, RELIANCE, SAME, TCS, House
from tests.waiting import eventually

scenario = pytest.mark.scenario


@scenario("5.2", "7.7")
def test_an_outage_holds_an_account_back_until_its_book_can_be_read(build: Build) -> None:
    """The first three requests act and are answered with a 503; then every connection is reset."""
    house = build(
        members=(HALF, SAME), more="[recovery]\nsweep_seconds = 0.5\nsettle_seconds = 2"
    ).start()
    for key, price in ((RELIANCE, 2500), (TCS, 3500)):
        house.price(key, price)
    bought = house.places(RELIANCE, "BUY", 10, order_type="MARKET")
    house.all_wait(bought, orderStatus="TRADED")
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(resting, orderStatus="PENDING")
    seen = len(_orders_sent(house))
    house.control.fault(SAME.client_id, "place", "status", times=3, status=503)
    house.control.fault(SAME.client_id, "*", "reset", times=-1, after=False)
    entries = [house.places(TCS, "BUY", 2, price=3400 + n) for n in range(9)]
    for order in entries:
        house.waits(order, HALF, orderStatus="PENDING")
    leaves = house.places(RELIANCE, "SELL", 10, order_type="MARKET")
    house.waits(leaves, HALF, orderStatus="TRADED")
    house.cancels(resting)
    house.waits(resting, HALF, orderStatus="CANCELLED")
    eventually(lambda: "requests come to nothing" in _alerts(house))
    eventually(lambda: _reads(house) > 6, why="it does not look whether the broker is back")
    sent = _orders_sent(house)[seen:]
    assert len(sent) <= 20, "the broker is hammered"
    house.control.clear_faults()
    house.waits(resting, SAME, orderStatus="CANCELLED", timeout=20)
    house.waits(leaves, SAME, orderStatus="TRADED", timeout=20)
    for order in entries:
        house.waits(order, SAME, orderStatus="PENDING", timeout=20)
    first = _orders_sent(house)[seen + len(sent)]
    assert first != "POST", "a cancel was not tried first"
    assert "Dhan answers again" in _alerts(house)
    names = [row["correlationId"] for row in house.control.book(SAME.client_id)]
    assert len(names) == len(set(names)) == 12


def _orders_sent(house: House) -> list[str]:
    seen = house.control.requests(SAME.client_id)
    return [one["method"] for one in seen if "/orders" in one["path"] and one["method"] != "GET"]


def _reads(house: House) -> int:
    """How many order books the account asked for since its requests fail."""
    seen = [one for one in house.control.requests(SAME.client_id) if one["path"] == "/v2/orders"]
    last = max(index for index, one in enumerate(seen) if one["method"] == "POST")
    return len(seen) - last


def _alerts(house: House) -> str:
    with closing(Reader.open(house.folder / house.ledger)) as reader:
        return " ".join(str(told) for told in reader.alerts(20))
