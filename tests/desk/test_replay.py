"""`replay`: a recorded day comes out as it was, and other rules show what they would have done."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.house import HDFCBANK, RELIANCE, ROOT, SBIN, TCS, House, Row
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

NOVICE = """
[[followers]]
name = "novice"
client_id = "1000000009"
token = "file:1000000003.token"
sizing = { multiplier = 0.1 }
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path)
    opened.start()
    yield opened
    opened.close()


def replay(house: House, *words: str) -> "subprocess.CompletedProcess[str]":
    return nursery().obeyed(["replay", "today", *words, "--config", str(house.config)])


def document(house: House, *words: str) -> Any:
    return json.loads(replay(house, "--json", *words).stdout)


def a_day(house: House) -> None:
    """Everything that a copy can live through, a restart and a pause among it."""
    house.price(RELIANCE, 2500)
    house.price(SBIN, 800)
    bought = house.places(RELIANCE, "BUY", 10, order_type="MARKET")
    house.all_wait(bought, orderStatus="TRADED")
    resting = house.places(HDFCBANK, "BUY", 20, price=1600)
    house.all_wait(resting, orderStatus="PENDING")
    house.changes(resting, price=1610, quantity=40)
    house.all_wait(resting, price=1610.0)
    eventually(lambda: all(copy["in_step"] for copy in house.ask("copies")))
    house.kill()
    missed = house.places(SBIN, "SELL", 10, price=820, product="INTRADAY")
    house.cancels(resting)
    house.start()
    house.all_wait(resting, orderStatus="CANCELLED")
    house.all_wait(missed, orderStatus="PENDING")
    house.members = [replace(one, more=("paused = true",)) for one in house.members]
    house.write_config()
    eventually(lambda: {row["mood"] for row in house.ask("followers", "list")} == {"paused"})
    house.places(TCS, "BUY", 10, price=3300)
    eventually(lambda: [c["state"] for c in house.ask("copies")].count("skipped") == 3)
    house.price(SBIN, 825)
    house.all_wait(missed, orderStatus="TRADED")
    eventually(lambda: all(copy["in_step"] for copy in house.ask("copies")))


def test_a_recorded_day_comes_out_as_it_was(house: House) -> None:
    a_day(house)
    while_it_runs = replay(house)
    assert while_it_runs.returncode == 0, while_it_runs.stderr
    assert house.stop() == 0
    told = document(house)
    assert told["same"]
    assert [one["follower"] for one in told["followers"]] == ["double", "half", "same"]
    for one in told["followers"]:
        # Two placed, one changed and cancelled, one placed after the restart.
        assert (one["requests"], one["copies"], one["differences"]) == (5, 4, [])
        assert one["inputs"] > 20
    only = document(house, "--follower", "half")
    assert [one["follower"] for one in only["followers"]] == ["half"]
    assert "half: " in replay(house).stderr


def test_what_was_recorded_otherwise_is_found(house: House) -> None:
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    house.stop()
    with sqlite3.connect(house.folder / "copy_trading.db") as ledger:
        ledger.execute("UPDATE intents SET quantity = 11 WHERE follower = 'same'")
        ledger.execute("UPDATE copies SET filled = 3 WHERE follower = 'half'")
    done = replay(house)
    assert done.returncode == 1
    assert f"for order {order}: BUY 11 LIMIT at 2400.00 as" in done.stderr
    assert f"the copy of order {order}: filled was 3, is 0 now" in done.stderr
    told = document(house)
    assert [len(one["differences"]) for one in told["followers"]] == [0, 1, 2]


def test_another_multiplier_shows_another_outcome(house: House) -> None:
    a_day(house)
    house.stop()
    before = {(row["leader_order_id"], row["follower"]): row for row in house.ask("copies")}
    others = house.folder / "others.toml"
    others.write_text(
        house.config.read_text()
        .replace("paused = true", "")
        .replace("multiplier = 1 }", "multiplier = 3 }")
        + NOVICE
    )
    others.chmod(0o600)
    rows: list[Row] = document(house, "--with", str(others))
    assert {row["follower"] for row in rows} == {"same", "half", "double", "novice"}
    for row in rows:
        was, would = before.get((row["leader_order_id"], row["follower"])), row["would"]
        assert (row["was"] is None) == (was is None) == (row["follower"] == "novice")
        if was and row["follower"] == "half" and was["state"] != "skipped":
            assert (would["quantity"], would["state"]) == (was["quantity"], was["state"])
        if was and row["follower"] == "same" and would["state"] == "filled":
            assert would["quantity"] == would["filled"] == 3 * was["quantity"]
            assert would["average_price"] == was["leader_average_price"]
    states = {row["would"]["state"] for row in rows if row["follower"] == "same"}
    assert states == {"filled", "cancelled", "open"}  # it would not have been paused


def test_a_day_without_a_record_and_a_stranger_are_said(house: House) -> None:
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    stranger = replay(house, "--follower", "hal")
    assert stranger.returncode == 2
    assert "did you mean half?" in stranger.stderr
    for day, words in (("2020-01-01", "nothing was recorded on 2020-01-01"), ("then", "a date")):
        command = [sys.executable, "run.py", "replay", day, "--config", str(house.config)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert words in done.stderr
