"""Scenario 1.4.5: several legs of one strategy, one of which fails in a follower."""

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import NIFTY_CALL, House, Member, Row
from tests.waiting import eventually

NIFTY_PUT = ("NSE_FNO", "40002")
PATIENT = Member("patient", "1000000002", more=["hold_sold_legs_ms = 8000"])
POOR = Member("poor", "1000000003")


@pytest.mark.scenario("1.4.5")
def test_the_operator_is_told_which_legs_stand_alone(build: Build) -> None:
    house = build(members=(PATIENT, POOR))
    house.control.set_account(POOR.client_id, funds=9_000)
    house.price(NIFTY_CALL, 120)
    house.price(NIFTY_PUT, 1000)
    house.start()
    eventually(house.has_master, why="the master tells the underlying")
    sold = house.places(NIFTY_PUT, "SELL", 65, price=1000, product="MARGIN")
    bought = house.places(NIFTY_CALL, "BUY", 65, price=120, product="MARGIN")

    house.waits(bought, PATIENT, orderStatus="TRADED")
    house.waits(sold, PATIENT, orderStatus="TRADED")
    rows = sorted(house.control.book(PATIENT.client_id), key=lambda row: str(row["orderId"]))
    assert [row["transactionType"] for row in rows] == ["BUY", "SELL"]

    house.waits(bought, POOR, orderStatus="TRADED")
    (told,) = eventually(lambda: _alerts(house, sold, POOR))
    assert told["level"] == "error"
    assert told["what"].startswith(
        f"legs in NIFTY stand alone: BUY 65 NIFTY-25000-CE (order {bought}), "
        f"as SELL 65 NIFTY-25000-PE (order {sold}) is rejected: "
    )
    assert "Fund Limit Insufficient" in told["what"]
    assert _alerts(house, bought, POOR) == [told]
    assert _alerts(house, sold, PATIENT) == []


LEAVING = Member(
    "leaving",
    "1000000002",
    more=['failed_leg = "flatten"', 'only = { denied_symbols = ["*-PE"] }'],
)
LEFT = "it is left, as another leg of its strategy failed: SELL 65 NIFTY-25000-PE (order {}) is "


def _strategy(build: Build) -> tuple[House, str, str, str]:
    """A put is sold, which one follower does not copy, and two calls are bought, one of which
    rests; those orders."""
    house = build(members=(LEAVING, POOR), more="[recovery]\nsettle_seconds = 1")
    house.price(NIFTY_CALL, 120)
    house.price(NIFTY_PUT, 1000)
    house.start()
    eventually(house.has_master, why="the master tells the underlying")
    sold = house.places(NIFTY_PUT, "SELL", 65, price=1000, product="MARGIN")
    bought = house.places(NIFTY_CALL, "BUY", 65, price=120, product="MARGIN")
    rests = house.places(NIFTY_CALL, "BUY", 65, price=100, product="MARGIN")
    house.waits(bought, LEAVING, orderStatus="TRADED")
    return house, sold, bought, rests


def _net(house: House, member: Member) -> dict[str, int]:
    rows: list[Row] = house.control.positions(member.client_id)
    return {row["securityId"]: row["netQty"] for row in rows if row["netQty"]}


def _exits(house: House, member: Member) -> list[Row]:
    rows: list[Row] = house.control.book(member.client_id)
    return [row for row in rows if row["transactionType"] == "SELL"]


def _left(house: House, rests: str) -> None:
    """The legs that stood alone come to be left, by one order and once."""
    house.waits(rests, LEAVING, 20, orderStatus="CANCELLED")
    eventually(lambda: _exits(house, LEAVING) and not _net(house, LEAVING), 30)
    (left,) = _exits(house, LEAVING)
    assert (left["orderStatus"], left["filledQty"]) == ("TRADED", 65)


def _said(house: House, order: str) -> tuple[str, str]:
    """The state of a copy and why it is so; empty while nothing is told of it."""
    rows: list[Row] = house.ask("copies", "--order", order, "--follower", LEAVING.name)
    return (rows[0]["state"], rows[0]["reason"]) if rows else ("", "")


def _in_step(house: House) -> bool:
    return all(row["in_step"] for row in house.ask("copies", "--follower", LEAVING.name))


@pytest.mark.scenario("1.4.5")
def test_legs_that_stand_alone_are_left_and_the_leaders_exit_finds_nothing(build: Build) -> None:
    house, sold, bought, rests = _strategy(build)
    _left(house, rests)
    told = _alerts(house, bought, LEAVING)
    assert [one["what"].partition(":")[0] for one in told] == ["legs in NIFTY stand alone"]
    assert told[0]["fix"].startswith("they are left")
    for order in (bought, rests):
        assert house.copy(order, LEAVING)["reason"] == LEFT.format(sold) + "skipped"
    (found,) = house.ask("explain", bought, LEAVING.name)
    words = "nothing more is placed, " + LEFT.format(sold) + "skipped"
    assert words in [one["words"][-1] for one in found["numbers"]]
    (flat,) = [row for row in house.ask("copies") if row["leader_order_id"].startswith("FLAT-LEG-")]
    (made,) = house.ask("explain", flat["leader_order_id"], LEAVING.name)
    assert (made["state"], made["filled"], made["halt"]) == ("filled", 65, None)
    # What the leader does with these legs is not followed any more.
    house.changes(rests, price=101)
    house.waits(rests, POOR, price=101.0)
    leaves = house.places(NIFTY_CALL, "SELL", 65, price=110, product="MARGIN")
    house.waits(leaves, POOR, orderStatus="TRADED")
    house.cancels(rests)
    house.waits(rests, POOR, orderStatus="CANCELLED")
    eventually(lambda: _said(house, leaves)[0] == "skipped")
    assert house.only(rests, LEAVING)["price"] == 100.0
    assert len(_exits(house, LEAVING)) == 1
    assert _net(house, LEAVING) == {}
    eventually(lambda: _in_step(house))
    assert house.ask("drift", "--follower", LEAVING.name) == []
    assert house.stop() == 0
    for line in house.ask("replay", "today")["followers"]:
        assert line["differences"] == []


@pytest.mark.scenario("1.4.5")
@pytest.mark.parametrize("leaving", [False, True])
def test_a_process_killed_while_legs_are_left_leaves_them_once(build: Build, leaving: bool) -> None:
    house, sold, bought, rests = _strategy(build)
    house.waits(rests, LEAVING, orderStatus="PENDING")
    house.control.fault(LEAVING.client_id, "place", "hang")
    before = house.requests(LEAVING, "POST")
    if leaving:
        eventually(lambda: house.requests(LEAVING, "POST") > before, 20)
    house.kill()
    house.control.clear_faults()
    house.start()
    _left(house, rests)
    words = LEFT.format(sold)
    eventually(lambda: all(_said(house, one)[1].startswith(words) for one in (bought, rests)))
    assert len(_alerts(house, sold, LEAVING)) == 1
    assert house.ask("drift", "--follower", LEAVING.name) == []
    for line in house.ask("replay", "today")["followers"]:
        assert line["differences"] == []


def _alerts(house: House, order: str, member: Member) -> list[Row]:
    (found,) = house.ask("explain", order, member.name)
    alerts: list[Row] = found["alerts"]
    return alerts
