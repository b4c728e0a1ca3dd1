"""The order-update socket: login, events in production's shapes, and the ways it ends."""

import json
import time

import pytest
import websocket

from simulator.server import Simulator
from tests.simulator.clients import ASHA, ENDED, Ear, Rest, Row, reliance
from tests.waiting import eventually


def _refused(ear: Ear) -> None:
    """A short binary frame, then the end without a close frame."""
    frame = ear.frame()
    assert isinstance(frame, bytes)
    assert 0 < len(frame) < 32
    with pytest.raises(ENDED):
        ear.frame()


def test_a_good_login_is_not_answered(broker: Simulator, ear: Ear) -> None:
    assert ear.quiet()
    assert broker.control.sockets(ASHA) == 1


@pytest.mark.parametrize(("token", "code"), [("strange", 42), (None, "42"), (None, 43)])
def test_a_bad_login_is_refused(broker: Simulator, token: str | None, code: object) -> None:
    with Ear(broker, ASHA) as ear:
        ear.login(token, code)
        _refused(ear)
    assert broker.control.sockets(ASHA) == 0


@pytest.mark.parametrize("first", ["not json", "{}", '{"LoginReq": 1}', "[]", '{"LoginReq": {}}'])
def test_a_first_frame_that_is_no_login_is_refused(broker: Simulator, first: str) -> None:
    with Ear(broker, ASHA) as ear:
        ear.socket.send(first)
        _refused(ear)


def test_an_expired_or_replaced_token_is_refused(broker: Simulator) -> None:
    old = broker.token(ASHA)
    broker.control.rotate_token(ASHA)
    with Ear(broker, ASHA) as ear:
        ear.login(old)
        _refused(ear)
    broker.control.expire_token(ASHA)
    with Ear(broker, ASHA) as ear:
        ear.login(broker.token(ASHA))
        _refused(ear)


def test_pings_are_answered(ear: Ear) -> None:
    ear.socket.ping("are you there")
    opcode, content = ear.socket.recv_data(control_frame=True)
    assert (opcode, content) == (websocket.ABNF.OPCODE_PONG, b"are you there")


# Events


def test_an_order_is_told_from_transit_to_its_end(broker: Simulator, rest: Rest, ear: Ear) -> None:
    order_id = rest.placed(correlationId="mine")
    reliance(broker, 2489, volume=4)
    rest.send("DELETE", f"/orders/{order_id}")
    events = ear.until("Cancelled")
    assert [event["status"] for event in events] == [
        "Transit",
        "Pending",
        "Part_Traded",
        "Cancelled",
    ]
    assert {event["orderNo"] for event in events} == {order_id}
    last = events[-1]
    assert (last["quantity"], last["tradedQty"], last["avgTradedPrice"]) == (10, 4, 2489.0)
    assert (last["txnType"], last["orderType"], last["product"]) == ("B", "LMT", "I")
    assert (last["exchange"], last["segment"], last["securityId"]) == ("NSE", "E", "2885")
    assert (last["orderPlatform"], last["algoId"], last["source"]) == ("API", "99999", "P")
    assert (last["correlationId"], last["optType"], last["offMktFlag"]) == ("mine", "XX", "0")
    assert not {"productType", "exchangeSegment", "legName"} & set(last)


def test_an_order_by_hand_shows_where_it_comes_from(broker: Simulator, ear: Ear) -> None:
    broker.control.place(
        ASHA, segment="NSE_FNO", security_id="40001", side="SELL", quantity=65,
        order_type="STOP_LOSS_MARKET", trigger="100", product="MARGIN",
    )  # fmt: skip
    event = ear.event()
    assert (event["orderPlatform"], event["algoId"], event["source"]) == ("FAST", "0", "N")
    assert (event["correlationId"], event["remarks"]) == ("NA", "NR")
    assert (event["orderType"], event["triggerPrice"], event["price"]) == ("SLM", 100.0, 0.0)
    assert (event["optType"], event["strikePrice"], event["lotSize"]) == ("CE", 25000.0, 65)
    assert (event["product"], event["productName"]) == ("M", "MARGIN")


def test_a_change_is_told_without_being_called_one(rest: Rest, ear: Ear) -> None:
    order_id = rest.placed()
    ear.until("Pending")
    rest.modify(order_id, price=2480.0, quantity=12)
    event = ear.event()
    assert (event["status"], event["price"], event["quantity"]) == ("Pending", 2480.0, 12)


def test_a_rejection_is_told_with_its_reason(rest: Rest, ear: Ear) -> None:
    order_id = rest.place(price=2490.03)
    event = ear.until("Rejected")[-1]
    assert event["reasonDescription"].startswith(f"RMS:{order_id}:Price is not a multiple")


