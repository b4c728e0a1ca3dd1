"""Reads keep a pace of their own, which no order waits for."""

import time

import pytest

from dhan.wire import Wire
from domain.pauses import Pauses
from tests.dhan.broker import Asked, Broker, answer
from tests.dhan.conftest import PLACE, READ, Sent, account
from tests.waiting import eventually

_ACK = answer('{"orderId":"112111182198","orderStatus":"TRANSIT"}')


def test_no_more_reads_in_a_second_than_dhan_takes_and_orders_go_between(wire: Wire) -> None:
    arrived: list[tuple[str, float]] = []

    def reply(asked: Asked) -> bytes:
        arrived.append((asked.method, time.monotonic()))
        return _ACK if asked.method == "POST" else answer("[]")

    with Broker(reply) as broker:
        sent = Sent(wire, wire.open(account(broker)))
        for _ in range(30):
            sent.send(READ, name="read")
        eventually(lambda: len(sent.named("read")) == 20)
        asked_at = time.monotonic()
        sent.send(PLACE, name="order")
        eventually(lambda: len(sent.named("read")) == 30)
    reads = [at for method, at in arrived if method == "GET"]
    assert all(last - first >= 1.0 for first, last in zip(reads, reads[20:], strict=False))
    assert {one.status for one in (*sent.named("read"), *sent.named("order"))} == {200}
    assert next(at for method, at in arrived if method == "POST") - asked_at < 0.5


@pytest.mark.scenario("7.6")
def test_a_read_that_is_throttled_holds_back_reads_alone(wire: Wire) -> None:
    arrived: list[float] = []

    def reply(asked: Asked) -> bytes:
        if asked.method == "POST":
            return _ACK
        arrived.append(time.monotonic())
        return answer("[]", "429 Too Many Requests") if len(arrived) == 1 else answer("[]")

    with Broker(reply) as broker:
        sent = Sent(wire, wire.open(account(broker)))
        sent.send(READ, name="throttled")
        eventually(lambda: sent.named("throttled"))
        sent.send(READ, name="read")
        sent.send(PLACE, name="order")
        eventually(lambda: sent.named("order"))
        assert not sent.named("read")
        eventually(lambda: sent.named("read"))
    assert sent.named("throttled")[0].status == 429
    assert sent.named("read")[0].status == 200
    assert arrived[1] - arrived[0] >= 1.0


def test_pauses_double_for_what_was_asked_after_they_began() -> None:
    pauses = Pauses[float]()
    assert pauses.refused(0.0, 0.5) == 1.0
    assert [pauses.refused(at, 0.6) for at in (0.1, 0.2, 0.5)] == [None] * 3
    pauses.went_through(0.4)
    assert [pauses.refused(at, at) for at in (2.0, 5.0, 10.0, 20.0, 40.0)] == [2, 4, 8, 16, 30]
    pauses.went_through(41.0)
    assert pauses.refused(42.0, 42.0) == 1.0
