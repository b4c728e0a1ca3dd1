"""The wire against real sockets: warm connections, one answer for every call, nothing sent twice,
and no word of "unsent" about a request that may have arrived."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import certifi
import pytest

from dhan.addresses import AccountAddress
from dhan.calls import Answer, Call
from dhan.trust import trust
from dhan.wire import Wire
from tests.dhan.broker import TOKEN, Asked, Broker, Peer, answer
from tests.dhan.conftest import CLIENT, PLACE, READ, REQUESTS, TICKET, Sent, account
from tests.waiting import eventually

ACK = answer('{"orderId":"112111182198","orderStatus":"TRANSIT"}')


def _acks(asked: Asked) -> bytes:
    return ACK


def _only_reads(asked: Asked) -> bytes | None:
    """Says nothing to an order."""
    return answer() if asked.method == "GET" else None


# Connections


def test_two_connections_are_open_before_they_are_needed(wire: Wire) -> None:
    with Broker(_acks) as broker:
        wire.open(account(broker))
        eventually(lambda: len(broker.peers) == 2)
        assert broker.asked == []


def test_the_list_of_certificates_is_read_before_many_threads_ask_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, read = certifi.where(), list[int]()

    def where() -> str:
        read.append(threading.get_ident())
        return found

    monkeypatch.setattr(certifi, "where", where)
    trust.cache_clear()
    with Broker(_acks) as broker, ThreadPoolExecutor(8) as threads:
        wire = Wire()
        wire.start()
        list(threads.map(wire.open, [account(broker)] * 8))
        wire.stop(0.0)
    assert read == [threading.get_ident()]


def test_connections_serve_one_request_after_the_other(wire: Wire) -> None:
    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1))
        answers = [wire.call(line, PLACE, 5.0) for _ in range(20)]
        assert {one.status for one in answers} == {200}
        assert [one.body for one in answers] == [ACK.partition(b"\r\n\r\n")[2]] * 20
        assert len(broker.peers) == 1
        assert all(one.written_at and one.written_at <= one.answered_at for one in answers)


def test_a_request_arrives_as_the_sdk_built_it_under_the_accounts_own_headers(wire: Wire) -> None:
    with Broker(_acks) as broker:
        wire.call(wire.open(account(broker)), PLACE, 5.0)
        (asked,) = broker.asked
        assert (asked.method, asked.path, asked.body) == ("POST", "/v2/orders", PLACE.body)
        assert asked.headers["access-token"] == TOKEN
        assert asked.headers["client-id"] == CLIENT
        assert asked.headers["host"] == f"localhost:{broker.port}"
        assert asked.headers["content-type"] == "application/json"


def test_a_read_has_no_body(wire: Wire) -> None:
    with Broker(_acks) as broker:
        came = wire.call(wire.open(account(broker)), READ, 5.0)
        assert came.status == 200
        assert "content-length" not in broker.asked[0].headers


def test_orders_after_the_broker_closed_every_idle_connection_succeed_37_of_37(wire: Wire) -> None:
    """A live copier lost 37 of 37 first orders to idle connections that the broker had ended."""
    with Broker(_acks) as broker:
        line = wire.open(account(broker))
        for _ in range(37):
            eventually(lambda: broker.live)
            for peer in broker.live:
                peer.close()
            came = wire.call(line, PLACE, 5.0)
            assert (came.status, came.error) == (200, None)
        assert len(broker.paths("POST")) == 37


def test_an_end_that_the_loop_has_not_been_told_of_is_noticed_before_writing(wire: Wire) -> None:
    """The wire's thread is busy while the broker ends all connections; the order that comes
    next in the same turn of the loop must not be written to one of them."""
    with Broker(_acks) as broker:
        line = wire.open(account(broker))
        eventually(lambda: len(broker.live) == 2)
        sent, busy, ended = Sent(wire, line), threading.Event(), threading.Event()

        def hold(_: Answer) -> None:
            busy.set()
            ended.wait(5)

        warmed = Call(line, READ, 5.0, hold)
        wire.dispatch([warmed])
        assert busy.wait(5)
        sent.send()
        for peer in broker.live:
            peer.close()
        time.sleep(0.05)  # the ends travel through the kernel while the loop is held
        ended.set()
        eventually(lambda: sent.answers)
        assert [came.status for came in sent.named("")] == [200]


@pytest.mark.parametrize("hang_up", ["close", "reset"])
def test_spare_connections_come_back_by_themselves(wire: Wire, hang_up: str) -> None:
    with Broker(_acks) as broker:
        wire.open(account(broker))
        eventually(lambda: len(broker.live) == 2)
        for peer in broker.live:
            getattr(peer, hang_up)()
        eventually(lambda: len(broker.live) == 2 and len(broker.peers) == 4)


def test_a_broker_that_ends_connections_at_once_is_not_hammered(wire: Wire) -> None:
    with Broker(_acks, greet=Peer.close) as broker:
        before = time.monotonic()
        wire.open(account(broker))
        eventually(lambda: len(broker.peers) >= 6)
        assert time.monotonic() - before > 0.5


def test_bytes_that_nobody_asked_for_end_the_connection(wire: Wire) -> None:
    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1))
        (peer,) = eventually(lambda: broker.live)
        peer.send(answer('{"orderId":"666","orderStatus":"TRADED"}'))
        came = wire.call(line, PLACE, 5.0)
        assert b"112111182198" in came.body
        assert broker.asked[0].peer is not peer


# Warmth


def test_idle_connections_are_read_from_before_the_broker_ends_them(wire: Wire) -> None:
    """The broker ends what is idle for 2.4 s; kept warm every 0.8 s, nothing ever is."""
    last: dict[object, float] = {}
    ends: list[str] = []

    def noted(asked: Asked) -> bytes:
        now = time.monotonic()
        if now - last.get(asked.peer, now) > 2.4:
            ends.append(asked.path)
        last[asked.peer] = now
        return answer("{}")

    with Broker(noted) as broker:
        wire.open(account(broker, keep_warm=0.8))
        eventually(lambda: all(peer.requests >= 4 for peer in broker.peers) and broker.peers)
        assert ends == []
        assert len(broker.peers) == 2
        assert set(broker.paths()) == {"/v2/profile"}
        assert {asked.method for asked in broker.asked} == {"GET"}


def test_connections_in_use_are_not_read_from_besides(wire: Wire) -> None:
    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1, keep_warm=4.0))
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            wire.call(line, PLACE, 5.0)
        assert "/v2/profile" not in broker.paths()


def test_a_closed_line_is_kept_warm_no_more(wire: Wire) -> None:
    with Broker(_acks) as broker:
        line = wire.open(account(broker, keep_warm=0.1))
        eventually(lambda: broker.asked)
        wire.close(line)
        eventually(lambda: not broker.live)
        asked = len(broker.asked)
        time.sleep(0.4)
        assert len(broker.asked) == asked


# Who waits for whom


def test_an_order_never_waits_behind_reads_that_hang(wire: Wire) -> None:
    with Broker(lambda asked: ACK if asked.method == "POST" else None) as broker:
        line = wire.open(account(broker))
        sent = Sent(wire, line)
        for _ in range(6):
            sent.send(READ, timeout=30.0, name="read")
        eventually(lambda: len(broker.paths("GET")) == 3)
        before = time.monotonic()
        came = wire.call(line, PLACE, 5.0)
        assert came.status == 200
        assert time.monotonic() - before < 3.0
        assert len(broker.peers) == 4
        assert sent.answers == []


def test_reads_go_on_over_the_only_line_there_is(wire: Wire) -> None:
    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1))
        assert [wire.call(line, READ, 5.0).status for _ in range(3)] == [200] * 3
        assert len(broker.peers) == 1


def test_the_most_urgent_call_goes_first_when_a_connection_is_free_again(wire: Wire) -> None:
    hold = threading.Event()

    def held(asked: Asked) -> bytes:
        hold.wait(5)
        return ACK

    with Broker(held) as broker:
        sent = Sent(wire, wire.open(account(broker, lines=1)))
        sent.send()
        eventually(lambda: broker.asked)
        place = sent.call(PLACE, urgency=2)
        cancel = sent.call(REQUESTS.cancel("11"), urgency=0)
        modify = sent.call(REQUESTS.modify("12", TICKET.terms), urgency=1)
        wire.dispatch([place, modify, cancel])
        hold.set()
        eventually(lambda: len(sent.answers) == 4)
        assert [asked.method for asked in broker.asked] == ["POST", "DELETE", "PUT", "POST"]


def test_one_account_that_hangs_delays_no_other(wire: Wire) -> None:
    with Broker(lambda asked: None) as hanging, Broker(_acks) as broker:
        stuck = Sent(wire, wire.open(account(hanging)))
        for _ in range(8):
            stuck.send(timeout=30.0)
        line = wire.open(account(broker))
        before = time.monotonic()
        assert wire.call(line, PLACE, 5.0).status == 200
        assert time.monotonic() - before < 3.0
        assert stuck.answers == []


# Provably unsent


def _unsent(came: Answer, *words: str) -> None:
    assert came.status is None
    assert came.written_at is None
    assert came.error is not None
    assert all(word in came.error for word in words)


def test_no_connection_is_unsent_and_said_so(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    line = wire.open(AccountAddress(CLIENT, f"http://127.0.0.1:{port}/v2", lambda: TOKEN))
    _unsent(wire.call(line, PLACE, 0.3), "no connection", "ConnectionRefusedError")


def test_a_call_that_waits_for_a_busy_connection_too_long_is_unsent(wire: Wire) -> None:
    with Broker(lambda asked: None) as broker:
        sent = Sent(wire, wire.open(account(broker, lines=1)))
        sent.send(timeout=30.0, name="first")
        eventually(lambda: broker.asked)
        sent.send(timeout=0.2, name="second")
        eventually(lambda: sent.answers)
        assert [name for name, _ in sent.answers] == ["second"]
        _unsent(sent.answers[0][1], "no connection was free in time")
        assert len(broker.asked) == 1


def test_without_a_token_nothing_is_sent_and_the_next_call_is(wire: Wire) -> None:
    tokens: Iterator[ValueError | str] = iter([ValueError("secret words"), TOKEN])

    def token() -> str:
        found = next(tokens)
        if isinstance(found, ValueError):
            raise found
        return found

    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1, token=token))
        came = wire.call(line, PLACE, 5.0)
        _unsent(came, "no token", "ValueError")
        assert "secret words" not in str(came)
        assert wire.call(line, PLACE, 5.0).status == 200
        assert len(broker.asked) == 1


@pytest.mark.parametrize("odd", ["é", "a\r\nX-Header: b", "a\n"])
def test_a_token_that_is_no_header_is_never_sent_nor_the_one_before_it(
    wire: Wire, odd: str
) -> None:
    tokens = iter([TOKEN, odd, odd, TOKEN])
    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1, token=lambda: next(tokens)))
        assert wire.call(line, PLACE, 5.0).status == 200
        for _ in range(2):
            _unsent(wire.call(line, PLACE, 5.0), "no token")
        assert wire.call(line, PLACE, 5.0).status == 200
        assert len(broker.asked) == 2


def test_calls_on_a_closed_line_are_unsent_also_those_that_waited(wire: Wire) -> None:
    with Broker(lambda asked: None) as broker:
        line = wire.open(account(broker, lines=1))
        sent = Sent(wire, line)
        sent.send(timeout=30.0, name="in flight")
        eventually(lambda: broker.asked)
        sent.send(timeout=30.0, name="waiting")
        wire.close(line)
        sent.send(timeout=30.0, name="late")
        eventually(lambda: len(sent.answers) == 2)
        _unsent(sent.named("waiting")[0], "closed")
        _unsent(sent.named("late")[0], "closed")
        assert len(broker.asked) == 1


def test_a_call_after_the_stop_is_answered_as_unsent_on_the_callers_thread() -> None:
    with Broker(_acks) as broker:
        wire = Wire()
        wire.start()
        line = wire.open(account(broker))
        wire.stop(1.0)
        sent = Sent(wire, line)
        sent.send()
        _unsent(sent.answers[0][1], "stopped")
        _unsent(wire.call(wire.open(account(broker)), READ, 1.0), "stopped")
        wire.close(line)
        wire.stop(1.0)
        assert broker.asked == []


def test_a_wire_that_was_never_started_answers_what_it_was_given() -> None:
    with Broker(_acks) as broker:
        wire = Wire()
        sent = Sent(wire, wire.open(account(broker)))
        sent.send()
        wire.stop(1.0)
        eventually(lambda: sent.answers)
        _unsent(sent.answers[0][1])
        assert broker.asked == []


def test_every_call_is_answered_exactly_once_while_the_wire_stops() -> None:
    """Four threads dispatch without a pause while another stops the wire."""
    with Broker(_acks) as broker:
        wire = Wire()
        wire.start()
        sent = Sent(wire, wire.open(account(broker)))
        eventually(lambda: len(broker.live) == 2)
        names: list[str] = []
        enough = threading.Event()

        def dispatch(thread: int) -> None:
            for number in range(1_000):
                if enough.is_set() and number > 50:
                    return
                names.append(name := f"{thread}-{number}")
                sent.send(READ, name=name)

        threads = [threading.Thread(target=dispatch, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(sent.answers) > 20)
        wire.stop(2.0)
        enough.set()
        for thread in threads:
            thread.join()
        assert Counter(name for name, _ in sent.answers) == Counter(names)
        assert all((came.written_at is None) == (came.status is None) for _, came in sent.answers)


# May have arrived


def _unknown(came: Answer, *words: str) -> None:
    assert came.status is None
    assert came.written_at is not None
    assert came.error is not None
    assert all(word in came.error for word in words)


def test_an_end_instead_of_an_answer_is_not_called_unsent(wire: Wire) -> None:
    def ends(asked: Asked) -> None:
        asked.peer.close()

    with Broker(ends) as broker:
        _unknown(wire.call(wire.open(account(broker)), PLACE, 5.0), "connection lost")
        assert len(broker.asked) == 1


def test_a_reset_instead_of_an_answer_is_not_called_unsent(wire: Wire) -> None:
    def resets(asked: Asked) -> None:
        asked.peer.reset()

    with Broker(resets) as broker:
        _unknown(wire.call(wire.open(account(broker)), PLACE, 5.0), "connection lost")
        assert len(broker.asked) == 1


def test_a_request_that_the_socket_takes_only_in_part_is_not_called_unsent(wire: Wire) -> None:
    """It is more than any socket buffer holds, and the broker reads none of it."""
    done = threading.Event()
    huge = replace(PLACE, body=b" " * 30_000_000)
    with Broker(_acks, greet=lambda peer: done.wait(10)) as broker:
        came = wire.call(wire.open(account(broker)), huge, 0.3)
        done.set()
        _unknown(came, "no answer in time")


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "connection lost"),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ord', "connection lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "connection lost"),
        (b"not HTTP at all\r\n\r\n", "not HTTP"),
        (b"\x16\x03\x01\x00\x05hello", "not HTTP"),
        (ACK + ACK, "more than one answer"),
    ],
)
def test_a_spoilt_answer_is_no_answer(wire: Wire, spoilt: bytes, words: str) -> None:
    def spoils(asked: Asked) -> None:
        asked.peer.send(spoilt)
        asked.peer.close()

    with Broker(spoils) as broker:
        _unknown(wire.call(wire.open(account(broker)), PLACE, 5.0), words)


def test_an_endless_answer_is_given_up(wire: Wire) -> None:
    def endless(asked: Asked) -> None:
        asked.peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        for _ in range(40):
            asked.peer.send(b"x" * 1024 * 1024)

    with Broker(endless) as broker:
        _unknown(wire.call(wire.open(account(broker)), READ, 10.0), "too long")


def test_a_late_answer_is_never_taken_for_the_next_requests(wire: Wire) -> None:
    late = threading.Event()

    def first_late(asked: Asked) -> bytes:
        if asked.path == "/v2/orders":
            late.wait(5)
            return answer('{"orderId":"1","orderStatus":"LATE"}')
        return answer('{"orderId":"2","orderStatus":"RIGHT"}')

    with Broker(first_late) as broker:
        line = wire.open(account(broker, lines=1))
        _unknown(wire.call(line, PLACE, 0.2), "no answer in time")
        late.set()
        came = wire.call(line, REQUESTS.cancel("2"), 5.0)
        assert b"RIGHT" in came.body
        assert broker.asked[0].peer is not broker.asked[1].peer


# Answers in every form that HTTP allows


@pytest.mark.parametrize(
    ("whole", "status", "body"),
    [
        (answer(b"", "202 Accepted"), 202, b""),
        (answer(b"[]", "404 Not Found"), 404, b"[]"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n",
            200,
            b"[1,2]",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"[3]"), 200, b"[3]"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"[4]"), 200, b"[4]"),
    ],
)
def test_a_connection_is_kept_after_any_whole_answer(
    wire: Wire, whole: bytes, status: int, body: bytes
) -> None:
    with Broker(lambda asked: whole) as broker:
        line = wire.open(account(broker, lines=1))
        for _ in range(3):
            came = wire.call(line, READ, 5.0)
            assert (came.status, came.body, came.error) == (status, body, None)
        assert len(broker.peers) == 1


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 202 Accepted\r\n\r\n",
        b"HTTP/1.0 202 Accepted\r\n\r\n",
        answer(b"", "202 Accepted", "Connection: close"),
    ],
)
def test_an_answer_that_ends_with_its_connection_counts_and_the_next_has_another(
    wire: Wire, whole: bytes
) -> None:
    def last(asked: Asked) -> None:
        asked.peer.send(whole)
        asked.peer.close()

    with Broker(last) as broker:
        line = wire.open(account(broker, lines=1))
        for number in range(1, 4):
            came = wire.call(line, PLACE, 5.0)
            assert (came.status, came.body, came.error) == (202, b"", None)
            assert len({asked.peer for asked in broker.asked}) == number


def test_an_answer_may_come_byte_by_byte_and_tells_the_brokers_clock(wire: Wire) -> None:
    date = "Wed, 25 Nov 2026 03:45:00 GMT"

    def trickles(asked: Asked) -> None:
        for byte in answer(b"[5]", "200 OK", f"Date: {date}"):
            asked.peer.send(bytes([byte]))

    with Broker(trickles) as broker:
        came = wire.call(wire.open(account(broker)), READ, 5.0)
        assert (came.status, came.body, came.date) == (200, b"[5]", date)


def test_the_brokers_clock_is_that_of_this_answer(wire: Wire) -> None:
    dates = iter(["Date: Wed, 25 Nov 2026 03:45:00 GMT", "X-Nothing: 1"])
    with Broker(lambda asked: answer(b"[]", "200 OK", next(dates))) as broker:
        line = wire.open(account(broker, lines=1))
        assert [wire.call(line, READ, 5.0).date is None for _ in range(2)] == [False, True]


# Stopping


def test_what_is_in_flight_may_finish_before_the_wire_ends() -> None:
    def slow(asked: Asked) -> bytes:
        time.sleep(0.3)
        return ACK

    with Broker(slow) as broker:
        wire = Wire()
        wire.start()
        line = wire.open(account(broker))
        sent = Sent(wire, line)
        sent.send()
        eventually(lambda: broker.asked)
        wire.close(line)
        wire.stop(5.0)
        assert [came.status for _, came in sent.answers] == [200]


def test_what_does_not_finish_in_time_is_lost_not_unsent() -> None:
    with Broker(_only_reads) as broker:
        wire = Wire()
        wire.start()
        open_line, closed_line = wire.open(account(broker)), wire.open(account(broker))
        sent, closed = Sent(wire, open_line), Sent(wire, closed_line)
        sent.send(timeout=30.0)
        closed.send(timeout=30.0)
        eventually(lambda: len(broker.asked) == 2)
        wire.close(closed_line)
        wire.open(account(broker))  # when lines that are done with are forgotten
        before = time.monotonic()
        wire.stop(0.2)
        assert time.monotonic() - before < 5.0
        for answers in (sent.answers, closed.answers):
            (only,) = answers
            _unknown(only[1], "stopped")
        eventually(lambda: not broker.live)


def test_somebody_who_cannot_take_an_answer_harms_nobody_else(wire: Wire) -> None:
    def fails(_: Answer) -> None:
        raise RuntimeError("nobody home")

    with Broker(_acks) as broker:
        line = wire.open(account(broker, lines=1))
        wire.dispatch([Call(line, PLACE, 5.0, fails)])
        assert wire.call(line, PLACE, 5.0).status == 200
        assert len(broker.peers) == 1
