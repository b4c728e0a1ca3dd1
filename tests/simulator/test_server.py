"""The simulator as a server: its control API, its master, its witness of arrivals, its end."""

import contextlib
import csv
import io
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from simulator.client import Control, ControlError
from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, LEADER, Ear, Rest
from tests.waiting import eventually


def test_accounts_are_opened_and_changed_while_it_runs(broker: Simulator) -> None:
    control = broker.control
    token = control.add_account("1000000003", funds=Decimal("2500.50"), token="MINE")
    assert token == broker.token("1000000003") == "MINE"
    assert [each["client_id"] for each in control.accounts()] == [LEADER, ASHA, "1000000003"]
    assert control.accounts()[-1]["funds"] == "2500.50"
    control.set_account("1000000003", funds="99.05")
    with Rest(broker, "1000000003") as fresh:
        assert fresh.send("GET", "/fundlimit").json()["availabelBalance"] == 99.05


def test_what_makes_no_sense_is_refused_in_words(broker: Simulator) -> None:
    control = broker.control
    for act, words in (
        (lambda: control.add_account(ASHA), "there is an account"),
        (lambda: control.add_account("9", token=broker.token(ASHA)), "another account's"),
        (lambda: control.book("9"), "there is no account 9"),
        (lambda: control.cancel(ASHA, "77"), "has no order 77"),
        (lambda: control.price("NSE_EQ", "1", 5), "nothing is listed as NSE_EQ 1"),
        (lambda: control.price("NSE_EQ", "2885", "1.001"), "no whole number of paise"),
        (lambda: control.price("NSE_EQ", "2885", 0), "more than nothing"),
        (lambda: control.set_account(ASHA, frames="triple"), "frames: Input should be"),
        (lambda: control.market("lunch"), "not one of open, closed, end_day, next_day"),
        (lambda: control.limits(ASHA, orders={"week": 3}), "not for week"),
        (
            lambda: control.place(
                ASHA, segment="NSE_EQ", security_id="2885", side="BUY", quantity=0, price=1
            ),
            "bad values",
        ),
    ):
        with pytest.raises(ControlError, match=words):
            act()


def test_an_order_that_was_told_once_has_no_older_event(broker: Simulator, rest: Rest) -> None:
    broker.control.tune(transit_ms=60_000)
    order_id = rest.place()
    with pytest.raises(ControlError, match="only 1 events"):
        broker.control.resend(ASHA, order_id, stale=1)


def test_the_control_api_by_plain_http(broker: Simulator) -> None:
    verbs = requests.get(broker.control_url, timeout=5).json()["result"]
    assert verbs["price"]["arguments"] == "segment security_id price [volume=None] [part=None]"
    assert {"place", "modify", "cancel", "fault", "book"} <= set(verbs)
    unknown = requests.post(f"{broker.control_url}/sell_all", json={}, timeout=5)
    assert unknown.status_code == 404
    assert "no verb sell_all" in unknown.json()["error"]
    typo = requests.post(
        f"{broker.control_url}/set_account", json={"client_id": ASHA, "fund": 1}, timeout=5
    )
    assert (typo.status_code, typo.json()["error"]) == (
        400,
        "set_account: fund: Extra inputs are not permitted",
    )
    for body in ("[]", "nothing", "3"):
        answer = requests.post(f"{broker.control_url}/book", data=body, timeout=5)
        assert answer.status_code == 400


def test_a_broker_that_is_gone_cannot_be_steered(broker: Simulator) -> None:
    control = Control(broker.control_url)
    broker.stop()
    with pytest.raises(ControlError, match="no answer"):
        control.accounts()


# The master


def test_the_master_is_dhans_detailed_file(broker: Simulator) -> None:
    text = requests.get(broker.master_url, timeout=5).text
    header, *rows = csv.reader(io.StringIO(text))
    assert (len(header), header[-1], header[0]) == (33, "", "EXCH_ID")
    assert {len(row) for row in rows} == {33}
    named = {
        (row["EXCH_ID"], row["SEGMENT"], row["SECURITY_ID"]): row
        for row in (dict(zip(header, row, strict=True)) for row in rows)
    }
    share, option = named["NSE", "E", "2885"], named["NSE", "D", "40001"]
    assert (share["TICK_SIZE"], share["LOT_SIZE"], share["SERIES"]) == ("5.0000", "1.0", "EQ")
    assert (option["LOT_SIZE"], option["SM_FREEZE_QTY"]) == ("65.0", "1756")
    assert (option["STRIKE_PRICE"], option["OPTION_TYPE"]) == ("25000.00000", "CE")
    assert named["NSE", "D", "50001"]["STRIKE_PRICE"] == "-0.01000"
    assert named["NSE", "I", "13"]["TICK_SIZE"] == "0.0500"
    limited = named["NSE", "E", "3045"]
    assert (limited["SM_UPPER_LIMIT"], limited["SM_LOWER_LIMIT"]) == ("880.0000", "720.0000")
    shown = {(each["segment"], each["security_id"]) for each in broker.control.listings()}
    assert len(shown) == len(named)
    assert ("NSE_FNO", "40001") in shown


