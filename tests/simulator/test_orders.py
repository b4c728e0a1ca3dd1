"""Orders by REST: what Dhan's documentation says, and what clients measured instead."""

from typing import Any

import pytest

from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, LEADER, Rest, reliance
from tests.waiting import eventually


def test_an_accepted_order_is_in_transit_before_it_is_in_the_market(rest: Rest) -> None:
    order_id = rest.place(correlationId="first order_1-a")
    row = rest.settled(order_id, "PENDING")
    assert row["exchangeOrderId"] != "0"
    assert row["omsErrorDescription"] == "CONFIRMED"
    found = rest.send("GET", "/orders/external/first order_1-a").json()
    assert found == rest.row(order_id)
    assert found["correlationId"] == "first order_1-a"


def test_nothing_is_found_by_correlation_id_while_in_transit(broker: Simulator, rest: Rest) -> None:
    broker.control.tune(transit_ms=1000)
    broker.control.limits(ASHA, reads={})
    order_id = rest.place(correlationId="C1")
    path = "/orders/external/C1"
    hidden = rest.send("GET", path)
    assert hidden.status_code == 404
    assert hidden.json() == {
        "errorCode": "DH-906",
        "errorMessage": "Incorrect request for order and cannot be processed",
    }
    assert rest.row(order_id)["orderStatus"] == "TRANSIT"
    eventually(lambda: rest.send("GET", path).status_code == 200)
    assert rest.send("GET", path).json()["orderId"] == order_id


def test_orders_without_a_correlation_id_are_not_found_by_it(rest: Rest) -> None:
    rest.placed()
    assert rest.send("GET", "/orders/external/NA").status_code == 404


def test_an_order_by_id_is_an_array(rest: Rest) -> None:
    order_id = rest.placed()
    assert isinstance(rest.send("GET", f"/orders/{order_id}").json(), list)
    unknown = rest.send("GET", "/orders/77")
    assert (unknown.status_code, unknown.json()) == (200, [])


@pytest.mark.parametrize(
    ("length", "status"), [(25, 200), (26, 400)], ids=["25 characters", "26 characters"]
)
def test_a_correlation_id_has_at_most_25_characters(rest: Rest, length: int, status: int) -> None:
    answer = rest.send("POST", "/orders", rest.order(correlationId="c" * length))
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["errorCode"] == "DH-905"


@pytest.mark.parametrize(
    "changes",
    [
        {"correlationId": ""},
        {"correlationId": "no/slash"},
        {"dhanClientId": None},
        {"dhanClientId": LEADER},
        {"quantity": 0},
        {"quantity": 1.5},
        {"quantity": "many"},
        {"price": 0.0},
        {"price": 2490.001},
        {"orderType": "LMT"},
        {"productType": "BO"},
        {"validity": None},
        {"transactionType": "B"},
        {"disclosedQuantity": 2},
        {"disclosedQuantity": 11},
        {"afterMarketOrder": True},
        {"orderType": "STOP_LOSS", "price": 2510.0},
    ],
)
def test_bad_input_is_refused_without_naming_the_field(rest: Rest, changes: Any) -> None:
    answer = rest.send("POST", "/orders", rest.order(**changes))
    assert answer.status_code == 400
    assert answer.json() == {
        "errorType": "Input_Exception",
        "errorCode": "DH-905",
        "errorMessage": "Missing required fields, bad values for parameters etc.",
    }


def test_a_body_that_is_no_json_is_bad_input(rest: Rest) -> None:
    answer = rest.send("POST", "/orders")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "DH-905")


def test_an_unknown_instrument_has_failed(rest: Rest) -> None:
    for security_id in ("1", "13"):
        answer = rest.send(
            "POST", "/orders", rest.order(exchangeSegment="IDX_I", securityId=security_id)
        )
        assert answer.status_code == 400
        assert answer.json()["errorCode"] == "DH-906"
        assert answer.json()["errorMessage"] == "Transaction has Failed"


def test_a_market_order_by_api_becomes_a_limit_with_price_protection(rest: Rest) -> None:
    bought = rest.settled(rest.place(orderType="MARKET", price=0.0), "TRADED")
    assert (bought["orderType"], bought["price"], bought["averageTradedPrice"]) == (
        "LIMIT",
        2525.0,
        2500.0,
    )
    sold = rest.settled(rest.place(orderType="MARKET", price=0.0, transactionType="SELL"), "TRADED")
    assert (sold["orderType"], sold["price"]) == ("LIMIT", 2475.0)


def test_a_stop_loss_market_by_api_is_refused(rest: Rest) -> None:
    body = rest.order(orderType="STOP_LOSS_MARKET", price=0.0, triggerPrice=2510.0)
    answer = rest.send("POST", "/orders", body)
    assert answer.status_code == 400
    assert answer.json()["errorMessage"] == "Trigger Price should be greater than Price"


