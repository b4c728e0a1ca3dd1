"""The simulator as a server: one port for REST, order updates, master and control.

with Simulator(accounts=[Opening("1000000001")]) as broker:
    broker.api_url, broker.token("1000000001"), broker.control.price("NSE_EQ", "2885", 2501)
"""

import asyncio
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from itertools import islice
from types import TracebackType
from typing import Self

from aiohttp import web

from simulator import rest, sockets
from simulator.box import Box, Opening
from simulator.client import Control
from simulator.control import ControlRoom
from simulator.instruments import master
from simulator.line import Line, Lines

__all__ = ["Opening", "Simulator"]

_API, _FEED, _CONTROL = "/v2", "/feed", "/control"
_MASTER = "/api-scrip-master-detailed.csv"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LAST_ANSWERS_SECONDS = 0.05
_BACKLOG = 1024
_PIECE_LINES = 200


class Simulator:
    """A broker that runs in a thread of its own from the moment it is made, until `stop`.

    `transit_ms` is an order's way to the exchange, `rtt_ms` the time between a request's arrival
    and its answer, `market` the phase to begin in, `seed` the chance in faults with a rate.
    Raises OSError when the address cannot be had.
    """

    def __init__(
        self,
        accounts: Iterable[Opening] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        transit_ms: int = 30,
        rtt_ms: int = 0,
        market: str = "open",
        seed: int = 0,
    ) -> None:
        self._accounts = tuple(accounts)
        self._listener = _listen(host, port)
        self._started: Future[Box] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(transit_ms, rtt_ms, market, seed), name="Simulator", daemon=True
        )
        shown = _ANYWHERE.get(host, host)
        name = f"[{shown}]" if ":" in shown else shown
        self._place = f"{name}:{self._listener.getsockname()[1]}"
        self._thread.start()
        self._box = self._started.result(_START_SECONDS)
        self.control = Control(self.control_url)

    @property
    def api_url(self) -> str:
        """Where the REST API is."""
        return f"http://{self._place}{_API}"

    @property
    def auth_url(self) -> str:
        """Where tokens are granted."""
        return f"http://{self._place}"

    @property
    def feed_url(self) -> str:
        """Where order updates are told."""
        return f"ws://{self._place}{_FEED}"

    @property
    def master_url(self) -> str:
        """Where the detailed instrument master is."""
        return f"http://{self._place}{_MASTER}"

    @property
    def control_url(self) -> str:
        """Where the simulator is steered."""
        return f"http://{self._place}{_CONTROL}"

    def token(self, client_id: str) -> str:
        """The account's present token. Raises KeyError when there is no such account."""
        return self._box.exchange.accounts[client_id].token

    def stop(self) -> None:
        """End every connection and the thread. May be called again."""
        if self._thread.is_alive():
            self._box.loop.call_soon_threadsafe(self._box.stopping.set)
            self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, transit_ms: int, rtt_ms: int, market: str, seed: int) -> None:
        try:
            asyncio.run(self._serve(transit_ms, rtt_ms, market, seed))
        except Exception as trouble:
            if not self._started.done():
                self._started.set_exception(trouble)
            else:
                raise
        finally:
            self._listener.close()

    async def _serve(self, transit_ms: int, rtt_ms: int, market: str, seed: int) -> None:
        loop = asyncio.get_running_loop()
        box = Box(loop, transit_ms, rtt_ms, seed)
        for opening in self._accounts:
            box.open(opening)
        box.exchange.enter(market)
        runner = web.ServerRunner(
            Lines(_Rooms(box).serve, loop), shutdown_timeout=_LAST_ANSWERS_SECONDS
        )
        await runner.setup()
        try:
            await web.SockSite(runner, self._listener, backlog=_BACKLOG).start()
            self._started.set_result(box)
            await box.stopping.wait()
            for account in box.exchange.accounts.values():
                box.feed.cut(account, with_close=False)
        finally:
            await runner.cleanup()


class _Rooms:
    """Leads each request to the room that its path names."""

    def __init__(self, box: Box) -> None:
        self._box, self._control = box, ControlRoom(box)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == _FEED:
            return await sockets.serve(self._box, request)
        if path == _MASTER:
            return await self._master(request)
        if path.startswith(_CONTROL):
            return await self._control.serve(request, path.removeprefix(_CONTROL).strip("/"))
        return await rest.serve(self._box, request, Line.heard(request))

    async def _master(self, request: web.BaseRequest) -> web.StreamResponse:
        """The instrument master in pieces: it can be long, and the others shall not wait."""
        answer = web.StreamResponse(headers={"Content-Type": "text/csv"})
        await answer.prepare(request)
        lines = master(list(self._box.exchange.listings.values()))
        while piece := "".join(islice(lines, _PIECE_LINES)):
            await answer.write(piece.encode())
            await asyncio.sleep(0)
        await answer.write_eof()
        return answer


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
