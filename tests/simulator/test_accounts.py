"""Tokens, addresses, limits, and what an account is told about itself."""

import base64
import json
import time

import pytest
import requests

from simulator.limits import ORDER_LIMITS, READ_LIMITS, Windows
from simulator.server import Opening, Simulator
from simulator.tokens import totp
from tests.simulator.clients import ASHA, ENDED, LEADER, Ear, Rest

_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
_INVALID = {
    "errorType": "Invalid_Authentication",
    "errorCode": "DH-901",
    "errorMessage": "Client ID or user generated access token is invalid or expired.",
}


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_one_time_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert totp(_SECRET, at) == code


def test_a_token_is_shaped_like_a_jwt_and_differs_from_run_to_run(broker: Simulator) -> None:
    token = broker.token(ASHA)
    _, claims, _ = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert told["dhanClientId"] == ASHA
    assert 0 < told["exp"] - time.time() <= 24 * 3600
    with Simulator(accounts=[Opening(ASHA)]) as other:
        assert other.token(ASHA) != token


@pytest.mark.parametrize("path", ["/orders", "/profile", "/fundlimit"])
def test_a_strange_or_expired_token_is_refused(broker: Simulator, path: str) -> None:
    with Rest(broker, ASHA, token="strange") as stranger, Rest(broker, ASHA) as asha:
        assert stranger.send("GET", path).json() == _INVALID
        assert asha.send("GET", path).status_code == 200
        broker.control.expire_token(ASHA)
        refused = asha.send("GET", path)
        assert (refused.status_code, refused.json()) == (401, _INVALID)
    with Rest(broker, ASHA, token=broker.token(LEADER)) as mixed_up:
        assert mixed_up.send("GET", path).status_code == 401


def test_a_token_ends_after_a_day_but_a_given_one_lives_on() -> None:
    accounts = [Opening(LEADER, token="LITERAL"), Opening(ASHA)]
    with Simulator(accounts=accounts) as broker:
        assert broker.token(LEADER) == "LITERAL"
        broker.control.clock(offset_seconds=24 * 3600 + 1)
        with Rest(broker, LEADER) as leader, Rest(broker, ASHA) as asha:
            assert leader.send("GET", "/profile").status_code == 200
            assert asha.send("GET", "/profile").status_code == 401


def test_renewing_ends_the_old_token_and_its_sockets(broker: Simulator) -> None:
    with Rest(broker, ASHA) as asha, Ear(broker, ASHA) as ear:
        ear.login()
        renewed = asha.send("GET", "/RenewToken").json()
        assert renewed["accessToken"] == broker.token(ASHA)
        assert renewed["dhanClientId"] == ASHA
        assert len(renewed["expiryTime"]) == len("2026-11-25T09:15:00")
        dead = asha.send("GET", "/orders")
        assert dead.status_code == 400
        assert dead.json() == {"errorCode": "DH-906", "errorMessage": "Invalid Token"}
        assert asha.send("POST", "/RenewToken").status_code == 400
        with pytest.raises(ENDED):
            ear.frame()
    with Rest(broker, ASHA) as asha:
        assert asha.send("GET", "/orders").status_code == 200


def test_a_token_is_generated_for_a_pin_and_a_one_time_code() -> None:
    with Simulator(accounts=[Opening(ASHA, pin="4711", totp_secret=_SECRET)]) as broker:
        before = broker.token(ASHA)
        url = f"{broker.auth_url}/app/generateAccessToken"
        good = {"dhanClientId": ASHA, "pin": "4711", "totp": totp(_SECRET, time.time())}
        for wrong in ({"pin": "1"}, {"totp": "000000"}, {"totp": ""}, {"dhanClientId": "9"}):
            assert requests.post(url, params={**good, **wrong}, timeout=5).status_code == 401
        assert broker.token(ASHA) == before
        granted = requests.post(url, params=good, timeout=5).json()
        assert granted["accessToken"] == broker.token(ASHA) != before
        seen = broker.control.requests(ASHA)
        assert {each["path"] for each in seen} == {"/app/generateAccessToken"}
        assert "4711" not in json.dumps(seen)


def test_without_a_secret_no_token_is_generated(broker: Simulator) -> None:
    url = f"{broker.auth_url}/app/generateAccessToken"
    asked = {"dhanClientId": ASHA, "pin": "123456", "totp": ""}
    assert requests.post(url, params=asked, timeout=5).status_code == 401


