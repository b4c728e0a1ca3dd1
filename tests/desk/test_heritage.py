"""The verbs on the older program's database, and the copies of a ledger that they make."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desk import probes
from desk.config import load
from domain.messages import Level
from tests.desk.files import run, written
from tests.ledger import legacy

_LEADER = '[leader]\nclient_id = "1000000001"\ntoken = "env:LEADER_TOKEN"\n'
_FOLLOWER = '[[followers]]\nname = "asha"\nclient_id = "1000000002"\ntoken = "env:ASHA"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration beside an older database of 40 orders."""
    legacy.make(tmp_path / "copy_trading.db")
    return written(tmp_path, _LEADER + _FOLLOWER)


def _told(config: Path, *words: str) -> Any:
    done = run(*words, "--config", str(config), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_list_takes_it_over_and_has_its_history(config: Path) -> None:
    copies = _told(config, "copies", "--follower", "asha")
    assert len(copies) == 40
    filled = next(one for one in copies if one["leader_order_id"] == "112510020000001")
    assert filled["state"] == "filled"
    assert filled["average_price"] == "103.00"
    assert filled["leader_average_price"] == "101.3333"
    assert len(list(config.parent.glob("copy_trading.db.v1-*.bak"))) == 1
    assert _told(config, "copies") == copies
    assert len(list(config.parent.glob("*.bak"))) == 1


def test_explain_knows_it(config: Path) -> None:
    (told,) = _told(config, "explain", "112510020000001")
    assert told["follower"] == "asha"
    assert told["state"] == "filled"


def test_check_says_what_the_next_start_does(config: Path) -> None:
    before = (config.parent / "copy_trading.db").read_bytes()
    (finding,) = probes.ledger(load(config))
    assert finding.level is Level.NOTE
    assert "the next start takes it over" in finding.what
    assert (config.parent / "copy_trading.db").read_bytes() == before


def test_without_a_follower_it_is_left_alone(config: Path) -> None:
    config.write_text(_LEADER)
    before = (config.parent / "copy_trading.db").read_bytes()
    done = run("copies", "--config", str(config))
    assert done.returncode == 3
    assert "older single-follower version (schema 1)" in done.stderr
    assert "takes it over" in done.stderr
    assert (config.parent / "copy_trading.db").read_bytes() == before


def test_a_stranger_is_left_alone(config: Path) -> None:
    path = config.parent / "copy_trading.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE config SET value = '3' WHERE key = 'schema_version'")
    before = path.read_bytes()
    done = run("copies", "--config", str(config))
    assert done.returncode == 3
    assert "its schema version is 3, where 1 and 2 are known" in done.stderr
    assert path.read_bytes() == before


def test_a_backup_there_and_back(config: Path) -> None:
    """Also the way back to the older program."""
    path = config.parent / "copy_trading.db"
    before = legacy.everything(path)
    _told(config, "copies")
    (old,) = config.parent.glob("*.bak")
    saved = config.parent / "saved.db"
    assert _told(config, "backup", str(saved))["backup"] == str(saved)
    again = run("backup", str(saved), "--config", str(config))
    assert again.returncode == 2
    assert "there is a file already" in again.stderr
    assert run("restore", "gone.db", "--config", str(config)).returncode == 2
    kept = _told(config, "restore", str(old))["kept"]
    assert legacy.everything(path) == before
    with closing(sqlite3.connect(path)) as connection:
        (tables,) = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'intents'"
        ).fetchone()
    assert tables == 0
    assert kept.startswith(f"{path}.replaced-")
    _told(config, "restore", str(saved))
    assert len(_told(config, "copies")) == 40
