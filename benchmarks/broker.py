"""The broker of the benchmark: `python -m benchmarks.broker`, a process steered by lines of JSON.

REST answers a round trip after the request came in; what counts is the monotonic time at which
a request was complete in this process, taken before anything of it is looked at. Leaner than the
simulator, whose aiohttp server needs longer for one request than a fast contestant for a follower.
"""

import asyncio
import gc
import json
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial

from aiohttp import WSMsgType, web

from benchmarks.contest import LISTING, PRICE, QUANTITY
from benchmarks.rest import Later, Request, Rest
from simulator.ask import Terms
from simulator.orders import BrokerOrder, Fill

_IST = timezone(timedelta(hours=5, minutes=30))
RTT = 0.020
NEVER = float("inf")
ALONE = "alone"
_SWITCH_SECONDS = 0.0002  # an arrival does not wait for events that are being told
_FIRST_ORDER = 112111180000
_TERMS = Terms("LIMIT", QUANTITY, PRICE)


@dataclass(slots=True)
class _Account:
    """`seconds` is how long its answers take."""

    client_id: str
    seconds: float = RTT
    orders: list[BrokerOrder] = field(default_factory=list)
    shown: dict[str, bytes] = field(default_factory=dict)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)

    def book(self) -> bytes:
        """The order book as JSON; ended orders are written once."""
        rows = []
        for order in self.orders:
            row = self.shown.get(order.order_id)
            if row is None:
                row = json.dumps(order.row()).encode()
                if order.ended:
                    self.shown[order.order_id] = row
            rows.append(row)
        return b"[" + b",".join(rows) + b"]"


@dataclass(slots=True)
class _Round:
    """One order of a leader, until every awaited follower's copy of it was answered."""

    awaited: set[str]
    sent_ns: int
    arrivals: dict[str, list[int]]
    finished: "asyncio.Future[None]"


