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
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from aiohttp import WSMsgType, web

from benchmarks.accounts import NEVER, RTT, Account
from benchmarks.contest import IST, LISTING, PRICE, QUANTITY
from benchmarks.leaders import Leaders
from benchmarks.rest import Later, Request, Rest
from benchmarks.rounds import Round
from simulator.ask import Terms
from simulator.orders import BrokerOrder

ALONE = "alone"
_SWITCH_SECONDS = 0.0002  # an arrival does not wait for events that are being told
_FIRST_ORDER = 112111180000
_TERMS = Terms("LIMIT", QUANTITY, PRICE)


class Broker:
    """Answers requests, tells order events and counts arrivals; `alone` if it has a processor of
    its own."""

    def __init__(self, alone: bool) -> None:
        self._alone = alone
        self._loop = asyncio.get_running_loop()
        self.rest = Rest(RTT, self.handle)
        self._accounts: dict[str, Account] = {}
        self._round: Round | None = None
        self.placed: list[BrokerOrder] = []
        self._numbers = iter(range(_FIRST_ORDER, _FIRST_ORDER * 10))
        self._faults: list[str] = []
        self._telling: set[asyncio.Task[int]] = set()
        self._books: dict[str, asyncio.Queue[tuple[int, int]]] = {}
        self._logins: dict[str, asyncio.Queue[int]] = {}

    # REST, on the thread of `rest`

    def handle(self, request: Request) -> None:
        """Answer a request, at once or as late as its account is to be answered."""
        account = self.account(request.client_id)
        act = self._act(request, account)
        if account.seconds == RTT:
            act()
        elif account.seconds != NEVER:
            self.rest.later(request.at + int(account.seconds * 1e9), act)

    def _act(self, request: Request, account: Account) -> Later:
        if account.away:
            return partial(request.respond, b"", "503 Service Unavailable")
        match request.method, request.path:
            case "POST", "/v2/orders":
                self._count(account, request.at)
                return partial(self._place, request, account)
            case "GET", "/v2/orders":
                return partial(self._show_book, request, account)
            case "GET", "/v2/trades":
                return lambda: request.respond(account.trades())
            case "GET", "/v2/positions":
                return lambda: request.respond(account.positions())
            case "GET", "/v2/profile" | "/v2/ip/getIP":
                return partial(request.respond, b"{}")
        self._faults.append(f"nobody should have asked for {request.method} {request.path}")
        return partial(request.respond, b'{"errorCode":"DH-906"}', "400 Bad Request")

    def _count(self, account: Account, at: int) -> None:
        if self._round is not None:
            self._round.arrived(account.client_id, at)
        elif account.seconds == RTT:
            self._faults.append(f"{account.client_id} placed an order after all were in step")

    def _show_book(self, request: Request, account: Account) -> None:
        orders = len(account.orders)
        request.respond(account.book())
        shown = self._books.get(account.client_id)
        if shown is not None:
            at = time.monotonic_ns()
            self._loop.call_soon_threadsafe(shown.put_nowait, (at, orders))

    def _place(self, request: Request, account: Account) -> None:
        asked = json.loads(request.body)
        if self._round is not None and (fault := self._round.fault(account.client_id, asked)):
            self._faults.append(fault)
        name, price = str(asked.get("correlationId", "NA")), round(asked["price"] * 100)
        order = self.new_order(account, "API", name, price)
        request.respond(b'{"orderId":"%s","orderStatus":"TRANSIT"}' % order.order_id.encode())
        self._loop.call_soon_threadsafe(self._placed_one, account, order)

    # Orders and their events, on the loop

    def _placed_one(self, account: Account, order: BrokerOrder) -> None:
        self.tell_soon(account, order)
        if self._round is not None:
            self._round.answered(account.client_id)

    def account(self, client_id: str) -> Account:
        """The account, opened when it is first named."""
        account = self._accounts.get(client_id)
        if account is None:
            account = self._accounts[client_id] = Account(client_id)
        return account

    def new_order(
        self, account: Account, platform: str, correlation: str, price: int = PRICE
    ) -> BrokerOrder:
        """An order of the account that is open at the exchange."""
        number, now = next(self._numbers), datetime.now(IST)
        order = BrokerOrder(
            number=number,
            order_id=str(number),
            client_id=account.client_id,
            listing=LISTING,
            side="BUY",
            product="INTRADAY",
            terms=replace(_TERMS, price=price),
            correlation_id=correlation,
            platform=platform,
            created=now,
            updated=now,
            reference=PRICE,
            status="PENDING",
            exchange_id=f"11000000{number}",
        )
        account.orders.append(order)
        self.placed.append(order)
        return order

    async def tell(self, account: Account, order: BrokerOrder) -> int:
        """Tell the account's sockets of the order; the time just before the first was told."""
        frame = json.dumps({"Data": order.event(PRICE), "Type": "order_alert"})
        at = time.monotonic_ns()
        for link in account.sockets:
            await link.send_str(frame)
        return at

    def tell_soon(self, account: Account, order: BrokerOrder) -> None:
        """Tell the account's sockets of the order as soon as they can be told."""
        if account.sockets:
            telling = self._loop.create_task(self.tell(account, order))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """An order-update socket, from login to the end."""
        if any(account.away for account in self._accounts.values()):
            raise web.HTTPServiceUnavailable
        link = web.WebSocketResponse()
        await link.prepare(request)
        account = self.account(json.loads((await link.receive()).data)["LoginReq"]["ClientId"])
        if (logins := self._logins.get(account.client_id)) is not None:
            logins.put_nowait(time.monotonic_ns())
        account.sockets.append(link)
        async for message in link:
            if message.type is WSMsgType.TEXT:
                self._faults.append("a second text frame on an order-update socket")
        account.sockets.remove(link)
        return link

    # What its leaders' deeds are told and counted by

    def begin(self, awaited: dict[str, int], price: Callable[[str], int | None]) -> Round:
        """Count what arrives from now on, until so many copies of each follower are answered."""
        self._round = Round(awaited, self._loop.create_future(), price)
        self.rest.stay_awake(self._alone)
        return self._round

    async def finish(self, told: Round, followers: list[str], seconds: float) -> dict[str, object]:
        """Wait until a round is over, and tell of it."""
        try:
            async with asyncio.timeout(seconds):
                await told.finished
        except TimeoutError:
            self._faults.append(f"{sorted(told.awaited)} did not copy within {seconds} s")
        self._round = None
        self.rest.stay_awake(False)
        faults, self._faults = self._faults, []
        arrivals = {client: told.arrivals.get(client, []) for client in followers}
        return {"sent_ns": told.sent_ns, "arrivals": arrivals, "faults": faults}

    async def next_book(self, client_id: str, orders: int = 0) -> int:
        """When the account's book was shown next with so many orders at least (monotonic ns)."""
        shown = self._books[client_id] = asyncio.Queue()
        while True:
            at, rows = await shown.get()
            if rows >= orders:
                del self._books[client_id]
                return at

    async def next_login(self, client_id: str) -> int:
        """When the account opened its next order-update socket (monotonic ns)."""
        logins = self._logins[client_id] = asyncio.Queue()
        at = await logins.get()
        del self._logins[client_id]
        return at


async def _serve(alone: bool) -> None:
    loop = asyncio.get_running_loop()
    broker = Broker(alone)
    command = Leaders(broker).command
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
        _say(await command(json.loads(line)))


def _say(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(alone=ALONE in sys.argv))
