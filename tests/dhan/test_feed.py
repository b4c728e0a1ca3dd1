"""The order-update socket, against the simulator and a server that does everything wrong."""

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.addresses import FeedAddress
from dhan.codec.feed import alerts
from dhan.feed import Feed, Pace
from dhan.tokens import TokenSource
from domain.orders import Status
from simulator.server import Opening, Simulator
from tests.dhan import sockets
from tests.dhan.broker import TOKEN, Asked, Broker
from tests.dhan.certificates import Authority
from tests.dhan.listening import Heard
from tests.waiting import eventually

LEADER = "1000000001"
QUICK = Pace(ping=0.1, liveness=0.5, first_pause=0.05, longest_pause=0.2)
PATIENT = Pace(ping=20.0, liveness=45.0, first_pause=0.05, longest_pause=0.2)


@contextmanager
def listening(
    url: str, token: Callable[[], str] = lambda: TOKEN, pace: Pace = PATIENT
) -> Iterator[tuple[Feed, Heard]]:
    """A feed that is open for a while, and what it tells."""
    heard = Heard()
    feed = Feed(FeedAddress(LEADER, url, token), heard, pace)
    feed.start()
    try:
        yield feed, heard
    finally:
        feed.stop(5.0)
        assert _threads() == []


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == f"Feed-{LEADER}"]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(accounts=[Opening(LEADER)], transit_ms=0) as broker:
        yield broker


@contextmanager
def server(act: Callable[[Asked], None]) -> Iterator[tuple[Broker, str]]:
    """A web socket server that does what `act` does with each client."""

    def handle(asked: Asked) -> None:
        try:
            act(asked)
        except OSError:
            return
        finally:
            asked.peer.close()

    with Broker(handle) as broker:
        yield broker, f"ws://127.0.0.1:{broker.port}/"


def _stays(asked: Asked) -> None:
    """Reads whatever comes, and never says a word."""
    sockets.login(asked)
    while True:
        sockets.read(asked)


# What is said and heard


def test_the_login_is_dhans_and_nothing_of_it_stands_in_url_or_headers() -> None:
    logins: list[object] = []

    def act(asked: Asked) -> None:
        logins.append(sockets.login(asked))
        assert sockets.read(asked)

    with server(act) as (broker, url), listening(url):
        eventually(lambda: logins)
        assert logins == [
            {"LoginReq": {"MsgCode": 42, "ClientId": LEADER, "Token": TOKEN}, "UserType": "SELF"}
        ]
        (asked,) = broker.asked
        assert not any(TOKEN in part for part in (asked.path, *asked.headers.values()))
        assert "origin" not in asked.headers


def test_an_order_event_is_heard_as_it_came(simulator: Simulator) -> None:
    with listening(simulator.feed_url, lambda: simulator.token(LEADER)) as (_, heard):
        eventually(lambda: _sockets(simulator))
        before = time.monotonic_ns()
        order_id = simulator.control.place(
            LEADER, segment="NSE_EQ", security_id="2885", side="BUY", quantity=5, price=2400
        )
        eventually(lambda: len(heard.frames) >= 2)
        assert heard.told[0] == ("live", "")
        (alert,) = alerts(heard.frames[-1], before, LEADER).alerts
        assert (alert.order.order_id, alert.order.status) == (order_id, Status.PENDING)


def test_several_events_in_one_frame_are_all_there(simulator: Simulator) -> None:
    event = {"orderNo": "1", "status": "Pending"}
    frame = json.dumps({"Data": event, "Type": "order_alert"})
    with listening(simulator.feed_url, lambda: simulator.token(LEADER)) as (_, heard):
        eventually(lambda: _sockets(simulator))
        simulator.control.send(LEADER, frame + frame + "\n" + frame)
        eventually(lambda: heard.frames)
        assert heard.frames == [frame + frame + "\n" + frame]
        assert len(alerts(frame + frame, 0, LEADER).junk) == 2


