"""What a real process logs: JSON in a private file, lines on the terminal, secrets in neither."""

import json
import logging
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desk import logs
from desk.logs import PrivateFile
from desk.usage import Misused
from tests.desk.files import ROOT

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsZWFkZXIiLCJleHAiOjF9.c2lnbmF0dXJlLW9mLWl0"
TOKEN = "plain/token+of=asha-91"
PIN = "480215"

PROGRAM = f"""
import logging, sys, threading, warnings
from pathlib import Path
from desk import logs, redact

before = logging.getLogger("made.before")
logs.configure(Path(sys.argv[1]), trades=True)
for secret in ({TOKEN!r}, {PIN!r}):
    redact.know(secret)
order = dict(leader_order="112111182198", follower="asha", correlation_id="LSn1a-0-0")
before.info("place: accepted", extra=order)
before.warning("held", extra=order | dict(correlation_id=None))
log = logging.getLogger("some.library")
log.info("login with %s", {JWT!r})
log.info("headers %s", {{"access-token": {TOKEN!r}}}, extra=dict(sent=[{TOKEN!r}, int({PIN!r})]))
log.info("GET /app/generateAccessToken?dhanClientId=1&pin={PIN}&totp=553311")
log.info("%d orders", {TOKEN!r})
log.info("%d orders", {TOKEN!r})
warnings.warn("deprecated {TOKEN}")
try:
    try:
        raise ConnectionError("refused {JWT}")
    except ConnectionError as cause:
        raise ValueError("no luck with {TOKEN}") from cause
except ValueError:
    log.exception("it broke", stack_info=True)

def fall():
    raise RuntimeError("in a thread, {TOKEN}")

thread = threading.Thread(target=fall, name="Faller")
thread.start()
thread.join()
raise SystemError("at the end, {TOKEN} and {JWT} and {PIN}")
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the program above printed, and its log file."""
    folder = tmp_path_factory.mktemp("it's 100%")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr, folder / "logs" / "lockstep.log"


def rows(talk: tuple[str, Path]) -> list[dict[str, object]]:
    return [json.loads(line) for line in talk[1].read_text().splitlines()]


@pytest.mark.parametrize("secret", [JWT, JWT[40:], TOKEN, PIN, "553311"])
def test_no_secret_reaches_terminal_or_file(talk: tuple[str, Path], secret: str) -> None:
    stderr, file = talk
    assert "it broke" in stderr
    assert secret not in stderr
    assert secret not in file.read_text()
    assert "[hidden]" in stderr


def test_the_file_has_a_json_document_a_line_with_its_instant(talk: tuple[str, Path]) -> None:
    for row in rows(talk):
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+05:30", str(row["time"]))
        assert {"level", "logger", "thread", "message"} <= set(row)


def test_lines_about_an_order_say_which_and_whose(talk: tuple[str, Path]) -> None:
    placed, held, *others = rows(talk)
    assert placed["message"] == "place: accepted"
    assert placed["leader_order"] == "112111182198"
    assert placed["follower"] == "asha"
    assert placed["correlation_id"] == "LSn1a-0-0"
    assert held["follower"] == "asha"
    assert "correlation_id" not in held
    assert all("leader_order" not in row for row in others)
    assert "place: accepted [112111182198 asha LSn1a-0-0]\n" in talk[0]
    assert "held [112111182198 asha]\n" in talk[0]


def test_tracebacks_are_kept_without_what_is_secret(talk: tuple[str, Path]) -> None:
    by_message = {str(row["message"]): row for row in rows(talk)}
    broke = str(by_message["it broke"]["exception"])
    assert "ConnectionError: refused [hidden]" in broke
    assert "ValueError: no luck with [hidden]" in broke
    assert "line" in broke


def test_what_nobody_caught_is_logged_too(talk: tuple[str, Path]) -> None:
    ends = [row for row in rows(talk) if row["level"] == "CRITICAL"]
    assert [str(row["exception"]).splitlines()[-1] for row in ends] == [
        "RuntimeError: in a thread, [hidden]",
        "SystemError: at the end, [hidden] and [hidden] and [hidden]",
    ]
    assert "Faller" in str(ends[0]["message"])


def test_a_line_that_cannot_be_made_is_said_once_without_its_content(
    talk: tuple[str, Path],
) -> None:
    said = [line for line in talk[0].splitlines() if "no log line of" in line]
    assert len(said) == 2
    assert all(line.endswith("TypeError") for line in said)
    assert "Arguments" not in talk[0]


def test_the_file_and_its_folder_are_for_their_owner_only(talk: tuple[str, Path]) -> None:
    assert stat.S_IMODE(talk[1].stat().st_mode) == 0o600
    assert stat.S_IMODE(talk[1].parent.stat().st_mode) == 0o700


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("lockstep", logging.INFO, __file__, 1, message, (), None)


def test_the_process_that_trades_rotates_and_the_others_add(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "lockstep.log"
    trading = PrivateFile(str(path), 200, 2, rotates=True)
    asking = PrivateFile(str(path), 200, 2, rotates=False)
    for number in range(9):
        trading.emit(record(f"{number} " + "t" * 90))
    rotated = path.with_name("lockstep.log.1").read_text()
    for number in range(9):
        asking.emit(record(f"{number} " + "a" * 90))
    trading.close()
    asking.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "lockstep.log",
        "lockstep.log.1",
        "lockstep.log.2",
    ]
    assert path.with_name("lockstep.log.1").read_text() == rotated
    assert len(path.read_text().splitlines()) > 9
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_file_that_cannot_be_written_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")
    file = PrivateFile(str(tmp_path / "logs" / "lockstep.log"), 200, 2, rotates=True)
    file.emit(record("one"))
    file.emit(record("two"))
    file.close()
    assert capsys.readouterr().err.count("PrivateFile: no log line of lockstep, line 1") == 1


def test_a_log_that_others_can_read_is_theirs_no_more(tmp_path: Path) -> None:
    path = tmp_path / "lockstep.log"
    path.touch(mode=0o644)
    file = PrivateFile(str(path), 200, 2, rotates=True)
    file.emit(record("one"))
    file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "[loggers]\nkeys = root\n", "no ini at all"])
def test_a_missing_or_maimed_logging_ini_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    ini = tmp_path / "logging.ini"
    if content is not None:
        ini.write_text(content)
    monkeypatch.setattr(logs, "_INI", ini)
    with pytest.raises(Misused, match=r"logging\.ini cannot be used"):
        logs.configure(tmp_path, trades=False)
