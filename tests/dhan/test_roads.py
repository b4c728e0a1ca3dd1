"""Which way requests go: under TLS, past proxies, from the account's own address, with the token
of the moment, and without a word about it."""

import logging
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from desk.tokens import ProxyLogin, Secret
from dhan.addresses import FeedAddress
from dhan.calls import Answer, Call
from dhan.feed import Feed
from dhan.master import MasterError, read
from dhan.tokens import TokenSource
from dhan.wire import Wire
from tests.dhan.broker import TOKEN, Asked, Broker, answer
from tests.dhan.certificates import Authority
from tests.dhan.conftest import CLIENT, PLACE, READ, account
from tests.dhan.listening import Heard
from tests.dhan.proxies import Proxy
from tests.waiting import eventually

MASTER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,INSTRUMENT,UNDERLYING_SYMBOL,SYMBOL_NAME,LOT_SIZE,TICK_SIZE,"
    "SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,SM_UPPER_LIMIT,SM_LOWER_LIMIT,SM_FREEZE_QTY\n"
    "NSE,E,1333,EQUITY,HDFCBANK,HDFCBANK,1.0,5.0,0001-01-01,,XX,0,0,0\n"
)


def _anything(asked: Asked) -> bytes:
    return answer(MASTER if "master" in asked.path else "[]")


# TLS


def test_a_broker_that_the_authority_vouches_for_is_talked_to(authority: Authority) -> None:
    wire = Wire()
    wire.start()
    with Broker(_anything, authority.server("localhost")) as broker:
        line = wire.open(account(broker))
        answers = [wire.call(line, PLACE, 5.0) for _ in range(5)]
        assert [came.status for came in answers] == [200] * 5
        assert list(read(broker.url + "/master", 5.0))
        for peer in broker.live:
            peer.close()
        assert wire.call(line, PLACE, 5.0).status == 200
        wire.stop(1.0)


def _told_apart(wire: Wire, broker: Broker) -> None:
    came = wire.call(wire.open(account(broker)), PLACE, 1.0)
    assert came.status is None
    assert came.written_at is None
    assert "SSLCertVerificationError" in str(came.error)
    assert broker.asked == []
    with pytest.raises(MasterError):
        list(read(broker.url + "/master", 5.0))
    heard = Heard()
    feed = Feed(FeedAddress(CLIENT, broker.url.replace("https", "wss"), lambda: TOKEN), heard)
    feed.start()
    eventually(lambda: heard.lost_for)
    feed.stop(5.0)
    assert "SSLCertVerificationError" in heard.lost_for[0]
    assert broker.asked == []


def test_a_broker_that_nobody_vouches_for_gets_no_token(wire: Wire, tmp_path: Path) -> None:
    with Broker(_anything, Authority(tmp_path).server("localhost")) as broker:
        _told_apart(wire, broker)


def test_a_broker_under_another_name_gets_no_token(authority: Authority) -> None:
    wire = Wire()
    wire.start()
    with Broker(_anything, authority.server("api.dhan.co")) as broker:
        _told_apart(wire, broker)
    wire.stop(1.0)


# Proxies


