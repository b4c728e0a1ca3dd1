"""The benchmark runs, counts every arrival once, and does not overlook a wrong one. No times."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websocket

from benchmarks.children import BrokerChild
from benchmarks.contest import Contest, client_id, login
from benchmarks.contestant import NAMES
from benchmarks.figures import Gap, Order, Tally
from benchmarks.rounds import Round

ROOT = Path(__file__).parents[1]
FOLLOWERS = 3


@pytest.mark.timeout(180)
def test_a_quick_run_completes_and_counts_every_copy_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", "figures.json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=170
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    document = json.loads((tmp_path / "figures.json").read_text())
    assert document["faults"] == []
    assert {row["contestant"] for row in document["race"]} == set(NAMES)
    for row in document["race"]:
        assert (row["followers"], row["orders"]) == (FOLLOWERS, 2)
        assert row["copies"] == FOLLOWERS * row["orders"]
        assert 0 < row["first_ms"] <= row["median_ms"] <= row["p99_ms"] <= row["last_ms"]
        assert row["cpu_seconds_per_1000"] > 0
        assert row["memory_mb"] > 0
    hops = document["hops"][str(FOLLOWERS)]
    way = [hops[hop]["last"] for hop in ("heard", "planned", "committed", "written", "arrived")]
    assert way == sorted(way)
    decided = document["decisions"]
    assert 0 < decided["plan_p50_us"] <= decided["plan_p99_us"]
    assert decided["plan_p50_us"] < decided["decision_p50_us"] <= decided["decision_p99_us"]
    assert [row["orders"] for row in document["day"]["rows"]] == [4, 20]
    for row in document["day"]["rows"]:
        assert min(row["order_us"], row["again_ms"], row["roster_ms"]) > 0
    asked = document["clock"]
    assert 0 < asked["remembered_p50_us"] <= asked["remembered_p99_us"]
    assert asked["remembered_p50_us"] < asked["found_p50_us"] <= asked["found_p99_us"]
    assert document["burst"]["orders"] == 12
    assert 0 < document["burst"]["share"] <= document["burst"]["of_all"] <= 1
    assert 0 < document["burst"]["late_ms"] <= document["burst"]["latest_ms"]
    assert document["master"]["instruments"] > 2000
    assert 0 < document["master"]["again_us"] < document["master"]["first_us"]
    assert document["master"]["peak_mb"] > 0
    assert document["adopting"]["copies"] == 200
    assert document["adopting"]["peak_mb"] > 0
    assert set(document["trouble"]["ratio"]) == {"median_ms", "worst_ms", "slowest_ms"}
    (recovered,) = document["recovery"]["rows"]
    assert (recovered["followers"], recovered["rounds"]) == (FOLLOWERS, 1)
    assert recovered["copies"] == FOLLOWERS * 8
    assert 0 < recovered["median_ms"] <= recovered["p99_ms"] <= recovered["worst_ms"]
    assert [row["orders"] for row in document["sweeps"]["rows"]] == [1, 20]
    for row in document["sweeps"]["rows"]:
        assert row["cpu_ms"] > 0
        assert row["waits_ms"] == pytest.approx(row["beside_ms"] - row["event_ms"])
        assert row["book_ms"] > 0


def test_the_figures_of_a_gap_are_those_of_the_last_copy_and_no_fault_is_overlooked() -> None:
    told = {"sent_ns": 1_000_000, "copies": 2, "faults": ["odd"]}
    whole = Gap.of(told | {"arrivals": {"1": [2_000_000, 3_000_000], "2": [9_000_000, 4_000_000]}})
    assert (whole.recovered_ms, whole.faults) == (8.0, ("odd",))
    lacking = Gap.of(told | {"faults": [], "arrivals": {"1": [2_000_000], "2": [3, 4]}})
    assert lacking.faults == ("1 asked 1 times for 2 copies",)


def test_a_copy_of_what_was_cancelled_or_changed_meanwhile_does_not_go_unnoticed() -> None:
    loop = asyncio.new_event_loop()
    missed = Round({"1": 1}, loop.create_future(), {"LS-1": 249_500}.get)
    good = {"exchangeSegment": "NSE_EQ", "securityId": "2885", "transactionType": "BUY",
            "quantity": 10, "price": 2495.0, "correlationId": "LS-1"}  # fmt: skip
    assert "asked for" in missed.fault("1", good | {"correlationId": "LS-2"})
    assert "asked for" in missed.fault("1", good | {"price": 2494.0})
    assert missed.fault("1", good) == ""
    assert missed.fault("1", good) == "1 asked for LS-1 twice"
    missed.answered("1")
    assert missed.finished.done()
    loop.close()


def _copies(broker: BrokerChild, post: Callable[[http.client.HTTPConnection], None]) -> Order:
    """What the broker counts when a contestant reacts to the leader's order with `post`."""
    follower = client_id(0, 1)
    contest = Contest(broker.api_url, broker.feed_url, client_id(0, 0), (follower,), "")
    feed = websocket.create_connection(broker.feed_url)
    feed.send(login(contest.leader))
    api = http.client.HTTPConnection(urlsplit(broker.api_url).netloc)
    api.request("GET", "/v2/orders", headers={"client-id": follower})
    assert api.getresponse().read().startswith(b"[")

    def react() -> None:
        feed.recv()
        post(api)

    reaction = threading.Thread(target=react)
    reaction.start()
    order = broker.order(contest, contest.followers)
    reaction.join()
    api.close()
    feed.close()
    return order


def _post(api: http.client.HTTPConnection, **changed: object) -> None:
    body = {
        "dhanClientId": client_id(0, 1),
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "securityId": "2885",
        "quantity": 10,
        "price": 2495.0,
    }
    headers = {"client-id": client_id(0, 1)}
    api.request("POST", "/v2/orders", json.dumps(body | changed), headers)


def test_one_right_copy_is_counted_after_the_frame_that_caused_it() -> None:
    with BrokerChild() as broker:
        order = _copies(broker, _post)
    assert order.faults == ()
    assert list(order.arrivals) == [client_id(0, 1)]
    assert 0 < order.delays()[0] < 10_000


def test_a_second_copy_does_not_go_unnoticed() -> None:
    def twice(api: http.client.HTTPConnection) -> None:
        other = http.client.HTTPConnection(api.host, api.port)
        _post(api)
        _post(other)
        other.getresponse().read()

    with BrokerChild() as broker:
        order = _copies(broker, twice)
        again = _copies(broker, _post)
    assert order.faults + again.faults != ()


def test_a_copy_of_the_wrong_size_does_not_go_unnoticed() -> None:
    with BrokerChild() as broker:
        order = _copies(broker, lambda api: _post(api, quantity=11))
    assert len(order.faults) == 1
    assert "'quantity': 11" in order.faults[0]


def test_the_figures_are_those_of_the_followers() -> None:
    arrivals = {str(number): 1_000_000 * number for number in range(1, 201)}
    order = Order("1", 0, arrivals, ())
    row = Tally("loop", 200, [order], cpu_seconds=1.0).row()
    assert (row["first_ms"], row["median_ms"], row["p99_ms"], row["last_ms"]) == pytest.approx(
        (1.0, 100.5, 198.0, 200.0)
    )
    assert row["cpu_seconds_per_1000"] == pytest.approx(5.0)
