"""Risk management: what is taken but not let into the market, and what money is blocked."""

from typing import Any

import pytest

from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, Rest, reliance

_NIFTY = {"exchangeSegment": "NSE_FNO", "securityId": "40001", "productType": "MARGIN"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({**_NIFTY, "quantity": 66, "price": 119.0}, "Quantity is not a multiple of lot size 65"),
        ({**_NIFTY, "quantity": 1820, "price": 1.0}, "Quantity exceeds freeze quantity 1755"),
        ({"price": 2490.03}, "Price is not a multiple of tick size 0.05"),
        (
            {"securityId": "3045", "price": 700.0},
            "Order Price needs to be Circuit Limits of 720.00 to 880.00",
        ),
        (
            {"quantity": 10_000, "productType": "CNC"},
            "Fund Limit Insufficient, Available:1000000.00, Required:24900000.00",
        ),
        (
            {"transactionType": "SELL", "productType": "CNC", "price": 2510.0},
            "Insufficient holdings, Available:0, Required:10",
        ),
    ],
    ids=["lot", "freeze", "tick", "circuit", "funds", "holdings"],
)
def test_an_order_is_acknowledged_and_rejected_later(
    rest: Rest, changes: dict[str, Any], words: str
) -> None:
    order_id = rest.place(**changes)
    row = rest.settled(order_id, "REJECTED")
    assert row["omsErrorDescription"] == f"RMS:{order_id}:{words}"
    assert (row["filledQty"], row["exchangeOrderId"]) == (0, "0")


def _money(rest: Rest) -> tuple[float, float]:
    funds = rest.send("GET", "/fundlimit").json()
    return funds["availabelBalance"], funds["utilizedAmount"]


def test_open_orders_and_positions_block_margin_and_exits_do_not(rest: Rest) -> None:
    resting = rest.placed()
    assert _money(rest) == (995_020.0, 4_980.0)
    rest.send("DELETE", f"/orders/{resting}")
    assert _money(rest) == (1_000_000.0, 0.0)
    rest.placed("TRADED", price=2500.0)
    rest.placed(transactionType="SELL", price=2510.0)
    assert _money(rest) == (995_000.0, 5_000.0)
    rest.placed(transactionType="SELL", price=2510.0)
    assert _money(rest) == (989_980.0, 10_020.0)


def test_an_exit_is_possible_without_money(broker: Simulator) -> None:
    broker.control.add_account("1000000008", funds="5000")
    with Rest(broker, "1000000008") as poor:
        poor.placed("TRADED", price=2500.0)
        assert _money(poor) == (0.0, 5_000.0)
        poor.settled(poor.place(quantity=1), "REJECTED")
        poor.placed("TRADED", transactionType="SELL", price=2500.0)
        assert _money(poor) == (5_000.0, 0.0)


def test_a_bought_option_costs_its_premium(rest: Rest) -> None:
    rest.placed("TRADED", **_NIFTY, quantity=65, price=120.0)
    assert _money(rest)[1] == 7_800.0


def test_collateral_is_in_the_balance_but_is_no_cash() -> None:
    opening = Opening(ASHA, funds="100.50", collateral=900, token="T")
    with Simulator(accounts=[opening]) as broker, Rest(broker, ASHA) as rest:
        funds = rest.send("GET", "/fundlimit").json()
        assert (funds["availabelBalance"], funds["collateralAmount"]) == (1000.5, 900.0)
        assert funds["withdrawableBalance"] == 100.5


def test_delivered_shares_can_be_sold_once(broker: Simulator, rest: Rest) -> None:
    broker.control.hold(ASHA, segment="NSE_EQ", security_id="2885", quantity=15, average="2400")
    sale: dict[str, Any] = {"transactionType": "SELL", "productType": "CNC", "price": 2510.0}
    rest.placed(**sale)
    rest.settled(rest.place(**sale), "REJECTED")
    rest.placed(**sale, quantity=5)
    assert _money(rest)[1] == 0.0
    reliance(broker, 2510)
    (position,) = broker.control.positions(ASHA)
    assert (position["netQty"], position["positionType"]) == (-15, "SHORT")
    broker.control.market("next_day")
    assert rest.send("GET", "/holdings").status_code == 500
    assert _money(rest)[0] == 1_000_000 + 15 * 2510