def test_frames_may_come_in_pieces_and_with_pauses() -> None:
    """A message of three fragments, a ping between them, each byte on its own; then a frame of
    which the second half comes after several pings."""

    def act(asked: Asked) -> None:
        sockets.login(asked)
        whole = b"".join(
            (
                sockets.frame(sockets.TEXT, b"one ", last=False),
                sockets.frame(sockets.PING, b"alive?"),
                sockets.frame(0, b"two ", last=False),
                sockets.frame(0, "dré".encode()),
            )
        )
        for byte in whole:
            asked.peer.send(bytes([byte]))
        late = sockets.frame(sockets.TEXT, b"x" * 70_000)
        asked.peer.send(late[:30_000])
        pongs = [sockets.read(asked) for _ in range(3)]
        assert (sockets.PONG, b"alive?") in pongs
        asked.peer.send(late[30_000:])
        while True:
            sockets.read(asked)

    pace = Pace(ping=0.1, liveness=5.0)
    with server(act) as (_, url), listening(url, pace=pace) as (_, heard):
        eventually(lambda: len(heard.frames) == 2)
        assert heard.frames == ["one two dré", "x" * 70_000]
        assert heard.count("lost") == 0


def test_bytes_that_are_no_text_are_told_as_far_as_they_can_be_read() -> None:
    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(sockets.frame(sockets.TEXT, b'{"a":"\xff\xfe"}'))
        asked.peer.send(sockets.frame(sockets.BINARY, b"\x32\x0a\xff"))
        while True:
            sockets.read(asked)

    with server(act) as (_, url), listening(url) as (_, heard):
        eventually(lambda: len(heard.frames) == 2)
        assert heard.frames == ['{"a":"\ufffd\ufffd"}', b"\x32\x0a\xff"]


# Refusals


def test_a_token_that_the_broker_does_not_take_is_refused_until_there_is_another(
    simulator: Simulator,
) -> None:
    token = "wrong"
    pace = Pace(first_pause=0.05, longest_pause=60.0)
    with listening(simulator.feed_url, lambda: token, pace) as (feed, heard):
        eventually(lambda: heard.count("refused") >= 2)
        assert heard.told[:2] == [("live", ""), ("frame", b"\x00\x00\x32\x03invalid token")]
        assert heard.told[2][0] == "refused"
        assert heard.told[3][0] == "lost"
        token = simulator.token(LEADER)
        feed.reconnect()
        eventually(lambda: _sockets(simulator), timeout=1.0)


def test_an_early_end_without_a_word_is_a_refusal() -> None:
    def act(asked: Asked) -> None:
        sockets.login(asked)

    with server(act) as (_, url):
        with listening(url) as (_, heard):
            eventually(lambda: heard.count("refused") >= 2)
        assert "closed without a close frame" in heard.refused_for[0]
        assert "2 times" in heard.refused_for[1]
        assert heard.frames == []


def test_an_early_end_after_an_event_is_no_refusal() -> None:
    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(sockets.frame(sockets.TEXT, b"{}"))

    with server(act) as (_, url), listening(url) as (_, heard):
        eventually(lambda: heard.count("lost") >= 2)
        assert heard.refused_for == []


@pytest.mark.parametrize(("pause", "refused"), [(0.0, True), (1.5, False)])
def test_a_binary_frame_is_a_refusal_only_when_the_end_follows_it(
    monkeypatch: pytest.MonkeyPatch, pause: float, refused: bool
) -> None:
    """Such frames were also seen at times that nobody could explain."""
    monkeypatch.setattr("dhan.feed._SOON", 1.0)

    def act(asked: Asked) -> None:
        sockets.login(asked)
        time.sleep(1.2)
        asked.peer.send(sockets.frame(sockets.BINARY, b"\x32\x0a\x00"))
        time.sleep(pause)

    with server(act) as (_, url), listening(url) as (_, heard):
        eventually(lambda: heard.count("lost"))
        assert bool(heard.refused_for) is refused


