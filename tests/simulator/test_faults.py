"""Every fault that can be switched on, seen from outside."""

import json
import threading
import time

import pytest
import requests

from simulator.client import ControlError
from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, ENDED, LEADER, Ear, Rest
from tests.waiting import eventually

_SPOILT = [
    ("status", 502, b"<html>"),
    ("garbage", 200, b"\x00\x01not json"),
    ("truncated", 200, b'{"orderId":"11'),
    ("empty", 200, b""),
]


@pytest.mark.parametrize(("kind", "status", "begins"), _SPOILT)
@pytest.mark.parametrize("after", [True, False], ids=["acts first", "never acts"])
def test_an_answer_is_spoilt_once(
    broker: Simulator, rest: Rest, kind: str, status: int, begins: bytes, after: bool
) -> None:
    broker.control.fault(ASHA, "place", kind, status=502, after=after)
    answer = rest.send("POST", "/orders", rest.order())
    assert answer.status_code == status
    assert answer.content.startswith(begins)
    assert len(broker.control.book(ASHA)) == after
    assert broker.control.struck() == {f"place:{kind}:{'after' if after else 'before'}": 1}
    assert broker.control.requests(ASHA)[-1]["status"] == status
    rest.placed()


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("throttle", 429, "DH-904"), ("token", 401, "DH-901")]
)
def test_a_refusal_never_acts(
    broker: Simulator, rest: Rest, kind: str, status: int, code: str
) -> None:
    broker.control.fault(ASHA, "place", kind)
    answer = rest.send("POST", "/orders", rest.order())
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert broker.control.book(ASHA) == []
    assert broker.control.throttled(ASHA) == 0


@pytest.mark.parametrize("after", [True, False], ids=["acts first", "never acts"])
def test_a_connection_is_reset(broker: Simulator, rest: Rest, after: bool) -> None:
    broker.control.fault(ASHA, "place", "reset", after=after)
    with pytest.raises(requests.ConnectionError):
        rest.send("POST", "/orders", rest.order())
    assert len(broker.control.book(ASHA)) == after
    assert broker.control.requests(ASHA)[-1]["status"] == 0


@pytest.mark.parametrize("after", [True, False], ids=["acts first", "never acts"])
def test_a_request_hangs(broker: Simulator, rest: Rest, after: bool) -> None:
    broker.control.fault(ASHA, "place", "hang", after=after)
    with pytest.raises(requests.ReadTimeout):
        rest.send("POST", "/orders", rest.order(), timeout=0.3)
    assert len(broker.control.book(ASHA)) == after
    rest.placed()


@pytest.mark.parametrize("after", [True, False], ids=["acts first", "acts late"])
def test_a_request_is_delayed(broker: Simulator, rest: Rest, after: bool) -> None:
    broker.control.fault(ASHA, "cancel", "delay", ms=300, after=after)
    order_id = rest.placed()
    began = time.monotonic()
    assert rest.send("DELETE", f"/orders/{order_id}").status_code == 202
    assert time.monotonic() - began >= 0.3
    (cancelled,) = [
        json.loads(frame)["Data"]["status"] for frame in broker.control.events(ASHA, order_id)
    ][-1:]
    assert cancelled == "Cancelled"


def test_a_slow_account_is_slow_alone(broker: Simulator, rest: Rest) -> None:
    broker.control.set_account(ASHA, slow_ms=1000)
    slow = threading.Thread(target=rest.send, args=("GET", "/positions"))
    slow.start()
    eventually(lambda: broker.control.requests(ASHA))
    with Rest(broker, LEADER) as leader:
        assert leader.send("GET", "/positions").status_code == 200
    assert broker.control.requests(ASHA)[0]["status"] == 0
    slow.join()
    assert broker.control.requests(ASHA)[0]["status"] == 200


