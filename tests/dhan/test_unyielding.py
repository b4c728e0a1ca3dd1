"""Looks and writes that keep the interpreter: what they find, and that they keep it."""

import asyncio
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from dhan import unyielding
from dhan.unyielding import Ends, Unyielding, connected
from tests.waiting import eventually

_NEVER = 3600.0
_Pair = tuple[Unyielding, socket.socket]

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


@pytest.fixture
def pair() -> Iterator[_Pair]:
    """Both ends of a connection, the first as the wire has it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = asyncio.run(connected(*server.getsockname()))
        with link, server.accept()[0] as peer:
            yield link, peer


def _close(peer: socket.socket) -> None:
    peer.close()


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def _say(peer: socket.socket) -> None:
    peer.send(b"nobody asked")


@linux
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("end", [_close, _reset])
def test_an_end_is_found(pair: _Pair, end: Callable[[socket.socket], None], tls: bool) -> None:
    link, peer = pair
    ends = Ends(link.fileno(), tls=tls)
    assert not ends.found()
    end(peer)
    eventually(ends.found)
    assert ends.found(), "it was found once only"


@linux
def test_an_end_behind_bytes_is_found_beneath_tls(pair: _Pair) -> None:
    link, peer = pair
    ends = Ends(link.fileno(), tls=True)
    _say(peer)
    peer.close()
    eventually(ends.found)


def test_bytes_that_nobody_asked_for_are_found(pair: _Pair) -> None:
    link, peer = pair
    plain, tls = Ends(link.fileno(), tls=False), Ends(link.fileno(), tls=True)
    _say(peer)
    eventually(plain.found)
    assert not tls.found()


@pytest.mark.parametrize("end", [_close, _reset, _say])
def test_elsewhere_an_end_is_found_too(
    pair: _Pair, end: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unyielding, "_LINUX", False)
    link, peer = pair
    ends = Ends(link.fileno(), tls=False)
    assert not ends.found()
    end(peer)
    eventually(ends.found)
    assert not Ends(link.fileno(), tls=True).found()


@pytest.mark.parametrize("on_linux", [True, False])
def test_what_is_sent_arrives_as_far_as_the_socket_takes_it(
    pair: _Pair, on_linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unyielding, "_LINUX", on_linux and unyielding._LINUX)
    link, peer = pair
    whole = bytes(range(256)) * 40_000
    sent = 0
    with suppress(BlockingIOError):
        while sent < len(whole):
            sent += link.send(whole[sent:])
    assert 0 < sent < len(whole), "it took more than a socket can hold"
    with pytest.raises(BlockingIOError):
        link.send(whole)
    came = b""
    while len(came) < sent:
        came += peer.recv(sent)
    assert came == whole[:sent]
    assert link.send(bytearray(b"more")) == 4
    assert peer.recv(10) == b"more"


@linux
def test_a_socket_that_takes_nothing_any_more_says_so(pair: _Pair) -> None:
    link, peer = pair
    _reset(peer)
    eventually(Ends(link.fileno(), tls=True).found)
    with pytest.raises(ConnectionError):
        link.send(b"x")
    link.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        link.send(b"x")


@linux
def test_nobody_else_has_the_interpreter_meanwhile(pair: _Pair) -> None:
    """It is not taken away within the hour that is set here, so that only who gives it up loses
    it; the other thread does so all the time."""
    link, peer = pair
    ends, ran, go_on = Ends(link.fileno(), tls=False), list[int](), threading.Event()

    def run() -> None:
        while not go_on.is_set():
            ran.append(1)
            time.sleep(0)

    before = sys.getswitchinterval()
    other = threading.Thread(target=run)
    other.start()
    try:
        eventually(lambda: ran)
        sys.setswitchinterval(_NEVER)
        time.sleep(0)
        had = len(ran)
        for _ in range(1000):
            assert not ends.found()
            assert link.send(b"x") == 1
        kept = len(ran) == had
        eventually(lambda: len(ran) > had)
    finally:
        sys.setswitchinterval(before)
        go_on.set()
        other.join()
    assert kept, "another thread ran in between"
    assert peer.recv(4000)


def test_a_connection_that_cannot_begin_is_closed() -> None:
    asked = list[socket.socket]()

    async def refuse(link: socket.socket) -> None:
        asked.append(link)
        raise ConnectionRefusedError("not here")

    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with pytest.raises(ConnectionRefusedError, match="not here"):
            asyncio.run(connected(host, port, begin=refuse))
    assert [link.fileno() for link in asked] == [-1]


def test_a_connection_comes_from_the_address_of_the_account() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        link = asyncio.run(connected(host, port, source_ip="127.0.0.7"))
        with link, server.accept()[0] as peer:
            assert peer.getpeername()[0] == "127.0.0.7"