@pytest.mark.parametrize(("side", "price"), [("BUY", 2505.0), ("SELL", 2515.0)])
def test_a_stop_needs_its_trigger_on_the_right_side(rest: Rest, side: str, price: float) -> None:
    body = rest.order(orderType="STOP_LOSS", transactionType=side, price=price, triggerPrice=2510.0)
    answer = rest.send("POST", "/orders", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "DH-906")


# Cancel


def test_a_cancel_is_answered_by_an_empty_202(rest: Rest) -> None:
    order_id = rest.placed()
    answer = rest.send("DELETE", f"/orders/{order_id}")
    assert (answer.status_code, answer.content) == (202, b"")
    row = rest.row(order_id)
    assert row["orderStatus"] == "CANCELLED"
    assert (row["remainingQuantity"], row["filledQty"]) == (0, 0)


def test_the_create_time_moves_when_an_order_is_cancelled(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed()
    placed = rest.row(order_id)["createTime"]
    broker.control.clock(offset_seconds=3600)
    broker.control.cancel(ASHA, order_id)
    row = rest.settled(order_id, "CANCELLED")
    assert row["createTime"] == row["updateTime"] != placed


def test_a_cancel_in_transit_is_refused_and_a_change_accepted(
    broker: Simulator, rest: Rest
) -> None:
    broker.control.tune(transit_ms=1000)
    order_id = rest.place()
    refused = rest.send("DELETE", f"/orders/{order_id}")
    assert refused.status_code == 400
    assert refused.json() == {"errorCode": "DH-906", "errorMessage": "Order is in Transit state"}
    changed = rest.modify(order_id, price=2480.0)
    assert changed.json() == {"orderId": order_id, "orderStatus": "TRANSIT"}
    assert rest.settled(order_id, "PENDING")["price"] == 2480.0
    assert rest.send("DELETE", f"/orders/{order_id}").status_code == 202


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_ended_or_unknown_order_cannot_be_changed(rest: Rest, method: str) -> None:
    order_id = rest.placed("TRADED", price=2500.0)
    for wanted in (order_id, "77"):
        answer = rest.modify(wanted) if method == "PUT" else rest.send(method, f"/orders/{wanted}")
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "DH-906")


# Change