# Losses


@pytest.mark.parametrize("with_close", [False, True])
def test_a_cut_is_told_and_the_socket_comes_back(simulator: Simulator, with_close: bool) -> None:
    with listening(simulator.feed_url, lambda: simulator.token(LEADER)) as (_, heard):
        eventually(lambda: _sockets(simulator))
        simulator.control.send(LEADER, "before")
        eventually(lambda: heard.frames)
        simulator.control.cut(LEADER, with_close=with_close)
        eventually(lambda: heard.count("live") == 2 and _sockets(simulator))
        simulator.control.send(LEADER, "after")
        eventually(lambda: heard.frames == ["before", "after"])
        assert heard.lost_for[0].startswith("closed")
        assert heard.refused_for == []


def test_a_socket_that_dies_silently_is_given_up(simulator: Simulator) -> None:
    with listening(simulator.feed_url, lambda: simulator.token(LEADER), QUICK) as (_, heard):
        eventually(lambda: _sockets(simulator))
        simulator.control.silence(LEADER)
        eventually(lambda: heard.lost_for)
        assert heard.lost_for[0].startswith("silent")
        simulator.control.silence(LEADER, on=False)
        lost = heard.count("lost")
        eventually(lambda: heard.count("live") > lost)


def test_pings_keep_a_quiet_socket_for_live(simulator: Simulator) -> None:
    pace = Pace(ping=0.2, liveness=1.5)
    with listening(simulator.feed_url, lambda: simulator.token(LEADER), pace) as (_, heard):
        eventually(lambda: _sockets(simulator))
        time.sleep(2.5)
        assert heard.told == [("live", "")]


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xff\xff\xff\xff\xff\xff",
        b"\xc1\x05hello",
        b"\x80\x03odd",
        b"\x83\x00",
        b"\x88\x01x",
        b"\x88\x02\x00\x01",
        b"\x89\x7e\x01\x00" + b"p" * 256,
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    ],
)
def test_a_hostile_frame_costs_the_socket_and_not_the_feed(hostile: bytes) -> None:
    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(hostile)

    with server(act) as (_, url), listening(url) as (_, heard):
        eventually(lambda: heard.count("lost") >= 2)
        assert heard.count("live") >= 2


def test_a_listener_that_fails_costs_the_socket_and_not_the_feed() -> None:
    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(sockets.frame(sockets.TEXT, b"{}"))
        while True:
            sockets.read(asked)

    class Failing(Heard):
        def frame(self, frame: str | bytes, heard: int) -> None:
            super().frame(frame, heard)
            if len(self.frames) == 1:
                raise RuntimeError("nobody home")

        def lost(self, why: str) -> None:
            super().lost(why)
            raise RuntimeError("nobody home")

    heard = Failing()
    with server(act) as (_, url):
        feed = Feed(FeedAddress(LEADER, url, lambda: TOKEN), heard, PATIENT)
        feed.start()
        eventually(lambda: len(heard.frames) == 2)
        feed.stop(5.0)
    assert heard.lost_for == ["given up (RuntimeError)"]
    assert _threads() == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "no connection (HTTP 403)"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no connection (HTTP 200)"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
            "no connection (WebSocketException)",
        ),
    ],
)
def test_a_handshake_that_fails_says_how(answer: bytes, why: str) -> None:
    with server(lambda asked: asked.peer.send(answer)) as (_, url):
        with listening(url) as (_, heard):
            eventually(lambda: heard.count("lost") >= 2)
        assert set(heard.lost_for) == {why}
        assert heard.count("live") == 0


def test_a_missing_token_is_told_by_its_source(tmp_path: Path) -> None:
    source = TokenSource("file:token", tmp_path)
    logins: list[object] = []

    def act(asked: Asked) -> None:
        logins.append(sockets.login(asked))
        sockets.read(asked)

    with server(act) as (_, url), listening(url, source.read) as (feed, heard):
        eventually(lambda: heard.lost_for)
        assert "file:token cannot be read: FileNotFoundError" in heard.lost_for[0]
        (tmp_path / "token").write_text(TOKEN)
        feed.reconnect()
        eventually(lambda: logins)


