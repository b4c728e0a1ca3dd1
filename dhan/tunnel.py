"""The way through an account's own HTTP proxy: a tunnel by CONNECT, for REST, login and feed.

No other proxy is ever used, whatever the environment says.
"""

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from dhan.unyielding import connected

_LONGEST_ANSWER = 16_384
_END = b"\r\n\r\n"

Login = Callable[[], str] | None


class ProxyRefused(OSError):
    """The proxy does not lead to Dhan; says how it answered, in words that show no secret."""


def place(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy's address."""
    parts = urlsplit(proxy)
    return parts.hostname or "", parts.port or 80


def pass_through(link: socket.socket, host: str, port: int, login: Login) -> None:
    """Have a connection to a proxy lead to that host from now on. Raises OSError, and what `login`
    raises."""
    link.sendall(_request(host, port, login))
    answer = b""
    while _END not in answer:
        piece = link.recv(_LONGEST_ANSWER)
        answer += piece
        _mind(answer, piece)
    _judge(answer)


async def tunnelled(proxy: str, host: str, port: int, login: Login) -> socket.socket:
    """A connection to that host by way of a proxy, for the running loop. Raises OSError, and what
    `login` raises."""
    request = _request(host, port, login)

    async def ask(link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(link, request)
        answer = b""
        while _END not in answer:
            piece = await loop.sock_recv(link, _LONGEST_ANSWER)
            answer += piece
            _mind(answer, piece)
        _judge(answer)

    return await connected(*place(proxy), begin=ask)


def _request(host: str, port: int, login: Login) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    who = f"Proxy-Authorization: Basic {login()}\r\n" if login is not None else ""
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{who}\r\n".encode("ascii")


def _mind(answer: bytes, piece: bytes) -> None:
    if not piece:
        raise ProxyRefused("the proxy hung up")
    if len(answer) > _LONGEST_ANSWER:
        raise ProxyRefused("the answer of the proxy is too long")


def _judge(answer: bytes) -> None:
    words = answer.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].startswith(b"2"):
        status = words[1][:3].decode("ascii", "replace") if len(words) > 1 else "nothing"
        why = "takes no such user and password" if status == "407" else f"answered {status}"
        raise ProxyRefused(f"the proxy {why}")
