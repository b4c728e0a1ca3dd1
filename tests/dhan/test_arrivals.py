"""When an answer came in, however late it is looked at."""

import select
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from dhan.arrivals import arrived_ns
from dhan.calls import Answer, Call
from dhan.wire import Wire
from tests.dhan.broker import Asked, Broker, answer
from tests.dhan.conftest import PLACE, READ, account
from tests.waiting import eventually

_MS = 1_000_000
_TICKS_NS = 25 * _MS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture
def linked() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as link,
        server.accept()[0] as peer,
    ):
        yield link, peer


def test_what_came_in_came_when_it_came_and_not_when_it_was_asked_about(
    linked: tuple[socket.socket, socket.socket],
) -> None:
    link, peer = linked
    before = time.monotonic_ns()
    peer.sendall(b"answer")
    select.select([link], [], [], 5.0)
    here = time.monotonic_ns()
    assert link.recv(100) == b"answer"
    eventually(lambda: time.monotonic_ns() - here > 4 * _TICKS_NS)
    # It may be asked in a bad moment; what it says is never too early.
    eventually(lambda: before <= arrived_ns(link, 0) <= here + _TICKS_NS)
    assert all(arrived_ns(link, 0) >= before for _ in range(1000))


def test_what_comes_in_now_came_by_now(linked: tuple[socket.socket, socket.socket]) -> None:
    link, peer = linked
    for _ in range(200):
        before = time.monotonic_ns()
        peer.sendall(b"answer")
        link.recv(100)
        assert before <= arrived_ns(link, 0) <= time.monotonic_ns()


def test_nothing_came_before_it_was_asked_for(linked: tuple[socket.socket, socket.socket]) -> None:
    link, peer = linked
    peer.sendall(b"early")
    link.recv(100)
    eventually(lambda: time.monotonic_ns() - arrived_ns(link, 0) > _TICKS_NS)
    asked = time.monotonic_ns()
    assert arrived_ns(link, asked) == asked


def test_an_answer_counts_from_when_it_came_while_the_wire_was_busy(wire: Wire) -> None:
    asked, go_on, answers = threading.Event(), threading.Event(), list[Answer]()
    answered: list[int] = []

    def respond(request: Asked) -> bytes | None:
        if request.method == "POST":
            asked.wait(5.0)  # until the wire is busy
            request.peer.send(answer())
            answered.append(time.monotonic_ns())
            return None
        return answer()

    def busy(_: Answer) -> None:
        asked.set()
        go_on.wait(5.0)

    with Broker(respond) as broker:
        line = wire.open(account(broker))
        eventually(lambda: len(broker.peers) == 2)
        wire.dispatch([Call(line, PLACE, 5.0, answers.append), Call(line, READ, 5.0, busy)])
        eventually(lambda: bool(answered))
        eventually(lambda: time.monotonic_ns() - answered[0] > 8 * _TICKS_NS)
        go_on.set()
        eventually(lambda: bool(answers))
    assert answers[0].status == 200
    assert answers[0].answered_at - answered[0] < 4 * _TICKS_NS