def test_no_proxy_of_the_environment_is_ever_used(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Broker(_anything) as proxy, Broker(_anything) as broker:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY"):
            monkeypatch.setenv(name, f"http://localhost:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://localhost:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert wire.call(wire.open(account(broker)), PLACE, 5.0).status == 200
        assert list(read(broker.url + "/master", 5.0))
        heard = Heard()
        feed = Feed(FeedAddress(CLIENT, broker.url.replace("http", "ws"), lambda: TOKEN), heard)
        feed.start()
        eventually(lambda: "/v2" in broker.paths())
        feed.stop(5.0)
        assert proxy.peers == []


@pytest.mark.parametrize("secure", [False, True])
def test_an_accounts_own_proxy_leads_requests_and_feed(authority: Authority, secure: bool) -> None:
    wire = Wire()
    wire.start()
    tls = authority.server("localhost") if secure else None
    with Proxy("127.0.0.7") as proxy, Broker(_anything, tls) as broker:
        line = wire.open(replace(account(broker), proxy=proxy.url))
        assert [wire.call(line, PLACE, 5.0).status for _ in range(2)] == [200, 200]
        feed = Feed(FeedAddress(CLIENT, _feed(broker), lambda: TOKEN, proxy=proxy.url), Heard())
        feed.start()
        eventually(lambda: "/v2" in broker.paths())
        feed.stop(5.0)
        assert {peer.address[0] for peer in broker.peers} == {"127.0.0.7"}
        assert set(proxy.asked) == {f"CONNECT localhost:{broker.port} HTTP/1.1"}
        wire.stop(1.0)


@pytest.mark.parametrize(
    "refusal",
    [b"HTTP/1.1 407 Who are you\r\n\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 2", b"x" * 20_000],
)
def test_a_proxy_that_refuses_is_never_gone_around(wire: Wire, refusal: bytes) -> None:
    with Proxy(refusal=refusal) as proxy, Broker(_anything) as broker:
        came = wire.call(wire.open(replace(account(broker), proxy=proxy.url)), PLACE, 0.5)
        assert (came.status, came.written_at) == (None, None)
        heard = Heard()
        feed = Feed(FeedAddress(CLIENT, _feed(broker), lambda: TOKEN, proxy=proxy.url), heard)
        feed.start()
        eventually(lambda: heard.lost_for)
        feed.stop(5.0)
        assert "no connection" in heard.lost_for[0]
        assert broker.peers == []


def test_a_proxy_that_asks_who_it_is_is_told_every_time(wire: Wire, tmp_path: Path) -> None:
    """With another password than before, once the account has that."""
    path = tmp_path / "password"
    path.write_text("first-secret\n")
    login = ProxyLogin("desk", Secret(TokenSource("file:password", tmp_path)))
    with Proxy("127.0.0.7", known="desk:first-secret") as proxy, Broker(_anything) as broker:
        way = replace(account(broker), proxy=proxy.url, proxy_login=login)
        address = FeedAddress(
            CLIENT, _feed(broker), lambda: TOKEN, proxy=proxy.url, proxy_login=login
        )
        assert wire.call(wire.open(way), PLACE, 5.0).status == 200
        heard = Heard()
        feed = Feed(address, heard)
        feed.start()
        eventually(lambda: "/v2" in broker.paths())
        proxy.known = "desk:other/+secret"
        feed.reconnect()
        refused = "no connection (the proxy takes no such user and password)"
        eventually(lambda: refused in heard.lost_for)
        line = wire.open(way)
        assert wire.call(line, PLACE, 0.5).error == refused
        path.write_text("other/+secret\n")
        assert wire.call(line, PLACE, 5.0).status == 200
        path.unlink()
        came = wire.call(wire.open(way), PLACE, 0.5)
        missing = "no connection (file:password cannot be read: FileNotFoundError)"
        assert (came.error, came.written_at) == (missing, None)
        feed.stop(5.0)
        assert {peer.address[0] for peer in broker.peers} == {"127.0.0.7"}
        assert "secret" not in f"{address}{way}{proxy.asked}"
        assert "Proxy-Authorization" not in {name for one in broker.asked for name in one.headers}


def _feed(broker: Broker) -> str:
    return broker.url.replace("http", "ws", 1)


# Addresses


def test_everything_leaves_from_the_accounts_own_address(wire: Wire) -> None:
    with Broker(_anything) as broker:
        line = wire.open(account(broker, source_ip="127.0.0.2"))
        assert wire.call(line, PLACE, 5.0).status == 200
        heard = Heard()
        url = broker.url.replace("http", "ws")
        feed = Feed(FeedAddress(CLIENT, url, lambda: TOKEN, "127.0.0.3"), heard)
        feed.start()
        eventually(lambda: "/v2" in broker.paths())
        feed.stop(5.0)
        seen = {asked.method + asked.path: asked.peer.address[0] for asked in broker.asked}
        assert seen == {"POST/v2/orders": "127.0.0.2", "GET/v2": "127.0.0.3"}
        assert {peer.address[0] for peer in broker.peers} == {"127.0.0.2", "127.0.0.3"}


def test_an_address_that_is_not_this_hosts_is_never_replaced_by_another(wire: Wire) -> None:
    with Broker(_anything) as broker:
        came = wire.call(wire.open(account(broker, source_ip="192.0.2.1")), PLACE, 0.5)
        assert (came.status, came.written_at) == (None, None)
        heard = Heard()
        url = broker.url.replace("http", "ws")
        feed = Feed(FeedAddress(CLIENT, url, lambda: TOKEN, "192.0.2.1"), heard)
        feed.start()
        eventually(lambda: heard.lost_for)
        feed.stop(5.0)
        assert broker.peers == []


# Tokens


def test_a_token_that_is_replaced_while_running_is_used_by_the_next_request(
    wire: Wire, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    source = TokenSource("file:token", tmp_path)
    with Broker(_anything) as broker:
        line = wire.open(account(broker, token=source.read))
        assert wire.call(line, READ, 5.0).status == 200
        path.write_text("second\n")
        assert wire.call(line, READ, 5.0).status == 200
        path.unlink()
        came = wire.call(line, READ, 5.0)
        assert (came.written_at, came.error) == (
            None,
            "no token to send it with: file:token cannot be read: FileNotFoundError",
        )
        path.write_text("third\n")
        assert wire.call(line, READ, 5.0).status == 200
        tokens = [asked.headers["access-token"] for asked in broker.asked]
        assert tokens == ["first", "second", "third"]


def test_no_token_is_ever_shown(
    wire: Wire, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def raises(came: Answer) -> None:
        shown.append(repr(came))
        raise RuntimeError("nobody home")

    def spoils(asked: Asked) -> bytes:
        return b"nonsense " + asked.headers.get("access-token", "").encode() + b"\r\n\r\n"

    with Broker(spoils) as broker:
        line = wire.open(account(broker))
        address = FeedAddress(CLIENT, broker.url.replace("http", "ws"), lambda: TOKEN)
        shown += [repr(line.account), repr(address)]
        heard = Heard()
        feed = Feed(address, heard)
        feed.start()
        wire.call(line, PLACE, 5.0)
        wire.dispatch([Call(line, PLACE, 5.0, raises)])
        eventually(lambda: heard.lost_for and len(shown) == 3)
        feed.stop(5.0)
    shown += [record.getMessage() for record in caplog.records]
    shown += [
        line
        for record in caplog.records
        if record.exc_info
        for line in traceback.format_exception(record.exc_info[1])
    ]
    shown += [*heard.lost_for, *capfd.readouterr()]
    assert any("nobody home" in line for line in shown)
    assert not any(part in line for line in shown for part in TOKEN.split("."))
