"""The server's side of a web socket, byte by byte."""

import hashlib
import json
import struct
from base64 import b64encode

from tests.dhan.broker import Asked

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def welcome(asked: Asked) -> None:
    """Answer the handshake."""
    key = asked.headers["sec-websocket-key"] + _GUID
    accept = b64encode(hashlib.sha1(key.encode()).digest()).decode()
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        "",
        "",
    )
    asked.peer.send("\r\n".join(lines).encode())


def frame(opcode: int, payload: bytes = b"", last: bool = True) -> bytes:
    """A frame as a server sends it."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65536:
        length = b"\x7e" + struct.pack("!H", size)
    else:
        length = b"\x7f" + struct.pack("!Q", size)
    return bytes([(0x80 if last else 0) | opcode]) + length + payload


def read(asked: Asked) -> tuple[int, bytes]:
    """The next frame of the client. Raises ConnectionError at its end."""
    head = _exactly(asked, 2)
    size = head[1] & 0x7F
    if size == 126:
        size = struct.unpack("!H", _exactly(asked, 2))[0]
    mask = _exactly(asked, 4)
    masked = _exactly(asked, size)
    return head[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))


def login(asked: Asked) -> dict[str, object]:
    """Answer the handshake and read the login."""
    welcome(asked)
    opcode, payload = read(asked)
    assert opcode == TEXT
    parsed = json.loads(payload)
    assert isinstance(parsed, dict)
    return parsed


def _exactly(asked: Asked, count: int) -> bytes:
    got = asked.peer.lines.read(count)
    if len(got) < count:
        raise ConnectionError("the client has ended it")
    return got