def test_what_is_bought_for_delivery_is_held_the_next_day(broker: Simulator, rest: Rest) -> None:
    empty = rest.send("GET", "/holdings")
    assert empty.status_code == 500
    assert empty.json() == {
        "errorType": "HOLDING_ERROR",
        "errorCode": "DH-1111",
        "errorMessage": "No holdings available",
    }
    rest.placed("TRADED", productType="CNC", price=2500.0)
    assert rest.send("GET", "/holdings").status_code == 500
    broker.control.market("next_day")
    (holding,) = rest.send("GET", "/holdings").json()
    assert (holding["totalQty"], holding["avgCostPrice"], holding["securityId"]) == (
        10,
        2500.0,
        "2885",
    )
    assert rest.send("GET", "/positions").json() == []
    assert _money(rest) == (975_000.0, 0.0)


def test_positions_are_carried_or_squared_off(broker: Simulator, rest: Rest) -> None:
    rest.placed("TRADED", price=2500.0)
    rest.placed("TRADED", productType="MARGIN", transactionType="SELL", price=2500.0)
    reliance(broker, 2510)
    broker.control.market("next_day")
    (position,) = rest.send("GET", "/positions").json()
    assert (position["productType"], position["netQty"]) == ("MARGIN", -10)
    assert (position["carryForwardSellQty"], position["carryForwardSellValue"]) == (10, 25_000.0)
    assert (position["daySellQty"], position["unrealizedProfit"]) == (0, -100.0)
    assert rest.send("GET", "/fundlimit").json()["sodLimit"] == 1_000_100.0


def test_positions_are_counted_at_average_cost(broker: Simulator, rest: Rest) -> None:
    rest.placed("TRADED", price=2500.0)
    reliance(broker, 2520)
    rest.placed("TRADED", price=2520.0)
    rest.placed("TRADED", transactionType="SELL", price=2520.0, quantity=5)
    (position,) = rest.send("GET", "/positions").json()
    assert (position["buyAvg"], position["costPrice"], position["sellAvg"]) == (
        2510.0,
        2510.0,
        2520.0,
    )
    assert (position["buyQty"], position["sellQty"], position["netQty"]) == (20, 5, 15)
    assert (position["realizedProfit"], position["unrealizedProfit"]) == (50.0, 150.0)
    rest.placed("TRADED", transactionType="SELL", price=2520.0, quantity=25)
    (position,) = rest.send("GET", "/positions").json()
    assert (position["netQty"], position["costPrice"], position["realizedProfit"]) == (
        -10,
        2520.0,
        200.0,
    )


def test_the_kill_switch_needs_a_clean_slate_and_then_stops_trading(rest: Rest) -> None:
    activate = "/killswitch?killSwitchStatus=ACTIVATE"
    order_id = rest.placed()
    assert rest.send("POST", activate).status_code == 400
    rest.send("DELETE", f"/orders/{order_id}")
    assert rest.send("POST", activate).json()["killSwitchStatus"] == "ACTIVATE"
    row = rest.settled(rest.place(), "REJECTED")
    assert "Kill switch is active" in str(row["omsErrorDescription"])
    rest.send("POST", "/killswitch?killSwitchStatus=DEACTIVATE")
    assert rest.send("GET", "/killswitch").json()["killSwitchStatus"] == "DEACTIVATE"
    rest.placed()


def test_all_positions_can_be_closed_at_once(rest: Rest) -> None:
    rest.placed("TRADED", price=2500.0)
    pending = rest.placed()
    assert rest.send("DELETE", "/positions").status_code == 200
    closing = rest.send("GET", "/orders").json()[-1]
    rest.settled(closing["orderId"], "TRADED")
    assert [position["netQty"] for position in rest.send("GET", "/positions").json()] == [0]
    assert rest.row(pending)["orderStatus"] == "PENDING"
