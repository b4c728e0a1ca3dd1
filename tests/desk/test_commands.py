"""The verbs as their user runs them: real processes, their documents and their exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from desk.config import load
from domain.sessions import IST
from simulator.server import Opening, Simulator
from tests.desk.files import GOOD, ROOT, run, written

LEADER, ASHA, RAVI = "1000000001", "1000000002", "1000000003"


@pytest.fixture(scope="module")
def broker() -> Iterator[Simulator]:
    with Simulator(
        accounts=[Opening(LEADER), Opening(ASHA), Opening(RAVI, allowed_ips=("10.0.0.1",))]
    ) as simulator:
        yield simulator


def dhan(broker: Simulator) -> str:
    return (
        f'[dhan]\napi_url = "{broker.api_url}"\nauth_url = "{broker.auth_url}"\n'
        f'feed_url = "{broker.feed_url}"\nmaster_url = "{broker.master_url}"\n'
    )


def house(
    folder: Path, broker: Simulator, members: dict[str, tuple[str, str]], more: str = ""
) -> Path:
    """A configuration with followers by name: client id and whose token (a client id, or any
    other text as it is)."""
    lines = [dhan(broker), more, "[leader]", f'client_id = "{LEADER}"', 'token = "file:leader"']
    private(folder / "leader", broker.token(LEADER))
    for name, (client_id, owner) in members.items():
        token = broker.token(owner) if owner.isdigit() else owner
        private(folder / name, token)
        lines += [
            "[[followers]]",
            f'name = "{name}"',
            f'client_id = "{client_id}"',
            f'token = "file:{name}"',
        ]
    return written(folder, "\n".join(lines) + "\n")


def private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def document(done: "subprocess.CompletedProcess[str]") -> Any:
    """The one JSON document on stdout; anything else there is an error."""
    return json.loads(done.stdout)


def found(done: "subprocess.CompletedProcess[str]") -> dict[tuple[str, str], str]:
    """The findings of `check --json`: what, by level and place."""
    told = document(done)
    assert set(told) == {"ok", "findings"}
    assert all(set(one) == {"level", "what", "where", "fix"} for one in told["findings"])
    return {(one["level"], one["where"]): one["what"] for one in told["findings"]}


# check


def test_check_of_a_good_house_is_ok(tmp_path: Path, broker: Simulator) -> None:
    path = house(tmp_path, broker, {"asha": (ASHA, ASHA)})
    year = datetime.now(IST).year
    (tmp_path / "calendar.toml").write_text(f"known_years = [{year}, {year + 1}]\n")
    done = run("check", "--config", str(path), "--json")
    assert done.returncode == 0, done.stdout
    assert document(done)["ok"] is True
    assert set(found(done)) == {("note", "ledger.path"), ("note", "dhan.master_url")}
    assert done.stderr == ""
    shown = run("--config", str(path), "check")
    assert shown.returncode == 0
    assert "Ready to trade" in shown.stdout


@pytest.mark.parametrize(("off", "word"), [(3, "behind"), (-3, "ahead of")])
def test_check_finds_a_clock_that_is_off(
    tmp_path: Path, broker: Simulator, off: int, word: str
) -> None:
    path = house(tmp_path, broker, {"asha": (ASHA, ASHA)})
    broker.control.clock(offset_seconds=off)
    try:
        done = run("check", "--config", str(path), "--json")
    finally:
        broker.control.clock(offset_seconds=0)
    assert done.returncode == 0, "it is a warning"
    (clock,) = (one for one in document(done)["findings"] if one["where"] == "clock")
    assert clock["level"] == "warning"
    told = re.fullmatch(rf"this host's clock is at least (.+) s {word} Dhan's", clock["what"])
    assert told is not None, clock["what"]
    assert 1.5 < float(told[1]) <= 3.0, "a Date has whole seconds"
    assert "NTP" in clock["fix"]


def test_check_finds_what_is_wrong_with_each_account(tmp_path: Path, broker: Simulator) -> None:
    path = house(
        tmp_path,
        broker,
        {
            "asha": (ASHA, ASHA),
            "elsewhere": (RAVI, RAVI),
            "swapped": ("1000000008", ASHA),
            "refused": ("1000000009", "no-such-token-91"),
            "gone": ("1000000010", ""),
            "ended": ("1000000011", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.c2ln"),
        },
    )
    (tmp_path / "gone").unlink()
    done = run("check", "--config", str(path), "--json")
    assert done.returncode == 1
    errors = {where: what for (level, where), what in found(done).items() if level == "error"}
    assert set(errors) == {
        "followers[1]",
        "followers[2].token",
        "followers[3].token",
        "followers[4].token",
        "followers[5].token",
    }
    assert errors["followers[1]"] == "Dhan takes no orders from 127.0.0.1"
    assert errors["followers[2].token"] == f"is of account {ASHA}, not of 1000000008"
    assert "Dhan does not take it" in errors["followers[3].token"]
    assert "cannot be read" in errors["followers[4].token"]
    assert "expired at 2023-11-14" in errors["followers[5].token"]
    for secret in ("no-such-token-91", broker.token(ASHA), "c2ln"):
        assert secret not in done.stdout + done.stderr


def test_check_of_a_broken_file_tells_everything_and_that_it_is_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("sizing", "sizeing").replace("sweep_seconds", "sweep_second")
    done = run("check", "--config", str(written(tmp_path, text)), "--json")
    assert done.returncode == 2
    assert document(done)["ok"] is False
    assert ("error", "followers[0].sizeing") in found(done)
    assert ("error", "recovery.sweep_second") in found(done)


def test_check_of_a_host_without_network_says_what_cannot_be_reached(
    tmp_path: Path, broker: Simulator
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        dead = f"127.0.0.1:{taken.getsockname()[1]}"
    path = house(tmp_path, broker, {"asha": (ASHA, ASHA)})
    place = broker.api_url.split("/")[2]
    path.write_text(path.read_text().replace(place, dead))
    done = run("check", "--config", str(path), "--json")
    assert done.returncode == 1
    told = found(done)
    assert "cannot be asked" in told["error", "dhan.api_url"]
    assert "cannot be reached" in told["error", "dhan.feed_url"]
    assert "cannot be reached" in told["warning", "dhan.auth_url"]
    assert "cannot be used" in told["warning", "dhan.master_url"]


@pytest.mark.parametrize(
    ("ledger", "said"),
    [("no/such/folder.db", "there is no directory"), ("foreign.db", "not a database")],
)
def test_check_looks_at_the_ledger_and_writes_nothing(
    tmp_path: Path, broker: Simulator, ledger: str, said: str
) -> None:
    path = house(tmp_path, broker, {}, more=f'[ledger]\npath = "{ledger}"\n')
    (tmp_path / "foreign.db").write_text("something else" * 100)
    before = sorted(file.name for file in tmp_path.iterdir())
    done = run("check", "--config", str(path), "--json")
    assert done.returncode == 1
    assert said in found(done)["error", "ledger.path"]
    assert found(done)["warning", "followers"] == "nobody follows"
    assert sorted(file.name for file in tmp_path.iterdir()) == before


# followers


def test_the_roster_is_edited_and_listed(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert run("followers", "pause", "asha", "--config", str(path)).returncode == 0
    words = ["--client-id", "1000000009", "--token", "file:meera", "--multiplier", "0.1"]
    added = run("followers", "add", "meera", *words, "--when-closed", "skip", "--config", str(path))
    assert added.returncode == 0
    assert added.stdout == ""
    assert run("followers", "remove", "ravi", "--config", str(path)).returncode == 0
    done = run("followers", "list", "--json", "--config", str(path))
    assert done.returncode == 0
    rows = document(done)
    assert [(row["name"], row["client_id"], row["mood"]) for row in rows] == [
        ("asha", "1000000002", "paused"),
        ("meera", "1000000009", "stopped"),
    ]
    assert [row["open_copies"] for row in rows] == [0, 0]
    assert all(row["reason"] == "no engine is running" for row in rows)
    assert "No engine is running" in done.stderr
    assert load(path).followers[1].rules.sizing.text == "multiplier 1/10"
    assert "# the careful one" in path.read_text()


def test_a_token_itself_is_not_taken_from_the_command_line(tmp_path: Path) -> None:
    path = written(tmp_path)
    secret = "a-token-that-should-not-stand-here"
    words = ["followers", "add", "m", "--client-id", "9", "--config", str(path)]
    for more in (["--token", secret], ["--token", "env:M", "--tokn", secret], [f"--pin={secret}"]):
        done = run(*words, *more)
        assert done.returncode == 2
        assert secret not in done.stdout + done.stderr
    assert path.read_text() == GOOD
    assert not any(secret in file.read_text() for file in tmp_path.rglob("*") if file.is_file())


def test_edits_that_cannot_be_made_are_wrong_usage(tmp_path: Path) -> None:
    path = written(tmp_path)
    done = run("followers", "resume", "rave", "--config", str(path))
    assert done.returncode == 2
    assert "did you mean ravi?" in done.stderr
    taken = ["--client-id", "1000000001", "--token", "env:M"]
    done = run("followers", "add", "m", *taken, "--config", str(path))
    assert done.returncode == 2
    assert "followers[2].client_id: is the same as leader.client_id" in done.stderr
    assert path.read_text() == GOOD


# copies, clock and what is common to all


def test_copies_need_a_ledger(tmp_path: Path) -> None:
    done = run("copies", "--json", "--config", str(written(tmp_path)))
    assert done.returncode == 3
    assert done.stdout == ""
    assert "there is no such ledger" in done.stderr


def test_the_clock_tells_every_segment(tmp_path: Path) -> None:
    done = run("clock", "--json", "--at", "2026-11-25T09:15:00+05:30", cwd=tmp_path)
    assert done.returncode == 0
    rows = {row["segment"]: row for row in document(done)}
    assert len(rows) == 8
    assert rows["NSE_EQ"] == {
        "segment": "NSE_EQ",
        "phase": "open",
        "open": True,
        "next_phase": "closing_auction",
        "next_at": "2026-11-25T15:15:00+05:30",
        "others": [
            {
                "traded": "shares without derivatives",
                "phase": "open",
                "open": True,
                "next_phase": "closed",
                "next_at": "2026-11-25T15:30:00+05:30",
            }
        ],
        "calendar": [],
        "next_year_known": False,
    }
    early = document(run("clock", "--json", "--at", "2026-11-25T03:40:00Z", cwd=tmp_path))
    assert [(row["segment"], row["phase"]) for row in early[:2]] == [
        ("NSE_EQ", "matching"),
        ("NSE_FNO", "buffer"),
    ]
    assert early[0]["open"] is False


def test_the_clock_says_what_the_configuration_says(tmp_path: Path, broker: Simulator) -> None:
    path = house(tmp_path, broker, {}, more='[clock]\nsessions = "always"\n')
    for row in document(run("clock", "--json", "--config", str(path))):
        assert row["open"] is True
        assert row["next_at"] is None


@pytest.mark.parametrize(
    "words",
    [
        ["chek"],
        ["--conf", "x"],
        ["check", "--jason"],
        ["followers"],
        ["followers", "add", "x"],
        ["clock", "--at", "noon"],
        ["clock", "--at", "2026-11-25T09:15:00"],
        ["clock", "--at", "9999-12-31T09:15:00+05:30"],
        ["check"],
        ["copies", "--config", "none.toml"],
        ["--once", "--json", "no/such/folder.json"],
    ],
)
def test_wrong_usage_is_2_without_a_traceback(tmp_path: Path, words: list[str]) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "" or words == ["check"]


def test_a_broken_file_stops_every_verb_and_the_run(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("name", "nmae"))
    for words in ([], ["copies"], ["followers", "pause", "asha"]):
        done = run(*words, "--config", str(path))
        assert done.returncode == 2
        assert "followers[0].nmae: is not a known key (did you mean name?" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_names_every_verb() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in ("check", "clock", "copies", "followers", "instruments", "simulator"):
        assert verb in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    names = [
        f'[[followers]]\nname = "f{number}"\nclient_id = "{number}"\ntoken = "env:F"\n'
        for number in range(1000, 2000)
    ]
    path = written(tmp_path, GOOD + "".join(names))
    process = subprocess.Popen(
        [sys.executable, "run.py", "followers", "list", "--json", "--config", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(30) == 0
    told = process.stderr.read()
    process.stderr.close()
    assert b"Traceback" not in told


def test_the_simulator_is_handed_its_own_words() -> None:
    process = subprocess.Popen(
        [sys.executable, "run.py", "simulator", "--port", "0", "--json", "--accounts", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert len(told["accounts"]) == 2
        assert told["api_url"].startswith("http://127.0.0.1:")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
        if process.stdout is not None:
            process.stdout.close()