def test_an_after_market_order_is_flagged(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.market("closed")
    rest.place(afterMarketOrder=True, amoTime="OPEN")
    event = ear.until("Pending")[-1]
    assert (event["offMktFlag"], event["exchOrderNo"], event["mktType"]) == ("1", "0", "AU")
    broker.control.market("open")
    assert ear.until("Pending")[-1]["exchOrderNo"] != "0"


def test_every_socket_of_an_account_hears_its_orders_and_no_others(
    broker: Simulator, rest: Rest, ear: Ear
) -> None:
    with Ear(broker, ASHA) as second, Ear(broker, "1000000001") as leader:
        second.login()
        leader.login()
        order_id = rest.place()
        assert ear.event()["orderNo"] == second.event()["orderNo"] == order_id
        assert leader.quiet()


def test_keys_may_be_pascal_case(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.set_account(ASHA, pascal=True)
    order_id = rest.place()
    event = ear.event()
    assert (event["OrderNo"], event["Status"]) == (order_id, "Transit")
    assert all(key[0].isupper() for key in event)


def test_fills_may_be_told_without_their_price(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.set_account(ASHA, unpriced=True)
    broker.control.tune(transit_ms=0)
    order_id = rest.place(orderType="MARKET", price=0.0)
    events = [ear.event() for _ in range(3)]
    assert [event["tradedQty"] for event in events] == [0, 0, 10]
    assert events[-1]["avgTradedPrice"] == events[-1]["tradedPrice"] == 0.0
    (row,) = rest.send("GET", "/orders").json()
    assert (row["orderId"], row["filledQty"], row["averageTradedPrice"]) == (order_id, 10, 0.0)
    (trade,) = rest.send("GET", "/trades").json()
    assert trade["tradedPrice"] > 0


@pytest.mark.parametrize(("frames", "between"), [("joined", "}{"), ("lines", "}\n{")])
def test_several_events_may_come_in_one_frame(
    broker: Simulator, rest: Rest, ear: Ear, frames: str, between: str
) -> None:
    broker.control.set_account(ASHA, frames=frames)
    broker.control.tune(transit_ms=0)
    order_id = rest.place(orderType="MARKET", price=0.0)
    frame = ear.frame()
    assert isinstance(frame, str)
    assert frame.count(between) == 2
    with pytest.raises(json.JSONDecodeError, match="Extra data"):
        json.loads(frame)
    events = _objects(frame)
    assert [event["Data"]["status"] for event in events] == ["Transit", "Pending", "Traded"]
    assert {event["Data"]["orderNo"] for event in events} == {order_id}


def _objects(frame: str) -> list[Row]:
    events, decoder = [], json.JSONDecoder()
    while frame := frame.lstrip():
        event, end = decoder.raw_decode(frame)
        events.append(event)
        frame = frame[end:]
    return events


# What is told again, and the ends of a socket


def test_events_can_be_told_again_in_any_order(broker: Simulator, rest: Rest, ear: Ear) -> None:
    order_id = rest.placed("TRADED", price=2500.0)
    ear.until("Traded")
    told = broker.control.events(ASHA, order_id)
    assert [json.loads(each)["Data"]["status"] for each in told] == ["Transit", "Pending", "Traded"]
    for frame in reversed(told):
        broker.control.send(ASHA, frame)
    assert [ear.event()["status"] for _ in told] == ["Traded", "Pending", "Transit"]
    broker.control.resend(ASHA, order_id, times=2)
    broker.control.resend(ASHA, order_id, stale=2)
    assert [ear.event()["status"] for _ in range(3)] == ["Traded", "Traded", "Transit"]


def test_what_nobody_heard_can_be_told_later(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed()
    with Ear(broker, ASHA) as late:
        late.login()
        assert late.quiet()
        broker.control.resend(ASHA, order_id)
        assert late.event()["status"] == "Pending"


def test_any_frame_can_be_sent(broker: Simulator, ear: Ear) -> None:
    broker.control.send(ASHA, "42\n{}")
    broker.control.send(ASHA, b"\x00\xff\x32")
    assert ear.frame() == "42\n{}"
    assert ear.frame() == b"\x00\xff\x32"


def test_a_silent_socket_stays_open_and_says_nothing(
    broker: Simulator, rest: Rest, ear: Ear
) -> None:
    broker.control.silence(ASHA)
    ear.socket.ping("are you there")
    order_id = rest.placed()
    assert ear.quiet()
    assert broker.control.sockets(ASHA) == 1
    with Ear(broker, ASHA) as fresh:
        fresh.login()
        rest.send("DELETE", f"/orders/{order_id}")
        assert fresh.event()["status"] == "Cancelled"
    broker.control.silence(ASHA, on=False)
    rest.place()
    assert ear.event()["status"] == "Transit"


def test_a_socket_can_be_cut_without_and_with_a_close_frame(broker: Simulator) -> None:
    for with_close in (False, True):
        with Ear(broker, ASHA) as ear:
            ear.login()
            broker.control.cut(ASHA, with_close=with_close)
            if with_close:
                opcode, content = ear.socket.recv_data(control_frame=True)
                assert (opcode, content[:2]) == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xe8")
            else:
                with pytest.raises(ENDED):
                    ear.frame()
        eventually(lambda: not broker.control.sockets(ASHA), why="the socket is still there")


def test_a_login_is_a_request_like_others(broker: Simulator, ear: Ear) -> None:
    before = time.monotonic_ns()
    (seen,) = broker.control.requests(ASHA)
    assert (seen["method"], seen["path"], seen["status"]) == ("GET", "/feed", 101)
    assert seen["at"] <= before
    assert ear.quiet(0.05)
