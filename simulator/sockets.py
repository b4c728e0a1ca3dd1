"""The order-update socket's door: login, pings, the end."""

import asyncio
import json
import time

from aiohttp import WSMsgType, web

from simulator.accounts import Account
from simulator.box import Box, Sighting
from simulator.links import Link

_LOGIN_CODE = 42
_LOGIN_SECONDS = 10.0
_REFUSAL = b"\x00\x00\x32\x03invalid token"


async def serve(box: Box, request: web.BaseRequest) -> web.StreamResponse:
    """One socket of one account, from login to the end. A good login is not answered; a bad one
    by a binary frame and an end without a close frame."""
    socket = web.WebSocketResponse(autoping=False)
    await socket.prepare(request)
    link = Link(socket, request)
    account = await _login(box, socket)
    if account is None:
        await link.say(_REFUSAL)
        link.drop()
        return socket
    account.links.append(link)
    box.sightings.append(
        Sighting(
            account.client_id, "GET", request.path, time.monotonic_ns(), request.remote or "",
            status=101,
        )
    )  # fmt: skip
    try:
        async for message in socket:
            if message.type is WSMsgType.PING:
                await link.pong(message.data)
    finally:
        account.links.remove(link)
    return socket


async def _login(box: Box, socket: web.WebSocketResponse) -> Account | None:
    """The account that the first frame names with a good token."""
    try:
        async with asyncio.timeout(_LOGIN_SECONDS):
            first = await socket.receive()
        login = json.loads(first.data)["LoginReq"]
        account = box.exchange.accounts.get(str(login["ClientId"]))
        good = account is not None and box.believes(account, login["Token"])
    except (TimeoutError, ValueError, TypeError, KeyError):
        return None
    return account if good and login.get("MsgCode") == _LOGIN_CODE else None
