"""What others do: from the leader's frame to every follower's order, recording nothing.

Each is written as its kind usually is, on connections that are warm before the first frame.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import aiohttp
import websocket
from dhanhq import DhanContext, dhanhq

from benchmarks.contest import LISTING, PRICE, QUANTITY, TAG, Contest, login, new_order, token

Ready = Callable[[], None]

_EXPECTED: dict[str, object] = {
    "txnType": "B",
    "productName": "INTRADAY",
    "validity": "DAY",
    "securityId": LISTING.security_id,
    "quantity": QUANTITY,
    "price": PRICE / 100,
}


def loop(contest: Contest, ready: Ready) -> None:
    """The plain loop over followers with the official SDK: what people write first."""
    accounts = [_sdk(contest, client) for client in contest.followers]
    for account in accounts:
        account.get_order_list()
    feed = _listen(contest)
    ready()
    while True:
        order = new_order(str(feed.recv()))
        if order is not None:
            for account in accounts:
                _place(account, order)


def threads(contest: Contest, ready: Ready) -> None:
    """A thread for every follower, with the official SDK."""
    accounts = [_sdk(contest, client) for client in contest.followers]
    with ThreadPoolExecutor(max_workers=len(accounts)) as pool:
        list(pool.map(lambda account: account.get_order_list(), accounts))
        feed = _listen(contest)
        ready()
        while True:
            order = new_order(str(feed.recv()))
            if order is not None:
                list(pool.map(_place, accounts, [order] * len(accounts)))


def tasks(contest: Contest, ready: Ready) -> None:
    """asyncio and aiohttp: one task for every follower."""
    asyncio.run(_tasks(contest, ready))


async def _tasks(contest: Contest, ready: Ready) -> None:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3600)
    async with aiohttp.ClientSession(connector=connector) as session:
        url = f"{contest.api_url}/orders"
        accounts = [(client, _headers(client)) for client in contest.followers]

        async def read(headers: dict[str, str]) -> None:
            async with session.get(url, headers=headers) as answer:
                await answer.read()

        async def place(client: str, headers: dict[str, str], order: dict[str, object]) -> None:
            body = _body(client, order)
            async with session.post(url, json=body, headers=headers) as answer:
                await answer.json()

        await asyncio.gather(*(read(headers) for _, headers in accounts))
        async with session.ws_connect(contest.feed_url) as feed:
            await feed.send_str(login(contest.leader))
            ready()
            async for message in feed:
                order = new_order(message.data)
                if order is not None:
                    await asyncio.gather(*(place(*account, order) for account in accounts))


def prebuilt(contest: Contest, ready: Ready) -> None:
    """The floor: bytes that were built before the frame came, on warm sockets, by one thread.

    Nobody can do this for real, as the order is not known before; it reads nothing of the frame
    but whether it tells of a new order.
    """
    parts = urlsplit(contest.api_url)
    sockets, requests = [], []
    for client in contest.followers:
        plain = socket.create_connection((parts.hostname or "", parts.port or 80))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(_raw(parts.netloc, client, "GET"))
        plain.recv(65536)
        sockets.append(plain)
        requests.append(_raw(parts.netloc, client, "POST", json.dumps(_body(client, _EXPECTED))))
    feed = _listen(contest)
    ready()
    while True:
        if '"Pending"' in str(feed.recv()):
            for plain, request in zip(sockets, requests, strict=True):
                plain.send(request)
            for plain in sockets:
                plain.recv(65536)


def _listen(contest: Contest) -> websocket.WebSocket:
    feed = websocket.create_connection(contest.feed_url)
    feed.send(login(contest.leader))
    return feed


def _sdk(contest: Contest, client: str) -> dhanhq:
    context = DhanContext(client, token(client))
    context.get_dhan_http().base_url = contest.api_url
    return dhanhq(context)


def _place(account: dhanhq, order: dict[str, object]) -> None:
    account.place_order(
        security_id=order["securityId"],
        exchange_segment=LISTING.segment,
        transaction_type="BUY" if order["txnType"] == "B" else "SELL",
        quantity=order["quantity"],
        order_type="LIMIT",
        product_type=order["productName"],
        price=order["price"],
        tag=TAG,
    )


def _headers(client: str) -> dict[str, str]:
    return {"access-token": token(client), "client-id": client, "Accept": "application/json"}


def _body(client: str, order: dict[str, object]) -> dict[str, object]:
    return {
        "dhanClientId": client,
        "transactionType": "BUY" if order["txnType"] == "B" else "SELL",
        "exchangeSegment": LISTING.segment,
        "productType": order["productName"],
        "orderType": "LIMIT",
        "validity": order["validity"],
        "securityId": order["securityId"],
        "quantity": order["quantity"],
        "price": order["price"],
        "correlationId": TAG,
    }


def _raw(netloc: str, client: str, method: str, body: str = "") -> bytes:
    lines = [f"{method} /v2/orders HTTP/1.1", f"Host: {netloc}"]
    lines += [f"{name}: {value}" for name, value in _headers(client).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()
