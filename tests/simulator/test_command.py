"""`python -m simulator` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from simulator.client import Control

_ROOT = Path(__file__).parents[2]
_END_SECONDS = 10


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The simulator's process, killed in the end should it still run."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    process = subprocess.Popen(
        command, cwd=_ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Exit code and what stood on stderr after a signal."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=_END_SECONDS)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    with _running("--account", "1000000001:LEADER", "--accounts", "2", "--json") as process:
        shown = json.loads(_line(process))
        assert [each["client_id"] for each in shown["accounts"]] == [
            "1000000001",
            "1000000002",
            "1000000003",
        ]
        assert shown["accounts"][0]["token"] == "LEADER"
        assert {urlsplit(url).hostname for name, url in shown.items() if name.endswith("_url")} == {
            "127.0.0.1"
        }
        follower = shown["accounts"][1]
        headers = {"client-id": follower["client_id"], "access-token": follower["token"]}
        profile = requests.get(f"{shown['api_url']}/profile", headers=headers, timeout=5)
        assert profile.json()["dhanClientId"] == follower["client_id"]
        control = Control(shown["control_url"])
        order_id = control.place(
            "1000000001", segment="NSE_EQ", security_id="2885", side="BUY", quantity=1, price="2490"
        )
        assert [row["orderId"] for row in control.book("1000000001")] == [order_id]
        assert _ended(process, number) == (0, "")


def test_it_tells_people_where_it_is_and_what_to_do() -> None:
    with _running() as process:
        lines = [_line(process)]
        while not lines[-1].startswith("Ready."):
            lines.append(_line(process))
        page = "".join(lines)
        assert page.count("account ") == 4
        for name in ("api_url", "auth_url", "feed_url", "master_url", "control_url"):
            assert name in page
        assert _ended(process, signal.SIGTERM)[0] == 0


def test_its_help_shows_an_order_by_hand() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"],
        cwd=_ROOT, text=True, capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    assert "/control/place -d" in done.stdout
    assert '"side": "BUY"' in done.stdout


def test_a_taken_port_and_wrong_arguments_are_said_in_words() -> None:
    with _running("--json") as process:
        port = urlsplit(json.loads(_line(process))["api_url"]).port
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "--port", str(port)],
            cwd=_ROOT, text=True, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "cannot start" in done.stderr
        assert "Traceback" not in done.stderr
        assert _ended(process, signal.SIGTERM)[0] == 0
    wrong = subprocess.run(
        [sys.executable, "-m", "simulator", "--account", "asha:TOKEN"],
        cwd=_ROOT, text=True, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert wrong.returncode == 2
    assert "a client id consists of digits" in wrong.stderr
    assert "TOKEN" not in wrong.stderr.replace("CLIENT_ID[:TOKEN]", "")
