"""The order-update socket: login, order events in production's shapes, and its faults."""

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from simulator.accounts import Account
from simulator.orders import BrokerOrder

if TYPE_CHECKING:
    from simulator.box import Box

_LOGIN_SECONDS = 10.0
_REFUSAL = b"\x00\x00\x32\x03invalid token"


async def socket(request: web.Request) -> web.StreamResponse:
    """One socket of one account, from login to the end."""
    box: Box = request.app["box"]
    link = web.WebSocketResponse(autoping=False)
    await link.prepare(request)
    account = await _login(box, link)
    if account is None:
        await link.send_bytes(_REFUSAL)
        _drop(link)
        return link
    account.sockets.append(link)
    box.sight(account.client_id, request).status = 101
    try:
        async for message in link:
            if message.type is WSMsgType.PING and not account.silent:
                await link.pong(message.data)
    finally:
        if link in account.sockets:
            account.sockets.remove(link)
    return link


async def _login(box: "Box", link: web.WebSocketResponse) -> Account | None:
    """The account that the first frame names with a good token."""
    try:
        async with asyncio.timeout(_LOGIN_SECONDS):
            first = await link.receive()
        login = json.loads(first.data)["LoginReq"]
        account = box.exchange.accounts.get(str(login["ClientId"]))
        good = account is not None and box.believes(account, login["Token"])
    except (TimeoutError, ValueError, TypeError, KeyError):
        return None
    return account if good and login.get("MsgCode") == 42 else None


def tell(box: "Box", account: Account, order: BrokerOrder) -> None:
    """Send an event of the order to every socket of its account, with whatever fault is on."""
    frame = _frame(account, order.event(box.exchange.quotes[order.listing.key].price))
    order.told.append(frame)
    if not account.sockets:
        return
    for sent in _faulted(box, account, frame):
        _send(box, account, sent)


def _frame(account: Account, event: dict[str, object]) -> str:
    if account.pascal:
        event = {key[0].upper() + key[1:]: value for key, value in event.items()}
    return json.dumps({"Data": event, "Type": "order_alert"})


def _faulted(box: "Box", account: Account, frame: str) -> list[str | bytes]:
    """The frames that leave instead of this one."""
    fault = box.faults.strike(account.client_id, "feed")
    held = box.held_frames.pop(account.client_id, None)
    frames: list[str | bytes] = [frame] if held is None else [frame, held]
    if fault is None:
        return _joined(account, frames)
    if fault.kind == "drop":
        return frames[1:]
    if fault.kind == "double":
        return [*frames, frame]
    if fault.kind == "reorder":
        box.held_frames[account.client_id] = frame
        box.loop.call_later(0.5, _release, box, account, frame)
        return frames[1:]
    if fault.kind == "delay":
        box.loop.call_later(fault.ms / 1000, _send, box, account, frame)
        return frames[1:]
    if fault.kind == "cut":
        cut(account, with_close=False)
        return []
    junk: dict[str, str | bytes] = {
        "binary": b"\x32\x0a\x00\x01\x27\x03",
        "garbage": "<html>502 Bad Gateway</html>",
        "partial": frame[: len(frame) // 2],
    }
    return [junk[fault.kind], *frames]


def _joined(account: Account, frames: list[str | bytes]) -> list[str | bytes]:
    """Some clients saw two objects in one frame, back to back or on lines of their own."""
    if len(frames) < 2 or account.frames == "single":
        return frames
    separator = "\n" if account.frames == "lines" else ""
    return [separator.join(frame for frame in frames if isinstance(frame, str))]


def _release(box: "Box", account: Account, frame: str) -> None:
    if box.held_frames.get(account.client_id) == frame:
        del box.held_frames[account.client_id]
        _send(box, account, frame)


def _send(box: "Box", account: Account, frame: str | bytes) -> None:
    if account.silent:
        return
    for link in list(account.sockets):
        box.spawn(_write(link, frame))


async def _write(link: web.WebSocketResponse, frame: str | bytes) -> None:
    try:
        if isinstance(frame, bytes):
            await link.send_bytes(frame)
        else:
            await link.send_str(frame)
    except (ConnectionError, RuntimeError):
        _drop(link)


def raw(box: "Box", account: Account, frame: str | bytes) -> None:
    """Send any frame to the account's sockets."""
    _send(box, account, frame)


def cut(account: Account, with_close: bool) -> None:
    """End the account's sockets, without a close frame unless asked."""
    for link in list(account.sockets):
        if with_close:
            asyncio.get_running_loop().create_task(link.close())
        else:
            _drop(link)


def _drop(link: web.WebSocketResponse) -> None:
    transport = link._req.transport if link._req is not None else None
    if transport is not None:
        transport.abort()
