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
    eventually(lambda: "In place: " in house.output(), why="the master tells the underlying")
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


def _alerts(house: House, order: str, member: Member) -> list[Row]:
    (found,) = house.ask("explain", order, member.name)
    alerts: list[Row] = found["alerts"]
    return alerts