def test_the_quantity_of_a_change_is_the_total(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed()
    reliance(broker, 2490, volume=4)
    rest.settled(order_id, "PART_TRADED")
    assert rest.modify(order_id, quantity=4).status_code == 400
    assert rest.modify(order_id, quantity=12).json()["orderStatus"] == "PART_TRADED"
    row = rest.row(order_id)
    assert (row["quantity"], row["filledQty"], row["remainingQuantity"]) == (12, 4, 8)


def test_a_change_may_make_an_order_trade(rest: Rest) -> None:
    order_id = rest.placed()
    assert rest.modify(order_id, price=2500.0).status_code == 200
    assert rest.row(order_id)["orderStatus"] == "TRADED"


def test_a_change_to_market_is_protected_and_one_to_ioc_ends(rest: Rest) -> None:
    to_market = rest.placed()
    assert rest.modify(to_market, orderType="MARKET", price=0.0).status_code == 200
    row = rest.row(to_market)
    assert (row["orderType"], row["price"], row["orderStatus"]) == ("LIMIT", 2525.0, "TRADED")
    to_ioc = rest.placed()
    assert rest.modify(to_ioc, validity="IOC").status_code == 200
    assert rest.row(to_ioc)["orderStatus"] == "CANCELLED"


def test_the_26th_change_is_refused(broker: Simulator, rest: Rest) -> None:
    broker.control.limits(ASHA, orders={}, reads={})
    order_id = rest.placed()
    answers = [rest.modify(order_id, price=2400.0 + step).status_code for step in range(26)]
    assert answers == [200] * 25 + [400]
    (row,) = broker.control.book(ASHA)
    assert (row["modifications"], row["price"]) == (25, 2424.0)


@pytest.mark.parametrize(
    "changes",
    [{"price": 2490.03}, {"quantity": 10_000_000}, {"price": 0.0}, {"orderType": "NONE"}],
    ids=["tick", "funds", "price", "type"],
)
def test_a_senseless_change_leaves_the_order_as_it_was(rest: Rest, changes: Any) -> None:
    order_id = rest.placed()
    before = rest.row(order_id)
    assert rest.modify(order_id, **changes).status_code == 400
    assert rest.row(order_id) == before


# Slices and trades


def test_slicing_makes_one_order_for_each_part_under_the_freeze(broker: Simulator) -> None:
    broker.control.add_account("1000000009", funds=100_000_000)
    with Rest(broker, "1000000009") as rich:
        body = rich.order(
            exchangeSegment="NSE_FNO", securityId="40001", quantity=65 * 60, price=119.0,
            productType="MARGIN", correlationId="one name",
        )  # fmt: skip
        acks = rich.send("POST", "/orders/slicing", body).json()
        rows = [rich.settled(ack["orderId"], "PENDING") for ack in acks]
    assert [row["quantity"] for row in rows] == [1755, 1755, 390]
    assert {row["correlationId"] for row in rows} == {"one name"}


def test_trades_are_listed_for_the_day_and_for_an_order(broker: Simulator, rest: Rest) -> None:
    first = rest.placed()
    second = rest.placed("TRADED", price=2500.0)
    for volume in (3, 7):
        reliance(broker, 2490 - volume, volume=volume)
    rest.settled(first, "TRADED")
    every = rest.send("GET", "/trades/").json()
    assert len({trade["exchangeTradeId"] for trade in every}) == len(every) == 3
    mine = rest.send("GET", f"/trades/{first}").json()
    assert [(t["tradedQuantity"], t["tradedPrice"]) for t in mine] == [(3, 2487.0), (7, 2483.0)]
    assert {trade["orderId"] for trade in every} == {first, second}
    assert "correlationId" not in every[0]
    row = rest.row(first)
    assert row["averageTradedPrice"] == pytest.approx(2484.2)


# The market's phases


def test_a_closed_market_refuses_changes_and_rejects_orders(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed()
    broker.control.market("closed")
    for answer in (rest.modify(order_id), rest.send("DELETE", f"/orders/{order_id}")):
        assert answer.status_code == 400
        assert answer.json() == {
            "errorType": "Order_Error",
            "errorCode": "DH-906",
            "errorMessage": "Market is Closed! You cannot modify/cancel an order now.",
        }
    late = rest.settled(rest.place(), "REJECTED")
    assert str(late["omsErrorDescription"]).startswith("RMS:")
    assert "Market is Closed" in str(late["omsErrorDescription"])
    reliance(broker, 2000)
    assert rest.row(order_id)["orderStatus"] == "PENDING"
    broker.control.market("open")
    assert rest.row(order_id)["orderStatus"] == "TRADED"


def test_an_after_market_order_goes_to_the_exchange_at_the_open(
    broker: Simulator, rest: Rest
) -> None:
    broker.control.market("closed")
    order_id = rest.placed(afterMarketOrder=True, amoTime="OPEN", orderType="MARKET", price=0.0)
    row = rest.row(order_id)
    assert (row["afterMarketOrder"], row["exchangeOrderId"], row["exchangeTime"]) == (
        True,
        "0",
        "0001-01-01 00:00:00",
    )
    assert (row["orderType"], row["omsErrorDescription"]) == ("MARKET", "")
    reliance(broker, 2400)
    assert rest.row(order_id)["orderStatus"] == "PENDING"
    broker.control.market("open")
    row = rest.settled(order_id, "TRADED")
    assert (row["orderType"], row["price"], row["averageTradedPrice"]) == ("LIMIT", 2424.0, 2400.0)


def test_an_after_market_order_can_be_changed_and_cancelled_meanwhile(
    broker: Simulator, rest: Rest
) -> None:
    broker.control.market("closed")
    order_id = rest.placed(afterMarketOrder=True, amoTime="PRE_OPEN")
    assert rest.modify(order_id, price=2480.0).status_code == 200
    assert rest.send("DELETE", f"/orders/{order_id}").status_code == 202
    assert rest.row(order_id)["orderStatus"] == "CANCELLED"


def test_the_end_of_the_day_expires_what_is_open(broker: Simulator, rest: Rest) -> None:
    resting, done = rest.placed(), rest.placed("TRADED", price=2500.0)
    broker.control.market("end_day")
    waiting = rest.placed(afterMarketOrder=True, amoTime="OPEN")
    statuses = {row["orderId"]: row["orderStatus"] for row in rest.send("GET", "/orders").json()}
    assert statuses == {resting: "EXPIRED", done: "TRADED", waiting: "PENDING"}
    broker.control.market("next_day")
    assert [row["orderId"] for row in rest.send("GET", "/orders").json()] == [waiting]


def test_a_market_may_be_closed_from_the_beginning() -> None:
    with (
        Simulator(accounts=[Opening(ASHA)], market="closed", transit_ms=0) as broker,
        Rest(broker, ASHA) as rest,
    ):
        assert rest.row(rest.place())["orderStatus"] == "REJECTED"
