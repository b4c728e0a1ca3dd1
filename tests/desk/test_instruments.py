"""`instruments`, `check` and the master: what is in place, had again, found, and how old it is."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desk import probes
from desk.commands import instruments
from desk.config import Config, load
from dhan.master import read
from domain.instruments import InstrumentKey
from domain.messages import Level
from ledger.instruments import MasterFile
from ledger.lock import Lock
from tests.actors.masters import CALL, SBIN, listed
from tests.actors.masters import written as master_in
from tests.desk.files import GOOD, run, written


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration with a master that is a file."""
    master_in(tmp_path / "master.csv", listed())
    return load(written(tmp_path, f'{GOOD}\n[dhan]\nmaster_url = "master.csv"\n'))


def in_place(config: Config) -> MasterFile:
    return MasterFile.beside(config.engine.ledger, config.engine.master)


def seed(config: Config, *without: InstrumentKey, ago: timedelta = timedelta(0)) -> None:
    """Have an edition in place that was loaded a while ago."""
    rows = read(master_in(config.path.parent / "seed.csv", listed(*without)), 1.0)
    in_place(config).write(rows, datetime.now(UTC) - ago)


def asked(config: Config, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = instruments.run(config, words, refresh=False, as_json=True)
    return code, json.loads(capsys.readouterr().out)


def test_its_state(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    seed(config, ago=timedelta(days=2))
    code, told = asked(config, capsys)
    assert code == 0
    assert told.pop("loaded_at") == in_place(config).edition().loaded_at.isoformat()
    assert told == {
        "file": str(in_place(config).path),
        "source": config.engine.master,
        "instruments": len(listed()),
        "left_out": 0,
        "stale": True,
        "found": [],
    }


def test_rows_of_it(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    seed(config)
    code, told = asked(config, capsys, "40001", "nifty-25000-ce", "3045")
    assert code == 0
    assert [(one["segment"], one["security_id"]) for one in told["found"]] == [
        ("NSE_FNO", "40001"),
        ("NSE_FNO", "40003"),
        ("NSE_EQ", "3045"),
    ]
    call, _, share = told["found"]
    assert (call["lot"], call["tick"], call["freeze"], call["strike"]) == (
        65,
        "0.05",
        1756,
        "25000.00",
    )
    assert (call["option_type"], call["underlying"], call["upper"]) == ("CE", "NIFTY", None)
    assert (share["lower"], share["upper"], share["expiry"]) == ("720.00", "880.00", None)


def test_what_is_not_in_it_is_said(
    config: Config, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    seed(config, SBIN)
    code, told = asked(config, capsys, "40001", "3045")
    assert code == 1
    assert [one["security_id"] for one in told["found"]] == ["40001"]
    assert instruments.run(config, ["3045"], refresh=False, as_json=False) == 1
    assert "Nothing in the master is 3045" in caplog.text


def test_there_may_be_none(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    assert instruments.run(config, [], refresh=False, as_json=True) == 1
    assert "none was loaded yet" in caplog.text


def test_it_is_had_again_on_demand(tmp_path: Path, config: Config) -> None:
    seed(config, CALL, ago=timedelta(days=2))
    done = run("instruments", "--refresh", "40001", "--config", str(config.path))
    assert done.returncode == 0, done.stderr
    assert "NIFTY-25000-CE" in done.stdout
    assert "stale" not in done.stderr
    (tmp_path / "master.csv").write_text("nothing of the kind")
    done = run("instruments", "--refresh", "40001", "--config", str(config.path))
    assert done.returncode == 1
    assert "It could not be loaded: no column EXCH_ID in it" in done.stderr
    assert "NIFTY-25000-CE" in done.stdout


def test_it_is_not_had_again_while_somebody_has_it(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    lock = Lock.take(in_place(config).path)
    with caplog.at_level(logging.ERROR):
        assert instruments.run(config, [], refresh=True, as_json=False) == 1
    lock.release()
    assert "another process is loading it" in caplog.text


# check


def test_check_says_nothing_of_one_of_today(config: Config) -> None:
    seed(config)
    assert list(probes.master(config)) == []


def test_check_tells_its_age(config: Config) -> None:
    seed(config, ago=timedelta(hours=49))
    (told,) = probes.master(config)
    assert (told.level, told.what) == (Level.NOTE, "the instrument master in place is 49 h old")
    lock = Lock.take(config.engine.ledger)  # an engine runs, and should have had it by now
    (told,) = probes.master(config)
    lock.release()
    assert told.level is Level.WARNING


def test_check_says_that_there_is_none(config: Config) -> None:
    (told,) = probes.master(config)
    assert (told.level, told.where) == (Level.NOTE, "dhan.master_url")
    assert told.what == "no instrument master is in place (none was loaded yet)"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "FileNotFoundError while reading it"),
        ("<html>", "no column EXCH_ID in it"),
        ("header only", "no instrument in it"),
    ],
)
def test_check_says_what_keeps_it_from_being_had(
    tmp_path: Path, config: Config, content: str | None, why: str
) -> None:
    csv = tmp_path / "master.csv"
    header = csv.read_text().splitlines()[0]
    csv.unlink()
    if content is not None:
        csv.write_text(header if content == "header only" else content)
    (told,) = probes.master(config)
    assert told.level is Level.WARNING
    assert told.what == (
        f"cannot be used: {why}; no instrument master is in place (none was loaded yet)"
    )
    seed(config)
    (told,) = probes.master(config)
    assert told.what == f"cannot be used: {why}"
