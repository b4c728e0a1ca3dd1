"""Scenarios 7.5 and 7.6 at their limits: bursts, kills, and what entries leave to exits."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ledger.reader import Reader
from tests.scenarios.conftest import Build
from tests.scenarios.house import HALF, HDFCBANK, RELIANCE, SAME, House, Member
from tests.waiting import eventually

scenario = pytest.mark.scenario

_BURST = 50
_EIGHT_AN_HOUR = Member(
    "same", SAME.client_id, more=["limits = { orders = { hour = 8, reserve_percent = 25 } }"]
)


def _sent(house: House, member: Member) -> list[str]:
    """The order requests of a follower, as the broker saw them: their methods."""
    seen = house.control.requests(member.client_id)
    return [one["method"] for one in seen if "/orders" in one["path"] and one["method"] != "GET"]


@scenario("7.5")
def test_a_burst_is_copied_at_the_limit_and_cancels_overtake(build: Build) -> None:
    """Fifty orders in a second, once permits are there, of which the last are cancelled before
    their turn comes, and the first once it rests."""
    house = build(members=(HALF, SAME)).start()
    house.price(HDFCBANK, 1700)
    early = house.places(HDFCBANK, "BUY", 2, price=1590)
    for member in house.members:
        house.waits(early, member, orderStatus="PENDING")
    orders = [house.places(HDFCBANK, "BUY", 2, price=1600 + n) for n in range(_BURST)]
    eventually(lambda: house.leader_order(orders[0])["orderStatus"] == "PENDING")
    for member in house.members:
        house.waits(orders[0], member, orderStatus="PENDING")
    dropped, changed = orders[-8:], orders[-12:-8]
    for order in dropped:
        house.cancels(order)
    for order in changed:
        for price in (1500, 1510, 1520):
            house.changes(order, price=price)
    house.cancels(orders[0])
    for member in house.members:
        house.waits(orders[0], member, orderStatus="CANCELLED", timeout=3)
        waiting = [order for order in changed if not house.orders(order, member)]
        assert waiting, "the cancel did not overtake what waited"
    for member in house.members:
        for order in orders[1:-12]:
            house.waits(order, member, orderStatus="PENDING", timeout=20)
        for order in changed:
            house.waits(order, member, orderStatus="PENDING", price=1520.0, timeout=20)
        assert not any(house.orders(order, member) for order in dropped)
        assert sorted(set(_sent(house, member))) == ["DELETE", "POST"], "changes were not merged"
        assert house.control.throttled(member.client_id) == 0
    house.stop()
    _is_audited(house, SAME)


def _is_audited(house: House, member: Member) -> None:
    """Every request is told as the broker saw it, what was called back as that, and no token."""
    told = house.ask("audit", "--follower", member.name, "--since", "2026-01-01")
    seen = house.control.requests(member.client_id)
    decided = [row for row in told if row["leader_order_id"]]
    recalled = [row for row in decided if row["outcome"] == "recalled"]
    asked = [row for row in decided if row not in recalled]
    assert all(row["http_status"] is None and row["duration_us"] is None for row in recalled)
    kinds = {"place": "POST", "cancel": "DELETE"}
    assert [kinds[row["request"].split()[0]] for row in asked] == _sent(house, member)
    assert {row["http_status"] for row in asked} <= {200, 202}
    assert all(row["duration_us"] > 0 and row["outcome"] == "accepted" for row in asked)
    waits = [row["permit_wait_us"] for row in asked if row["request"].startswith("place")]
    assert waits[1] == 0
    assert max(waits) > 2_000_000
    books = [row for row in told if row["request"] == "GET /orders" and row["http_status"] == 200]
    shown = [one for one in seen if one["path"] == "/v2/orders" and one["method"] == "GET"]
    assert sum(row["times"] for row in books) == sum(one["status"] == 200 for one in shown)
    token = house.broker.token(member.client_id)
    assert token not in str(told)
    assert token.encode() not in (house.folder / house.ledger).read_bytes()


@scenario("7.5", "7.7")
def test_a_kill_forgets_nothing_that_was_sent_and_entries_leave_room_for_exits(
    build: Build,
) -> None:
    """The broker takes eight requests an hour, of which entries leave two."""
    house = build(members=(_EIGHT_AN_HOUR, HALF)).start()
    house.control.limits(SAME.client_id, orders={"hour": 8})
    house.price(RELIANCE, 2500)
    before = [house.places(RELIANCE, "BUY", 10, price=2400 + n) for n in range(4)]
    for order in before:
        house.all_wait(order, orderStatus="PENDING")
    house.kill()
    house.start()
    after = [house.places(RELIANCE, "BUY", 10, price=2410 + n) for n in range(4)]
    for order in after:
        house.waits(order, HALF, orderStatus="PENDING")
    eventually(lambda: len(_sent(house, SAME)) == 6)
    house.cancels(before[0])
    house.waits(before[0], SAME, orderStatus="CANCELLED")
    assert _sent(house, SAME) == ["POST"] * 6 + ["DELETE"]
    assert house.control.throttled(SAME.client_id) == 0
    eventually(partial(_warned, house.folder / house.ledger), why="nobody was warned")


def _warned(ledger: Path) -> bool:
    with closing(Reader.open(ledger)) as reader:
        said = [str(told) for told in reader.alerts(20)]
    return any("from 6 on entries wait, at 8 cancels and exits too" in one for one in said)
