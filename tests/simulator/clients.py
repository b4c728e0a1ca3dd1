"""Plain clients of the simulated broker: `requests` for REST, websocket-client for the socket."""

import contextlib
import json
from types import TracebackType
from typing import Any, Self

import requests
import websocket

from simulator.server import Simulator
from tests.waiting import eventually

LEADER, ASHA = "1000000001", "1000000002"
ENDED = (ConnectionError, websocket.WebSocketConnectionClosedException)
Row = dict[str, Any]


def reliance(
    broker: Simulator, price: float, volume: int | None = None, part: float | None = None
) -> None:
    """Move the price of RELIANCE."""
    broker.control.price("NSE_EQ", "2885", price, volume=volume, part=part)


def consented(link: str) -> str:
    """Where a browser is led that gives the consent at a link."""
    with requests.Session() as browser:
        browser.trust_env = False
        return browser.get(link, allow_redirects=False, timeout=10).headers["Location"]


class Rest:
    """The REST API as one account, by plain HTTP."""

    def __init__(self, broker: Simulator, client_id: str, token: str | None = None) -> None:
        self._broker, self.client_id = broker, client_id
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["client-id"] = client_id
        self._session.headers["access-token"] = token or broker.token(client_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def send(
        self, method: str, path: str, body: Row | None = None, timeout: float = 10.0
    ) -> requests.Response:
        """A request as it stands."""
        url = self._broker.api_url + path
        return self._session.request(method, url, json=body, timeout=timeout)

    def order(self, **changes: Any) -> Row:
        """The body of an order: 10 RELIANCE at 2490, a little under the market."""
        usual = {
            "dhanClientId": self.client_id,
            "transactionType": "BUY",
            "exchangeSegment": "NSE_EQ",
            "productType": "INTRADAY",
            "orderType": "LIMIT",
            "validity": "DAY",
            "securityId": "2885",
            "quantity": 10,
            "price": 2490.0,
        }
        body = {**usual, **changes}
        return {key: value for key, value in body.items() if value is not None}

    def place(self, **changes: Any) -> str:
        """The id of an order placed."""
        answer = self.send("POST", "/orders", self.order(**changes))
        assert answer.status_code == 200, answer.text
        assert answer.json()["orderStatus"] == "TRANSIT"
        return str(answer.json()["orderId"])

    def modify(self, order_id: str, **changes: Any) -> requests.Response:
        """A change: the terms of `order`, but for `changes`."""
        terms = {
            "dhanClientId": self.client_id,
            "orderId": order_id,
            "orderType": "LIMIT",
            "validity": "DAY",
            "quantity": 10,
            "price": 2490.0,
            "triggerPrice": 0.0,
            "disclosedQuantity": 0,
        }
        return self.send("PUT", f"/orders/{order_id}", {**terms, **changes})

    def row(self, order_id: str) -> Row:
        """The order as the order book shows it."""
        (row,) = self.send("GET", f"/orders/{order_id}").json()
        assert isinstance(row, dict)
        return row

    def settled(self, order_id: str, status: str) -> Row:
        """The row as soon as it has that status."""
        control = self._broker.control

        def found() -> Row | None:
            for row in control.book(self.client_id):
                if row["orderId"] == order_id and row["orderStatus"] == status:
                    return row
            return None

        row = eventually(found, why=f"{order_id} never became {status}")
        assert row is not None
        return row

    def placed(self, status: str = "PENDING", **changes: Any) -> str:
        """The id of an order that has got as far as that status."""
        order_id = self.place(**changes)
        self.settled(order_id, status)
        return order_id


class Ear:
    """An order-update socket of one account."""

    def __init__(self, broker: Simulator, client_id: str) -> None:
        self._broker, self._client_id = broker, client_id
        self.socket = websocket.create_connection(broker.feed_url, timeout=5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self.socket.close(timeout=0)

    def login(self, token: str | None = None, code: object = 42) -> None:
        """Log in, and see that the broker took it when the token is its own."""
        good = token is None and code == 42
        before = self._broker.control.sockets(self._client_id)
        login = {
            "MsgCode": code,
            "ClientId": self._client_id,
            "Token": token or self._broker.token(self._client_id),
        }
        self.socket.send(json.dumps({"LoginReq": login, "UserType": "SELF"}))
        if good:
            eventually(
                lambda: self._broker.control.sockets(self._client_id) == before + 1,
                why="the login was not taken",
            )

    def frame(self, timeout: float = 5.0) -> str | bytes:
        """The next frame."""
        self.socket.settimeout(timeout)
        opcode, content = self.socket.recv_data()
        assert isinstance(content, bytes)
        return content.decode() if opcode == websocket.ABNF.OPCODE_TEXT else content

    def event(self) -> Row:
        """The next frame, which has to be one event: what is in it."""
        told = json.loads(self.frame())
        assert told["Type"] == "order_alert"
        event = told["Data"]
        assert isinstance(event, dict)
        return event

    def until(self, status: str) -> list[Row]:
        """All events up to the first one of that status."""
        events = [self.event()]
        while events[-1]["status"] != status:
            events.append(self.event())
        return events

    def quiet(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for that long."""
        try:
            self.frame(seconds)
        except websocket.WebSocketTimeoutException:
            return True
        return False