class Broker:
    """Answers requests, tells order events and counts arrivals; `alone` if it has a processor of
    its own."""

    def __init__(self, alone: bool) -> None:
        self._alone = alone
        self._loop = asyncio.get_running_loop()
        self.rest = Rest(RTT, self.handle)
        self._accounts: dict[str, _Account] = {}
        self._round: _Round | None = None
        self._placed: list[BrokerOrder] = []
        self._numbers = iter(range(_FIRST_ORDER, _FIRST_ORDER * 10))
        self._faults: list[str] = []
        self._telling: set[asyncio.Task[int]] = set()

    # REST, on the thread of `rest`

    def handle(self, request: Request) -> None:
        """Answer a request, at once or as late as its account is to be answered."""
        account = self._account(request.client_id)
        act: Later
        match request.method, request.path:
            case "POST", "/v2/orders":
                self._count(account, request.at)
                act = partial(self._place, request, account)
            case "GET", "/v2/orders":
                act = partial(self._show_book, request, account)
            case "GET", "/v2/profile":
                act = partial(request.respond, b"{}")
            case method, path:
                self._faults.append(f"nobody should have asked for {method} {path}")
                act = partial(request.respond, b'{"errorCode":"DH-906"}', "400 Bad Request")
        if account.seconds == RTT:
            act()
        elif account.seconds != NEVER:
            self.rest.later(request.at + int(account.seconds * 1e9), act)

    def _count(self, account: _Account, at: int) -> None:
        if self._round is not None:
            self._round.arrivals.setdefault(account.client_id, []).append(at)
        elif account.seconds == RTT:
            self._faults.append(f"{account.client_id} placed an order after all were in step")

    def _show_book(self, request: Request, account: _Account) -> None:
        request.respond(account.book())

    def _place(self, request: Request, account: _Account) -> None:
        asked = json.loads(request.body)
        if _wrong(asked):
            self._faults.append(f"{account.client_id} asked for {asked}")
        order = self._new_order(account, "API", str(asked.get("correlationId", "NA")))
        request.respond(b'{"orderId":"%s","orderStatus":"TRANSIT"}' % order.order_id.encode())
        self._loop.call_soon_threadsafe(self._placed_one, account, order)

    # Orders and their events, on the loop

    def _placed_one(self, account: _Account, order: BrokerOrder) -> None:
        self._tell_soon(account, order)
        if self._round is not None:
            self._round.awaited.discard(account.client_id)
            self._finish_round()

    def _account(self, client_id: str) -> _Account:
        account = self._accounts.get(client_id)
        if account is None:
            account = self._accounts[client_id] = _Account(client_id)
        return account

    def _new_order(self, account: _Account, platform: str, correlation: str) -> BrokerOrder:
        number, now = next(self._numbers), datetime.now(_IST)
        order = BrokerOrder(
            number=number,
            order_id=str(number),
            client_id=account.client_id,
            listing=LISTING,
            side="BUY",
            product="INTRADAY",
            terms=_TERMS,
            correlation_id=correlation,
            platform=platform,
            created=now,
            updated=now,
            reference=PRICE,
            status="PENDING",
            exchange_id=f"11000000{number}",
        )
        account.orders.append(order)
        self._placed.append(order)
        return order

    async def _tell(self, account: _Account, order: BrokerOrder) -> int:
        """Tell the account's sockets of the order; the time just before the first was told."""
        frame = json.dumps({"Data": order.event(PRICE), "Type": "order_alert"})
        at = time.monotonic_ns()
        for link in account.sockets:
            await link.send_str(frame)
        return at

    def _tell_soon(self, account: _Account, order: BrokerOrder) -> None:
        if account.sockets:
            telling = self._loop.create_task(self._tell(account, order))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """An order-update socket, from login to the end."""
        link = web.WebSocketResponse()
        await link.prepare(request)
        account = self._account(json.loads((await link.receive()).data)["LoginReq"]["ClientId"])
        account.sockets.append(link)
        async for message in link:
            if message.type is WSMsgType.TEXT:
                self._faults.append("a second text frame on an order-update socket")
        account.sockets.remove(link)
        return link

    # What the benchmark asks for

    async def command(self, asked: Mapping[str, object]) -> dict[str, object]:
        """Do what a line asks for."""
        match asked:
            case {"do": "order", "leader": str(leader), "followers": list(followers),
                  "seconds": float(seconds)}:  # fmt: skip
                return await self._order(leader, followers, seconds)
            case {"do": "trade"}:
                return self._trade()
            case {"do": "conduct", "account": str(client_id), "seconds": float(seconds)}:
                self._account(client_id).seconds = seconds
                return {}
        raise ValueError(f"not understood: {asked}")

    async def _order(self, leader: str, followers: list[str], seconds: float) -> dict[str, object]:
        """The leader places an order; what arrived until all followers' copies were answered."""
        account = self._account(leader)
        while not account.sockets:
            await asyncio.sleep(0.01)
        order = self._new_order(account, "FAST", "NA")
        finished = self._loop.create_future()
        self._round = told = _Round(set(followers), 0, {}, finished)
        self.rest.stay_awake(self._alone)
        told.sent_ns = await self._tell(account, order)
        try:
            async with asyncio.timeout(seconds):
                await finished
        except TimeoutError:
            self._faults.append(f"{sorted(told.awaited)} did not copy within {seconds} s")
        self._round = None
        self.rest.stay_awake(False)
        faults, self._faults = self._faults, []
        arrivals = {client: told.arrivals.get(client, []) for client in followers}
        return {
            "order_id": order.order_id,
            "sent_ns": told.sent_ns,
            "arrivals": arrivals,
            "faults": faults,
        }

    def _finish_round(self) -> None:
        told = self._round
        if told is not None and not told.awaited and not told.finished.done():
            told.finished.set_result(None)

    def _trade(self) -> dict[str, object]:
        """Everything that is open trades in full."""
        now, traded = datetime.now(_IST), 0
        while self._placed:
            order = self._placed.pop(0)
            order.fills.append(Fill(f"T{order.order_id}", QUANTITY, PRICE, now))
            order.status, order.updated = "TRADED", now
            order.filled, order.value = QUANTITY, QUANTITY * PRICE
            self._tell_soon(self._account(order.client_id), order)
            traded += 1
        return {"traded": traded}


def _wrong(asked: Mapping[str, object]) -> bool:
    """Whether a copy is not what the leader ordered."""
    return (
        asked.get("securityId") != LISTING.security_id
        or asked.get("exchangeSegment") != LISTING.segment
        or asked.get("transactionType") != "BUY"
        or asked.get("quantity") != QUANTITY
        or asked.get("price") != PRICE / 100
    )


async def _serve(alone: bool) -> None:
    loop = asyncio.get_running_loop()
    broker = Broker(alone)
    broker.rest.start()
    app = web.Application()
    app.router.add_get("/", broker.feed)
    runner = web.AppRunner(app, handle_signals=False, access_log=None)
    await runner.setup()
    feed = web.TCPSite(runner, "127.0.0.1", 0)
    await feed.start()
    rest_port, feed_port = broker.rest.port, runner.addresses[0][1]
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(_SWITCH_SECONDS)
    _say({"api_url": f"http://127.0.0.1:{rest_port}/v2", "feed_url": f"ws://127.0.0.1:{feed_port}"})
    lines = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        _say(await broker.command(json.loads(line)))


def _say(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(alone=ALONE in sys.argv))
