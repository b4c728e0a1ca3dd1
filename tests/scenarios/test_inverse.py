"""An inverse follower beside one that is not, with the real process and the simulated broker's
books as witness."""

from dataclasses import replace
from typing import Any

from tests.scenarios.conftest import Build
from tests.scenarios.house import LEADER, RELIANCE, SAME, House, Member
from tests.waiting import eventually

INVERSE = Member("inverse", "1000000002", "0.5", more=["inverse = true"])
NO_MORE = Member("inverse", "1000000002", "0.5")
_MORE = "[recovery]\nsweep_seconds = 1\nmax_age_seconds = 600"


def _places(house: House, side: str, quantity: int, **more: Any) -> str:
    order = house.places(RELIANCE, side, quantity, product="INTRADAY", **more)
    house.waits(order, SAME)
    return order


def _took(house: House, order: str) -> list[tuple[str, int, str]]:
    """Side, filled quantity and status of the orders that the inverse follower made of one."""
    rows = house.orders(order, INVERSE)
    return [(row["transactionType"], row["filledQty"], row["orderStatus"]) for row in rows]


def _holds(house: House, *net: int) -> bool:
    """What the leader, the follower on its side and the inverse one hold."""
    accounts = (LEADER, SAME.client_id, INVERSE.client_id)
    positions = [house.control.positions(one) for one in accounts]
    held = tuple(sum(int(str(row["netQty"])) for row in rows) for rows in positions)
    return held == net


def _waits_for_a_fill(house: House, order: str) -> bool:
    words = "waits for the leader's fill, to take the other side"
    copies = house.ask("copies", "--order", order, "--follower", INVERSE.name)
    told = [(copy["state"], copy["reason"], copy["in_step"]) for copy in copies]
    return told == [("held", words, True)]


def test_fills_are_taken_on_the_other_side_through_a_crash_to_the_end(build: Build) -> None:
    house = build(members=(INVERSE, SAME), more=_MORE)
    house.price(RELIANCE, 2500)
    house.start()
    assert [row["inverse"] for row in house.ask("followers", "list")] == [True, False]

    bought = _places(house, "BUY", 40, price=2450)
    eventually(lambda: _waits_for_a_fill(house, bought))
    assert _took(house, bought) == []
    house.price(RELIANCE, 2450, part=0.5)  # half of each order trades
    eventually(lambda: _took(house, bought) == [("SELL", 5, "PART_TRADED")])
    house.kill()
    house.price(RELIANCE, 2451)  # beyond the leader's limit, not beyond the copy's
    house.start()
    eventually(lambda: house.copy(bought, INVERSE)["state"] == "filled", 20)
    assert _took(house, bought) == [("SELL", 10, "TRADED")]
    house.price(RELIANCE, 2450)
    eventually(lambda: _took(house, bought) == [("SELL", 10, "TRADED")] * 2)
    eventually(lambda: _holds(house, 40, 40, -20))
    copy = house.copy(bought, INVERSE)
    assert (copy["side"], copy["quantity"], copy["filled"]) == ("SELL", 20, 20)
    (told,) = house.ask("explain", bought, INVERSE.name)
    assert "inverse: what the leader's BUY trades is copied as SELL" in told["rules"]
    assert told["input"][0]["price"] == "2450.00"

    stop = _places(house, "SELL", 20, order_type="STOP_LOSS", trigger=2400, price=2390)
    eventually(lambda: _waits_for_a_fill(house, stop))
    house.price(RELIANCE, 2399)
    eventually(lambda: _took(house, stop) == [("BUY", 10, "TRADED")])
    eventually(lambda: _holds(house, 20, 20, -10))

    part = _places(house, "SELL", 20, price=2420)
    house.price(RELIANCE, 2420, part=0.5)
    eventually(lambda: len(_took(house, part)) == 1)
    house.cancels(part)
    eventually(lambda: house.leader_order(part)["orderStatus"] == "CANCELLED")
    house.kill()
    house.price(RELIANCE, 2419)
    house.members = (NO_MORE, SAME)  # what it holds is left as it was built
    house.write_config()
    house.start()
    eventually(lambda: _took(house, part) == [("BUY", 5, "TRADED")], 20)
    eventually(lambda: _holds(house, 10, 10, -5))

    last = _places(house, "SELL", 10, order_type="MARKET")
    eventually(lambda: _holds(house, 0, 0, 0))
    assert _took(house, last) == [("BUY", 5, "TRADED")]
    fresh = _places(house, "BUY", 10, price=2300)
    eventually(lambda: _took(house, fresh) == [("BUY", 0, "PENDING")])

    assert house.stop() == 0
    assert house.ask("replay", "today")["same"]
    house.members = (NO_MORE, replace(SAME, more=INVERSE.more))
    house.write_config()
    rows = house.ask("replay", "today", "--with", str(house.config))
    other = {one["leader_order_id"]: one["would"] for one in rows if one["follower"] == SAME.name}
    outcomes = {order: (one["side"], one["filled"]) for order, one in other.items()}
    assert outcomes == {
        bought: ("SELL", 40),
        stop: ("BUY", 20),
        part: ("BUY", 10),
        last: ("BUY", 10),
        fresh: ("SELL", 0),
    }