def test_a_broker_that_is_away_is_not_hammered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    pace = Pace(first_pause=0.1, longest_pause=30.0)
    with listening(f"ws://127.0.0.1:{port}", pace=pace) as (_, heard):
        before = time.monotonic()
        eventually(lambda: heard.count("lost") >= 4)
        assert time.monotonic() - before >= (0.2 + 0.4 + 0.8) / 2
        assert set(heard.lost_for) == {"no connection (ConnectionRefusedError)"}


@settings(deadline=None, max_examples=200)
@given(
    failures=st.integers(0, 10_000),
    chance=st.floats(0, 1),
    first=st.floats(0.001, 10),
    longest=st.floats(10, 1000),
)
def test_pauses_grow_and_are_capped_and_jittered(
    failures: int, chance: float, first: float, longest: float
) -> None:
    pace = Pace(first_pause=first, longest_pause=longest)
    pause = pace.pause(failures, chance)
    assert first / 2 <= pause <= longest
    assert pace.pause(failures, 0.0) <= pause <= pace.pause(failures, 1.0)
    assert pace.pause(failures, 1.0) == 2 * pace.pause(failures, 0.0)
    assert pause <= pace.pause(failures + 1, chance)
    if failures < 16 and first * 2**failures < longest:
        assert pace.pause(failures, 1.0) == first * 2**failures


# Beginning anew, and the end


def test_a_new_token_is_used_at_once(simulator: Simulator) -> None:
    with listening(simulator.feed_url, lambda: simulator.token(LEADER)) as (feed, heard):
        eventually(lambda: _sockets(simulator))
        simulator.control.rotate_token(LEADER)
        feed.reconnect()
        eventually(lambda: heard.count("live") >= 2 and _sockets(simulator))
        simulator.control.send(LEADER, "hello")
        eventually(lambda: heard.frames == ["hello"])
        # The broker may end the socket of the old token first, which is a refusal of that one.
        newest = max(at for at, (told, _) in enumerate(heard.told) if told == "live")
        assert heard.told[newest:] == [("live", ""), ("frame", "hello")]


def test_beginning_anew_is_no_refusal_when_it_ends_the_next_socket_too() -> None:
    with server(_stays) as (_, url), listening(url) as (feed, heard):
        eventually(lambda: heard.count("live") == 1)
        feed._hang_up()  # the second half of a reconnect() that was overtaken
        eventually(lambda: heard.count("live") == 2)
        assert heard.count("lost") == 1
        assert heard.refused_for == []


@contextmanager
def _reading() -> Iterator[str]:
    with server(_stays) as (_, url):
        yield url


@contextmanager
def _handshaking() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield f"ws://127.0.0.1:{mute.getsockname()[1]}/"


@contextmanager
def _tls_handshaking() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield f"wss://127.0.0.1:{mute.getsockname()[1]}/"


