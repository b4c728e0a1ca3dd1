"""The official SDK against the simulator, used as any Dhan client would, with its own faults."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dhanhq import DhanContext, DhanLogin, OrderUpdate, dhanhq

from simulator.consent import CONSENTS_A_DAY
from simulator.server import Opening, Simulator
from simulator.tokens import totp
from tests.simulator.clients import ASHA, consented, reliance
from tests.waiting import eventually

_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def context(broker: Simulator) -> DhanContext:
    """The SDK's context, pointed at the simulator."""
    made = DhanContext(ASHA, broker.token(ASHA))
    made.get_dhan_http().base_url = broker.api_url
    return made


@pytest.fixture
def dhan(context: DhanContext) -> Any:
    """The SDK's client."""
    return dhanhq(context)


def _place(dhan: Any, **changes: Any) -> str:
    usual = {
        "security_id": "2885", "exchange_segment": dhan.NSE, "transaction_type": dhan.BUY,
        "quantity": 10, "order_type": dhan.LIMIT, "product_type": dhan.INTRA, "price": 2490,
    }  # fmt: skip
    answer = dhan.place_order(**{**usual, **changes})
    assert answer["status"] == "success", answer
    assert answer["data"]["orderStatus"] == "TRANSIT"
    return str(answer["data"]["orderId"])


def _status(dhan: Any, order_id: str) -> str:
    (row,) = dhan.get_order_by_id(order_id)["data"]
    return str(row["orderStatus"])


def test_an_orders_life_by_the_sdk(broker: Simulator, dhan: Any) -> None:
    order_id = _place(dhan, tag="sdk-1")
    broker.control.limits(ASHA, reads={})
    eventually(lambda: _status(dhan, order_id) == "PENDING")
    assert dhan.get_order_by_correlationID("sdk-1")["data"]["orderId"] == order_id
    changed = dhan.modify_order(order_id, dhan.LIMIT, None, 12, 2489.0, 0.0, 0, dhan.DAY)
    assert changed["status"] == "success"
    reliance(broker, 2489, volume=5)
    (trade,) = dhan.get_trade_book(order_id)["data"]
    assert (trade["tradedQuantity"], trade["tradedPrice"]) == (5, 2489.0)
    assert len(dhan.get_trade_book()["data"]) == 1
    cancelled = dhan.cancel_order(order_id)
    assert cancelled["status"] == "failure"
    assert "Expecting value" in cancelled["remarks"]
    (row,) = dhan.get_order_list()["data"]
    assert (row["orderStatus"], row["filledQty"], row["quantity"]) == ("CANCELLED", 5, 12)


def test_market_sliced_and_after_market_orders_by_the_sdk(broker: Simulator, dhan: Any) -> None:
    market = _place(dhan, order_type=dhan.MARKET, price=0)
    eventually(lambda: _status(dhan, market) == "TRADED")
    broker.control.set_account(ASHA, funds=100_000_000)
    sliced = dhan.place_slice_order(
        "40001", dhan.NSE_FNO, dhan.BUY, 65 * 30, dhan.LIMIT, dhan.MARGIN, 100
    )
    assert len(sliced["data"]) == 2
    broker.control.market("closed")
    late = _place(dhan, after_market_order=True, amo_time="OPEN_30")
    eventually(lambda: _status(dhan, late) == "PENDING")


def test_the_account_by_the_sdk(broker: Simulator, dhan: Any) -> None:
    assert dhan.get_fund_limits()["data"]["availabelBalance"] == 1_000_000.0
    assert dhan.get_positions()["data"] == []
    holdings = dhan.get_holdings()
    assert holdings["remarks"]["error_code"] == "DH-1111"
    margin = dhan.margin_calculator("2885", dhan.NSE, dhan.BUY, 10, dhan.INTRA, 2500.0)
    assert margin["data"]["totalMargin"] == 5000.0
    assert dhan.kill_switch("activate")["data"]["killSwitchStatus"] == "ACTIVATE"
    assert dhan.status_kill_switch()["data"]["killSwitchStatus"] == "ACTIVATE"
    dhan.kill_switch("deactivate")
    _place(dhan, order_type=dhan.MARKET, price=0)
    eventually(lambda: dhan.get_positions()["data"])
    assert dhan.exit_all_positions()["status"] == "success"


def test_a_refusal_by_the_sdk(broker: Simulator, dhan: Any) -> None:
    broker.control.expire_token(ASHA)
    refused = dhan.get_order_list()
    assert refused["status"] == "failure"
    assert refused["remarks"]["error_code"] == "DH-901"


def test_tokens_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator(accounts=[Opening(ASHA, totp_secret=_SECRET)]) as broker:
        monkeypatch.setattr(DhanLogin, "AUTH_BASE_URL", broker.auth_url)
        monkeypatch.setattr(DhanLogin, "API_BASE_URL", broker.api_url)
        login = DhanLogin(ASHA)
        by_web = broker.token(ASHA)
        renewed = login.renew_token(by_web)
        assert renewed["accessToken"] == broker.token(ASHA) != by_web
        granted = login.generate_token("123456", totp(_SECRET, time.time()))
        assert granted["accessToken"] == broker.token(ASHA) != renewed["accessToken"]
        assert login.user_profile(granted["accessToken"])["dhanClientId"] == ASHA
        with pytest.raises(Exception, match="generated on Dhan Web"):
            login.renew_token(granted["accessToken"])


def test_a_login_by_consent_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator(accounts=[Opening(ASHA, api_key="key", api_secret="secret")]) as broker:
        monkeypatch.setattr(DhanLogin, "AUTH_BASE_URL", broker.auth_url)
        opened: list[str] = []
        monkeypatch.setattr("webbrowser.open", opened.append)
        login = DhanLogin(ASHA)
        with pytest.raises(Exception, match="Invalid app_id"):
            login.generate_login_session("key", "wrong")
        login.generate_login_session("key", "secret")
        led = parse_qs(urlsplit(consented(opened[0])).query)
        granted = login.consume_token_id(led["tokenId"][0], "key", "secret")
        assert granted["accessToken"] == broker.token(ASHA)
        assert granted["dhanClientId"] == ASHA
        with pytest.raises(Exception, match="invalid or expired"):
            login.consume_token_id(led["tokenId"][0], "key", "secret")
        for _ in range(CONSENTS_A_DAY - 1):
            login.generate_login_session("key", "secret")
        with pytest.raises(Exception, match="Too many consents"):
            login.generate_login_session("key", "secret")


@pytest.fixture
def heard(broker: Simulator, context: DhanContext) -> Iterator[list[Any]]:
    """What the SDK's own order-update client hears."""
    updates: list[Any] = []
    client = OrderUpdate(context)
    client.order_feed_wss = broker.feed_url
    client.on_update = updates.append
    loop = asyncio.new_event_loop()
    listening = loop.create_task(client.connect_order_update())
    thread = threading.Thread(target=loop.run_until_complete, args=(asyncio.wait([listening]),))
    thread.start()
    eventually(lambda: broker.control.sockets(ASHA) == 1)
    yield updates
    loop.call_soon_threadsafe(listening.cancel)
    thread.join()
    loop.close()


def test_order_updates_by_the_sdk(dhan: Any, heard: list[Any]) -> None:
    order_id = _place(dhan, order_type=dhan.MARKET, price=0)
    eventually(lambda: len(heard) == 3)
    assert [update["Data"]["status"] for update in heard] == ["Transit", "Pending", "Traded"]
    assert {update["Data"]["orderNo"] for update in heard} == {order_id}
