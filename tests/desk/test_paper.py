"""The paper day as a user runs it: `python run.py` where nothing is configured."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually

_RUN = Path(__file__).parents[2] / "run.py"


def _paper(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    with (folder / "out.txt").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, str(_RUN), *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def test_the_day_ends_in_step_and_says_what_happened(tmp_path: Path) -> None:
    process = _paper(tmp_path, "--once", "--pace", "0", "--json", "day.json")
    assert process.wait(90) == 0
    day = json.loads((tmp_path / "day.json").read_text())
    assert day["in_step"] is True
    copies = day["copies"]
    states = {(copy["follower"], copy["state"]) for copy in copies}
    assert {follower for follower, _ in states} == {"half", "double", "slow"}
    assert {"filled", "cancelled", "skipped"} == {state for _, state in states}
    assert all(copy["in_step"] for copy in copies)
    bought = [copy for copy in copies if copy["symbol"] == "HDFC Bank" and copy["side"] == "BUY"]
    assert any(copy["slippage_paise"] > 0 for copy in bought if copy["filled"])
    printed = (tmp_path / "out.txt").read_text()
    assert "Summary" in printed
    assert "The market closes" in printed
    assert not list(tmp_path.glob("*.db*")), "a paper day leaves no ledger behind"


def test_a_stop_in_the_middle_is_obeyed(tmp_path: Path) -> None:
    process = _paper(tmp_path)
    eventually(lambda: "buys 100 RELIANCE" in (tmp_path / "out.txt").read_text(), 20)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert "Traceback" not in (tmp_path / "out.txt").read_text()


def test_a_terminal_gets_the_live_table(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(_RUN), "--once", "--pace", "0.2"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "160", "LINES": "60"},
    )
    os.close(theirs)
    seen = b""

    def shown() -> bool:
        nonlocal seen
        seen += os.read(ours, 65536)
        return all(word in seen for word in (b"PAPER", b"half", b"double", b"slow", b"filled"))

    try:
        eventually(shown, 30, "no live table")
        process.send_signal(signal.SIGTERM)
        assert _drained(ours, process) in (0, 1)
    finally:
        process.kill()
        os.close(ours)


def _drained(terminal: int, process: "subprocess.Popen[bytes]") -> int:
    """The exit code of a process whose terminal is read until it ends."""
    while process.poll() is None:
        try:
            os.read(terminal, 65536)
        except OSError:
            break
    return process.wait(10)