@contextmanager
def _dialling() -> Iterator[str]:
    """Its queue of connections is full, so that no other is made."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield f"ws://127.0.0.1:{port}/"
        for one in queued:
            one.close()


@contextmanager
def _resting() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    yield f"ws://127.0.0.1:{port}/"


@contextmanager
def _half_read() -> Iterator[str]:
    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(sockets.frame(sockets.TEXT, b"x" * 500)[:100])
        sockets.read(asked)

    with server(act) as (_, url):
        yield url


@pytest.mark.parametrize(
    "state", [_reading, _handshaking, _tls_handshaking, _dialling, _resting, _half_read]
)
def test_a_stop_is_quick_whatever_the_feed_is_at(
    state: Callable[[], AbstractContextManager[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with state() as url:
        feed = Feed(FeedAddress(LEADER, url, lambda: TOKEN), Heard(), Pace(first_pause=30.0))
        feed.start()
        time.sleep(0.3)  # it gets to where it hangs
        assert _threads()
        before = time.monotonic()
        feed.stop(10.0)
        assert time.monotonic() - before < 3.0
        assert _threads() == []
        feed.stop(10.0)
        feed.reconnect()
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_feed_that_was_never_started_can_be_stopped() -> None:
    feed = Feed(FeedAddress(LEADER, "ws://127.0.0.1:9/", lambda: TOKEN), Heard())
    before = time.monotonic()
    feed.stop(5.0)
    assert time.monotonic() - before < 3.0


# Surroundings


def test_under_tls_a_silent_socket_stays_live(authority: Authority) -> None:
    """Session tickets make a TLS socket readable without a frame in it."""

    def act(asked: Asked) -> None:
        sockets.login(asked)
        while True:
            opcode, payload = sockets.read(asked)
            if opcode == sockets.PING:
                asked.peer.send(sockets.frame(sockets.PONG, payload))
                asked.peer.send(sockets.frame(sockets.TEXT, b"pinged"))

    with Broker(act, authority.server("localhost")) as broker:
        pace = Pace(ping=0.1, liveness=5.0)
        with listening(f"wss://localhost:{broker.port}/", pace=pace) as (feed, heard):
            eventually(lambda: len(heard.frames) >= 3)
            before = time.monotonic()
            feed.stop(5.0)
            assert time.monotonic() - before < 3.0
        assert heard.count("live") == 1
        assert heard.count("lost") == 0


@pytest.mark.parametrize("tls", [False, True])
def test_what_comes_at_once_is_heard_at_once(authority: Authority, tls: bool) -> None:
    """Many frames, of all lengths and in more than one record of TLS, and nothing after them."""
    said = [f"{number}:" + "x" * (number * 97 % 700) for number in range(400)]

    def act(asked: Asked) -> None:
        sockets.login(asked)
        asked.peer.send(b"".join(sockets.frame(sockets.TEXT, one.encode()) for one in said))
        sockets.read(asked)

    scheme, certificate = ("wss", authority.server("localhost")) if tls else ("ws", None)
    with (
        Broker(act, certificate) as broker,
        listening(f"{scheme}://localhost:{broker.port}/") as (_, heard),
    ):
        eventually(lambda: len(heard.frames) == len(said))
        assert heard.frames == said


def test_sockets_beyond_the_1023rd_descriptor_are_read(simulator: Simulator) -> None:
    spare = [socket.socket() for _ in range(1100)]
    try:
        with listening(simulator.feed_url, lambda: simulator.token(LEADER)) as (_, heard):
            eventually(lambda: _sockets(simulator))
            simulator.control.send(LEADER, "hello")
            eventually(lambda: heard.frames == ["hello"])
            simulator.control.cut(LEADER)
            eventually(lambda: heard.count("live") == 2)
    finally:
        for one in spare:
            one.close()


def test_no_token_is_ever_shown(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    def fails() -> str:
        raise ValueError(TOKEN)

    with listening(simulator.feed_url) as (_, refused):
        eventually(lambda: refused.count("refused") >= 2)
    with listening(simulator.feed_url, fails) as (_, tokenless):
        eventually(lambda: tokenless.count("lost") >= 2)
    shown = [repr(FeedAddress(LEADER, simulator.feed_url, lambda: TOKEN)), *capfd.readouterr()]
    shown += [str(told) for heard in (refused, tokenless) for told in heard.told]
    for record in caplog.records:
        shown.append(record.getMessage())
        if record.exc_info:
            shown += traceback.format_exception(record.exc_info[1])
    assert any("refused" in line for line in shown)
    assert not any(part in line for line in shown for part in TOKEN.split("."))


def _sockets(simulator: Simulator) -> int:
    (account,) = simulator.control.accounts()
    return int(account["sockets"])
