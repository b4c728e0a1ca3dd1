"""Scenarios 9: followers that hang, come and go; the end of the process."""

import json
import signal

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import DOUBLE, HALF, RELIANCE, SAME, TCS, House, Member
from tests.waiting import eventually

scenario = pytest.mark.scenario


@scenario("9.1")
def test_hanging_and_slow_followers_hold_up_nobody(build: Build) -> None:
    """While one broker never answers and one takes two seconds, the others get order after
    order."""
    hanging, slow = Member("hanging", "1000000008"), Member("slow", "1000000009")
    house = build(members=(HALF, SAME, DOUBLE, hanging, slow)).start()
    house.price(TCS, 3500)
    house.control.fault(hanging.client_id, "place", "hang", times=-1, after=False)
    house.control.set_account(slow.client_id, slow_ms=2000)
    orders = [house.places(TCS, "BUY", 10, price=3400 + n) for n in range(5)]
    for order in orders:
        for member in (HALF, SAME, DOUBLE):
            house.waits(order, member, orderStatus="PENDING")
    assert house.control.book(hanging.client_id) == []
    assert all(house.orders(order, slow) == [] for order in orders[-1:])
    for order in orders:
        house.waits(order, slow, orderStatus="PENDING", timeout=30)


@scenario("9.4")
def test_followers_are_added_paused_resumed_changed_and_removed(build: Build) -> None:
    house = build(members=(SAME,)).start()
    house.price(RELIANCE, 2500)
    house.broker.control.add_account(HALF.client_id, funds=100_000_000)
    first = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(first, SAME, orderStatus="PENDING")

    house.members = (SAME, HALF)
    house.write_config()
    eventually(lambda: house.control.sockets(HALF.client_id) == 1, 4, "not added")
    added = house.places(RELIANCE, "BUY", 10, price=2401)
    house.waits(added, SAME, orderStatus="PENDING", quantity=10)
    house.waits(added, HALF, orderStatus="PENDING", quantity=5)

    house.members = (SAME, Member("half", HALF.client_id, "0.5", ["paused = true"]))
    house.write_config()
    eventually(lambda: _mood(house.ask("followers", "list"), "half") == "paused", 4)
    paused = _placed_after_edit(house, 2402)
    house.changes(added, price=2390)
    house.waits(added, HALF, price=2390.0)
    assert house.orders(paused, HALF) == []

    house.members = (SAME, Member("half", HALF.client_id, "3"))
    house.write_config()
    tripled = eventually(lambda: _tripled(house), 8, "not resumed and changed")
    house.waits(tripled, HALF, quantity=30, orderStatus="PENDING")
    house.changes(added, quantity=20)
    house.waits(added, HALF, quantity=10)

    house.members = (SAME,)
    house.write_config()
    eventually(lambda: house.control.sockets(HALF.client_id) == 0, 4, "not removed")
    removed = house.places(RELIANCE, "BUY", 10, price=2405)
    house.waits(removed, SAME, orderStatus="PENDING")
    assert house.orders(removed, HALF) == []

    house.config.write_text(house.config.read_text().replace("multiplier", "multiplyer"))
    eventually(lambda: "multiplyer" in house.output(), 4, "a broken edit is not told")
    last = house.places(RELIANCE, "BUY", 10, price=2406)
    house.waits(last, SAME, orderStatus="PENDING")
    assert house.stop() == 0


def _mood(rows: list[dict[str, str]], name: str) -> str:
    return next(row["mood"] for row in rows if row["name"] == name)


def _placed_after_edit(house: House, price: float) -> str:
    """An order that the paused follower skips; edits take up to two seconds, so the first ones
    may still be copied."""

    def skipped() -> str | None:
        order = house.places(RELIANCE, "BUY", 10, price=price)
        return order if _became(house, order) == "skipped" else None

    order: str = eventually(skipped, 4, "not paused")
    return order


def _tripled(house: House) -> str | None:
    order = house.places(RELIANCE, "BUY", 10, price=2404)
    return order if _became(house, order) == "open" else None


def _became(house: House, order: str) -> str:
    """What the half makes of an order, once that is known."""
    house.waits(order, SAME, orderStatus="PENDING")

    def settled() -> str:
        rows = house.ask("copies", "--order", order, "--follower", HALF.name)
        return next((row["state"] for row in rows if row["state"] in ("skipped", "open")), "")

    state: str = eventually(settled)
    return state


@scenario("9.5")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_in_time_and_the_next_start_knows(build: Build, kind: signal.Signals) -> None:
    house = build().start()
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    house.control.silence(SAME.client_id)
    house.control.fault(SAME.client_id, "read", "hang", times=-1)
    house.control.fault(SAME.client_id, "place", "hang", times=1, after=True)
    hanging = house.places(RELIANCE, "BUY", 10, price=2401)
    house.waits(hanging, HALF, orderStatus="PENDING")
    eventually(lambda: house.orders(hanging, SAME))
    assert house.stop(kind, timeout=10) == 0
    assert house.copy(hanging, SAME)["state"] == "unknown"
    house.control.clear_faults()
    house.control.silence(SAME.client_id, on=False)
    house.start()
    house.cancels(hanging)
    house.all_wait(hanging, orderStatus="CANCELLED")
    house.all_wait(order, orderStatus="PENDING")
    assert (
        len({json.dumps(row["correlationId"]) for row in house.control.book(SAME.client_id)}) == 2
    )
    assert house.stop(kind) == 0