def test_a_fault_is_for_its_account_operation_and_number(broker: Simulator, rest: Rest) -> None:
    broker.control.fault(ASHA, "read", "status", times=2, status=503)
    with Rest(broker, LEADER) as leader:
        assert leader.send("GET", "/orders").status_code == 200
    rest.placed()
    statuses = [rest.send("GET", "/orders").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_faults_for_all_strike_until_cleared(broker: Simulator, rest: Rest) -> None:
    broker.control.fault("*", "*", "status", times=-1)
    with Rest(broker, LEADER) as leader, Ear(broker, LEADER) as ear:
        ear.login()
        assert leader.send("GET", "/orders").status_code == 500
        assert rest.send("GET", "/RenewToken").status_code == 500
        broker.control.place(
            LEADER, segment="NSE_EQ", security_id="2885", side="BUY", quantity=1, price=2000
        )
        assert ear.event()["status"] == "Transit"
        broker.control.clear_faults()
        assert leader.send("GET", "/orders").status_code == 200


def test_chance_is_the_same_for_the_same_seed() -> None:
    def statuses(seed: int) -> list[int]:
        with Simulator(accounts=[Opening(ASHA)], seed=seed) as broker, Rest(broker, ASHA) as rest:
            broker.control.limits(ASHA, reads={})
            broker.control.fault(ASHA, "read", "status", times=-1, rate=0.5)
            return [rest.send("GET", "/orders").status_code for _ in range(40)]

    first = statuses(7)
    assert first == statuses(7)
    assert {200, 500} == set(first)
    assert first != statuses(8)


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "think", "kind": "delay"},
        {"operation": "place", "kind": "drop"},
        {"operation": "feed", "kind": "hang"},
        {"operation": "*", "kind": "drop"},
        {"operation": "place", "kind": "status", "status": 200},
        {"operation": "place", "kind": "delay", "client_id": "5"},
    ],
)
def test_a_senseless_fault_is_refused(broker: Simulator, fault: dict[str, object]) -> None:
    asked: dict[str, object] = {"client_id": ASHA, **fault}
    with pytest.raises(ControlError):
        broker.control.fault(**asked)  # type: ignore[arg-type]


# The socket


def _statuses(ear: Ear, count: int) -> list[str]:
    return [ear.event()["status"] for _ in range(count)]


def test_an_event_is_dropped(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.fault(ASHA, "feed", "drop")
    rest.place(price=2500.0)
    assert _statuses(ear, 2) == ["Pending", "Traded"]


def test_an_event_is_doubled(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.fault(ASHA, "feed", "double")
    rest.place()
    assert _statuses(ear, 3) == ["Transit", "Transit", "Pending"]


def test_events_change_places(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.fault(ASHA, "feed", "reorder")
    rest.place(price=2500.0)
    assert _statuses(ear, 3) == ["Pending", "Transit", "Traded"]


def test_a_lone_event_held_back_comes_in_the_end(broker: Simulator, rest: Rest, ear: Ear) -> None:
    order_id = rest.placed()
    ear.until("Pending")
    broker.control.fault(ASHA, "feed", "reorder")
    rest.send("DELETE", f"/orders/{order_id}")
    assert _statuses(ear, 1) == ["Cancelled"]
    assert ear.quiet(0.7)


def test_an_event_is_late(broker: Simulator, rest: Rest, ear: Ear) -> None:
    broker.control.fault(ASHA, "feed", "delay", ms=200)
    rest.place(price=2500.0)
    assert _statuses(ear, 3) == ["Pending", "Traded", "Transit"]


@pytest.mark.parametrize("kind", ["binary", "garbage", "partial"])
def test_junk_comes_before_an_event(broker: Simulator, rest: Rest, ear: Ear, kind: str) -> None:
    broker.control.fault(ASHA, "feed", kind)
    rest.place()
    junk = ear.frame()
    assert isinstance(junk, bytes) == (kind == "binary")
    with pytest.raises(ValueError):  # noqa: PT011 - each kind of junk fails in its own words
        json.loads(junk)
    assert _statuses(ear, 2) == ["Transit", "Pending"]


def test_the_socket_is_cut_instead_of_an_event(broker: Simulator, rest: Rest, ear: Ear) -> None:
    order_id = rest.placed()
    ear.until("Pending")
    broker.control.fault(ASHA, "feed", "cut")
    rest.send("DELETE", f"/orders/{order_id}")
    with pytest.raises(ENDED):
        ear.frame()
    eventually(lambda: broker.control.sockets(ASHA) == 0)