def test_orders_come_from_allowed_addresses_and_reads_from_anywhere(
    broker: Simulator, rest: Rest
) -> None:
    order_id = rest.placed()
    broker.control.set_account(ASHA, allowed_ips=["10.0.0.7", "10.0.0.8"])
    for answer in (
        rest.send("POST", "/orders", rest.order()),
        rest.modify(order_id),
        rest.send("DELETE", f"/orders/{order_id}"),
    ):
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "DH-911")
    assert len(rest.send("GET", "/orders").json()) == 1
    told = rest.send("GET", "/ip/getIP").json()
    assert (told["primaryIP"], told["secondaryIP"]) == ("10.0.0.7", "10.0.0.8")
    assert (told["detectedIP"], told["ordersAllowed"]) == ("127.0.0.1", False)
    broker.control.set_account(ASHA, allowed_ips=["127.0.0.1"])
    rest.placed()
    assert rest.send("GET", "/ip/getIP").json()["ordersAllowed"] is True


# Limits


def test_orders_over_the_limit_are_throttled_without_advice(broker: Simulator, rest: Rest) -> None:
    broker.control.limits(ASHA, orders={"minute": 3, "hour": 6})
    order_id = rest.place()
    answers = [
        rest.send("POST", "/orders", rest.order()),
        rest.modify(order_id),
        rest.send("DELETE", f"/orders/{order_id}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json() == {
        "errorType": "Rate_Limit",
        "errorCode": "DH-904",
        "errorMessage": "Too many requests on server from single user breaching rate limits. "
        "Try throttling API calls.",
    }
    assert "Retry-After" not in answers[-1].headers
    assert rest.send("GET", "/orders").status_code == 200
    assert broker.control.throttled(ASHA) == 1
    assert broker.control.throttled(LEADER) == 0
    broker.control.limits(ASHA, orders={}, reads={"day": 1})
    assert rest.send("POST", "/orders", rest.order()).status_code == 200
    reads = [rest.send("GET", "/positions").status_code for _ in range(2)]
    assert reads == [200, 429]


def test_dhans_own_limits() -> None:
    orders, reads = Windows(ORDER_LIMITS), Windows(READ_LIMITS)
    assert [orders.admit(100.0) for _ in range(11)] == [True] * 10 + [False]
    assert orders.admit(100.999) is False
    assert orders.admit(101.001) is True
    paced = Windows(ORDER_LIMITS)
    by_minute = sum(paced.admit(200.0 + step / 5) for step in range(300))
    assert by_minute == 250
    assert [reads.admit(100.0) for _ in range(21)] == [True] * 20 + [False]


def test_a_refused_call_does_not_count() -> None:
    window = Windows(((1.0, 1),))
    assert [window.admit(at) for at in (0.0, 0.5, 0.9, 1.01)] == [True, False, False, True]


# Reading


def test_the_profile_proves_a_token(rest: Rest) -> None:
    profile = rest.send("GET", "/profile").json()
    assert profile["dhanClientId"] == ASHA
    ends = time.mktime(time.strptime(profile["tokenValidity"], "%d/%m/%Y %H:%M"))
    assert ends > time.time()


def test_the_margin_calculator_counts_as_the_broker_does(rest: Rest) -> None:
    body = {
        "dhanClientId": ASHA, "exchangeSegment": "NSE_EQ", "transactionType": "BUY",
        "quantity": 5, "productType": "CNC", "securityId": "1333", "price": 1428.0,
    }  # fmt: skip
    told = rest.send("POST", "/margincalculator", body).json()
    assert (told["totalMargin"], told["leverage"]) == (7140.0, "1X")
    told = rest.send("POST", "/margincalculator", {**body, "productType": "INTRADAY"}).json()
    assert (told["totalMargin"], told["leverage"]) == (1428.0, "5.00")
    told = rest.send("POST", "/margincalculator", {**body, "quantity": 5000}).json()
    assert told["insufficientBalance"] == 5000 * 1428.0 - 1_000_000
    assert rest.send("POST", "/margincalculator", {**body, "quantity": 0}).status_code == 400


def test_market_quotes_are_for_those_who_pay(broker: Simulator, rest: Rest) -> None:
    broker.control.price("NSE_EQ", "1333", 1430.5)
    body = {"NSE_EQ": [1333, 99999], "NSE_FNO": [40001], "dhanClientId": ASHA}
    told = rest.send("POST", "/marketfeed/ltp", body).json()
    assert told["status"] == "success"
    assert told["data"]["NSE_EQ"] == {"1333": {"last_price": 1430.5}}
    assert list(told["data"]["NSE_FNO"]) == ["40001"]
    broker.control.set_account(ASHA, quotes=False)
    refused = rest.send("POST", "/marketfeed/ltp", body)
    assert (refused.status_code, refused.json()["errorCode"]) == (200, 806)


@pytest.mark.parametrize("path", ["/forever/all", "/super/orders", "/orders/a/b"])
def test_an_unknown_path_is_answered_without_a_dhan_code(rest: Rest, path: str) -> None:
    answer = rest.send("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"status": 404, "error": "Not Found", "path": f"/v2{path}"}
