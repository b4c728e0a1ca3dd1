"""A live process beside its onlookers: what it logs, what it shows, and who may know what."""

import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.desk.files import run
from tests.scenarios.house import DOUBLE, HALF, LEADER, RELIANCE, SAME, House
from tests.waiting import eventually

MEMBERS = (HALF, SAME, DOUBLE)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    built = House(tmp_path_factory.mktemp("house"), by_hand=True)
    try:
        yield built.start()
    finally:
        built.close()


@pytest.fixture(scope="module")
def order(house: House) -> str:
    """A leader order that is copied and filled everywhere."""
    placed = house.places(RELIANCE, "BUY", 100, price=2490)
    house.all_wait(placed, orderStatus="PENDING")
    house.price(RELIANCE, 2489.5)
    house.all_wait(placed, orderStatus="TRADED")
    return placed


def filled(house: House, order: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.ask("copies", "--order", order)
    done = [row for row in rows if row["state"] == "filled" and row["leader_average_price"]]
    return done if len(done) == len(MEMBERS) else []


def logged(house: House) -> list[dict[str, Any]]:
    lines = (house.folder / "logs" / "lockstep.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_copies_are_told_with_prices_in_rupees(house: House, order: str) -> None:
    rows = eventually(lambda: filled(house, order), 15, "the copies are not told as filled")
    for row, member in zip(sorted(rows, key=lambda row: row["quantity"]), MEMBERS, strict=True):
        assert row["leader_order_id"] == order
        assert row["follower"] == member.name
        assert row["quantity"] == row["filled"] == int(100 * float(member.multiplier))
        assert re.fullmatch(r"\d+\.\d{2,4}", row["average_price"])
        assert row["leader_average_price"] == "2489.50"
        assert row["slippage_paise"] == 0
        assert row["dispatch_us"] > 0
        assert [len(row["order_ids"]), len(row["correlation_ids"])] == [1, 1]
        assert row["in_step"] is True


def test_only_one_followers_copies_are_told_if_asked(house: House, order: str) -> None:
    rows = house.ask("copies", "--follower", SAME.name)
    assert {row["follower"] for row in rows} == {SAME.name}
    done = run("copies", "--follower", "sam", "--config", str(house.config))
    assert done.returncode == 2
    assert "did you mean same?" in done.stderr


def test_while_it_runs_moods_are_the_engines(house: House, order: str) -> None:
    done = run("followers", "list", "--json", "--config", str(house.config))
    rows = json.loads(done.stdout)
    assert [(row["name"], row["mood"]) for row in rows] == [
        (member.name, "active") for member in MEMBERS
    ]
    assert "No engine" not in done.stderr


def test_an_edit_takes_effect_within_two_seconds_and_a_broken_one_never(
    house: House, order: str
) -> None:
    def after(edited: float, said: str) -> bool:
        """Whether it is logged within two seconds of the edit."""
        times = (
            datetime.fromisoformat(row["time"]).timestamp() - edited
            for row in logged(house)
            if said in row["message"]
        )
        return any(0 <= late < 2 for late in times)

    good = house.config.read_text()
    assert run("followers", "pause", HALF.name, "--config", str(house.config)).returncode == 0
    paused = house.config.stat().st_mtime
    eventually(lambda: after(paused, "The edited roster has 3 followers"), 5, "it is not taken")
    assert [row["mood"] for row in house.ask("followers", "list")] == ["paused", "active", "active"]
    house.config.write_text(good.replace("multiplier", "multiplyer"))
    broken = house.config.stat().st_mtime
    eventually(lambda: after(broken, "followers[0].sizing.multiplyer: is not a known key"), 5)
    assert "all goes on as before" in house.output()
    house.config.write_text(good)
    mended = house.config.stat().st_mtime
    eventually(lambda: after(mended, "The edited roster has 3 followers"), 5, "it is not taken")


def test_every_line_about_an_order_names_order_follower_and_request(
    house: House, order: str
) -> None:
    rows = eventually(lambda: filled(house, order), 15)
    names = {row["follower"]: row["correlation_ids"][0] for row in rows}

    def about() -> list[dict[str, Any]]:
        return [row for row in logged(house) if row.get("leader_order") == order]

    eventually(lambda: len({row["follower"] for row in about()}) == len(MEMBERS), 5)
    assert all(row["correlation_id"] == names[row["follower"]] for row in about())
    text = house.output()
    assert all(f"[{order} {follower} {name}]" in text for follower, name in names.items())


def test_no_token_is_in_logs_output_ledger_or_process_list(house: House, order: str) -> None:
    tokens = [house.broker.token(LEADER), *(house.broker.token(m.client_id) for m in MEMBERS)]
    own = {f"{client_id}.token" for client_id in (LEADER, *(m.client_id for m in MEMBERS))}
    files = [path for path in house.folder.rglob("*") if path.is_file() and path.name not in own]
    assert {"out.txt", "lockstep.log", "copy_trading.db"} <= {path.name for path in files}
    assert house.process is not None
    seen = [path.read_bytes() for path in files]
    seen.append(Path(f"/proc/{house.process.pid}/cmdline").read_bytes())
    seen.append(Path(f"/proc/{house.process.pid}/environ").read_bytes())
    for token in tokens:
        assert not any(token.encode() in content for content in seen)


def test_what_it_writes_is_for_its_owner_only(house: House, order: str) -> None:
    written = [house.folder / "copy_trading.db", house.folder / "logs" / "lockstep.log"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}


def test_a_second_one_is_refused_with_3_and_disturbs_nobody(house: House, order: str) -> None:
    done = run("--config", str(house.config))
    assert done.returncode == 3
    assert house.process is not None
    assert f"process {house.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr
    check = run("check", "--json", "--config", str(house.config))
    notes = [one["what"] for one in json.loads(check.stdout)["findings"]]
    assert f"an engine is running on it (process {house.process.pid})" in notes
    assert check.returncode == 0


def test_it_ends_with_0_and_its_copies_are_still_told(house: House, order: str) -> None:
    assert house.process is not None
    os.kill(house.process.pid, signal.SIGTERM)
    assert house.process.wait(10) == 0
    done = run("copies", "--json", "--order", order, "--config", str(house.config))
    assert len(json.loads(done.stdout)) == len(MEMBERS)
    assert "No engine is running" in done.stderr
    assert "Traceback" not in house.output()