def test_the_master_can_be_made_long(broker: Simulator) -> None:
    before = requests.get(broker.master_url, timeout=5).text.count("\n")
    broker.control.list_many(5000)
    after = requests.get(broker.master_url, timeout=20).text
    assert after.count("\n") == before + 5000
    assert broker.control.quote("NSE_FNO", "1000000")["price"] == "10.00"


# Witness


def test_every_request_is_seen_as_it_came(broker: Simulator, rest: Rest) -> None:
    before = time.monotonic_ns()
    rest.place(correlationId="seen")
    rest.send("GET", "/orders/external/seen?x=secret")
    after = time.monotonic_ns()
    placed, read = broker.control.requests(ASHA)
    assert (placed["method"], placed["path"], placed["status"]) == ("POST", "/v2/orders", 200)
    assert (placed["correlation_id"], placed["peer"]) == ("seen", "127.0.0.1")
    assert before < placed["at"] < read["at"] < after
    assert read["path"] == "/v2/orders/external/seen"
    assert broker.control.requests(LEADER) == []
    assert len(broker.control.requests()) == 2
    assert broker.control.requests(since=read["at"]) == [read]


def test_an_answer_takes_its_time_but_the_arrival_does_not(broker: Simulator, rest: Rest) -> None:
    broker.control.tune(rtt_ms=200)
    began = time.monotonic_ns()
    rest.place()
    took = time.monotonic_ns() - began
    (seen,) = broker.control.requests(ASHA)
    assert took >= 200_000_000
    assert took - (seen["at"] - began) >= 200_000_000


def test_a_request_in_pieces_and_two_in_one_piece(broker: Simulator) -> None:
    host = urlsplit(broker.api_url)
    head = (
        f"GET /v2/orders HTTP/1.1\r\nHost: x\r\nclient-id: {ASHA}\r\n"
        f"access-token: {broker.token(ASHA)}\r\n\r\n"
    ).encode()
    with socket.create_connection((host.hostname, host.port), timeout=5) as line:
        line.sendall(head[:30])
        eventually(lambda: broker.control.accounts())
        line.sendall(head[30:] + head)
        answers = b""
        while answers.count(b"200 OK") < 2 or not answers.endswith(b"[]"):
            answers += line.recv(4096)
    assert len(broker.control.requests(ASHA)) == 2


def test_orders_of_clients_that_hang_up_at_once_are_taken(broker: Simulator, rest: Rest) -> None:
    broker.control.limits(ASHA, orders={})
    host = urlsplit(broker.api_url)
    body = json.dumps(rest.order()).encode()
    head = (
        f"POST /v2/orders HTTP/1.1\r\nHost: x\r\nclient-id: {ASHA}\r\n"
        f"access-token: {broker.token(ASHA)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    before = _open_files()
    lines = [socket.create_connection((host.hostname, host.port), timeout=5) for _ in range(40)]
    for line in lines:
        line.sendall(head.encode() + body)
    for line in lines:
        line.close()
    eventually(lambda: len(broker.control.book(ASHA)) == 40, why="an order was lost")
    eventually(lambda: _open_files() <= before, why="the broker keeps connections that ended")


def _open_files() -> int:
    """How many files this process has open; unknown (0) where there is no /proc."""
    return sum(1 for _ in Path("/proc/self/fd").glob("*"))


# Addresses and the end


def test_addresses_are_on_loopback_and_one_port(broker: Simulator) -> None:
    urls = [broker.api_url, broker.auth_url, broker.feed_url, broker.master_url]
    assert {urlsplit(url).hostname for url in urls} == {"127.0.0.1"}
    assert len({urlsplit(url).port for url in urls}) == 1
    assert broker.feed_url.startswith("ws://")


def test_a_port_that_is_taken_is_an_error(broker: Simulator) -> None:
    with pytest.raises(OSError, match="in use"):
        Simulator(port=urlsplit(broker.api_url).port or 0)


def test_two_accounts_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="there is an account"):
        Simulator(accounts=[Opening(ASHA), Opening(ASHA)])


def test_it_stops_at_once_whatever_is_open(broker: Simulator) -> None:
    broker.control.fault(ASHA, "read", "hang")
    broker.control.fault(LEADER, "read", "delay", ms=60_000)
    hanging = []
    for client_id in (ASHA, LEADER):
        rest = Rest(broker, client_id)

        def ask(rest: Rest = rest) -> None:
            with rest, contextlib.suppress(requests.RequestException):
                rest.send("GET", "/orders", timeout=30)

        hanging.append(threading.Thread(target=ask))
        hanging[-1].start()
    eventually(lambda: len(broker.control.requests()) == 2)
    with Ear(broker, ASHA) as ear:
        ear.login()
        began = time.monotonic()
        broker.stop()
        broker.stop()
        assert time.monotonic() - began < 2.0
    for thread in hanging:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("off", [-3, 0, 3])
def test_answers_bear_the_date_of_the_simulators_own_clock(
    broker: Simulator, rest: Rest, off: int
) -> None:
    broker.control.clock(offset_seconds=off)
    before = datetime.now(UTC).replace(microsecond=0)
    date = parsedate_to_datetime(rest.send("GET", "/fundlimit").headers["Date"])
    assert before <= date - timedelta(seconds=off) <= datetime.now(UTC)
