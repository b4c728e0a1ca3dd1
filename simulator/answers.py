"""Answers as Dhan gives them, and what a fault makes of them."""

import json
import socket
import struct

from aiohttp import web

from simulator.ask import Refused
from simulator.faults import Fault

_KINDS = {
    "DH-901": "Invalid_Authentication",
    "DH-904": "Rate_Limit",
    "DH-905": "Input_Exception",
    "DH-906": "Order_Error",
    "DH-911": "Invalid_IP",
    "DH-1111": "HOLDING_ERROR",
}
_SPOILT = {"garbage": "\x00\x01not json", "truncated": '{"orderId":"11', "empty": ""}


def busy() -> Refused:
    """The account's rate limit is reached; there is no Retry-After."""
    words = (
        "Too many requests on server from single user breaching rate limits. "
        "Try throttling API calls."
    )
    return Refused(words, "DH-904", 429)


def dead() -> Refused:
    """The token is none, or has ended."""
    words = "Client ID or user generated access token is invalid or expired."
    return Refused(words, "DH-901", 401)


def told(content: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=json.dumps(content).encode(), status=status, content_type="application/json"
    )


def nothing() -> web.Response:
    """The 202 without a body that a cancel gets."""
    return web.Response(status=202)


def refusal(refused: Refused) -> web.Response:
    """An error in Dhan's most usual shape; some come without `errorType`."""
    kind = _KINDS.get(refused.code, "Order_Error") if refused.kind is None else refused.kind
    content = {"errorCode": refused.code, "errorMessage": str(refused)}
    return told({"errorType": kind, **content} if kind else content, refused.status)


def no_such_path(path: str) -> web.Response:
    """What the framework under Dhan's API says of an unknown path: no Dhan code in it."""
    return told({"status": 404, "error": "Not Found", "path": path}, 404)


def spoilt(fault: Fault) -> web.Response:
    """What goes out instead of an answer, for the faults that answer at all."""
    if fault.kind == "throttle":
        return refusal(busy())
    if fault.kind == "token":
        return refusal(dead())
    if fault.kind == "status":
        html = f"<html><body><h1>{fault.status}</h1></body></html>"
        return web.Response(status=fault.status, text=html, content_type="text/html")
    return web.Response(text=_SPOILT[fault.kind], content_type="application/json")


def reset(request: web.BaseRequest) -> None:
    """End the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
