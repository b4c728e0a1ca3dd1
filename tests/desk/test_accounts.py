"""A name whose copies are in one account is not given to another one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk import edits
from desk.accounts import moved
from desk.config import Config, ConfigError, load
from desk.roster import RosterWatch
from ledger.history import MEMORY
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from tests.desk.files import GOOD, LOCAL, run, written
from tests.ledger.makers import intent

ASHA = "1000000002"
MOVED = ("followers[0].client_id", "is not the account that the copies of this follower are in")


def placed(path: Path, client_id: str, name: str = "asha", age: timedelta = timedelta(0)) -> None:
    """The ledger beside the configuration has a copy of that follower in that account."""
    at = datetime.now(UTC) - age
    with Ledger.open(path.parent / "copy_trading.db") as ledger:
        ledger.commit([replace(intent(follower=name, at=at), client_id=client_id)])


def found(path: Path) -> list[tuple[str, str]]:
    """Where and what is wrong with the followers."""
    return [(one.where, one.what) for one in moved(load(path))]


def test_nothing_is_wrong_without_copies_or_with_those_of_the_same_account(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert found(path) == []
    (tmp_path / "copy_trading.db").touch()
    assert found(path) == []
    placed(path, ASHA)
    placed(path, "1000000009", name="meera")
    assert found(path) == []


def test_a_name_whose_copies_are_in_another_account_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    placed(path, "1000000009")
    assert found(path) == [MOVED]
    assert list(moved(load(path), {"asha"})) == []


def test_copies_too_old_to_be_taken_over_bind_no_name(tmp_path: Path) -> None:
    path = written(tmp_path)
    placed(path, "1000000009", age=MEMORY + timedelta(minutes=1))
    assert found(path) == []


def test_a_ledger_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "copy_trading.db").write_text("something else" * 100)
    with pytest.raises(LedgerUnusable):
        list(moved(load(path)))


@pytest.mark.parametrize("words", [[], ["drift"]])
def test_it_neither_starts_nor_compares_so(tmp_path: Path, words: list[str]) -> None:
    path = written(tmp_path, LOCAL + GOOD)
    placed(path, "1000000009")
    done = run(*words, "--config", str(path))
    assert done.returncode == 2
    assert ": ".join(MOVED) in done.stderr
    assert "(give the other account another name)" in done.stderr
    assert "1000000009" not in done.stderr
    assert "Traceback" not in done.stderr


def test_check_finds_it_too(tmp_path: Path) -> None:
    path = written(tmp_path, LOCAL + GOOD)
    placed(path, "1000000009")
    done = run("check", "--json", "--config", str(path))
    assert done.returncode == 1
    told = json.loads(done.stdout)["findings"]
    assert {
        "level": "error",
        "where": MOVED[0],
        "what": MOVED[1],
        "fix": "give the other account another name",
    } in told


def said(watch: RosterWatch) -> Config | ConfigError | None:
    """What the watch makes of the file, once it has settled."""
    return next((told for _ in range(4) if (told := watch.poll()) is not None), None)


def test_while_it_runs_a_name_cannot_be_removed_and_given_to_another_account(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, LOCAL + GOOD)
    placed(path, ASHA)
    watch = RosterWatch(load(path))
    assert said(watch) is None
    edits.remove(path, "asha")
    assert isinstance(said(watch), Config)
    edits.add(path, {"name": "asha", "client_id": "1000000009", "token": "env:A"})
    refused = said(watch)
    assert isinstance(refused, ConfigError)
    assert [one.where for one in refused.findings] == ["followers[1].client_id"]
    edits.remove(path, "asha")
    edits.add(path, {"name": "asha", "client_id": ASHA, "token": "env:A"})
    assert isinstance(said(watch), Config)


def test_a_ledger_that_cannot_be_read_keeps_nobody_from_being_paused(tmp_path: Path) -> None:
    path = written(tmp_path)
    watch = RosterWatch(load(path))
    assert said(watch) is None
    (tmp_path / "copy_trading.db").write_text("something else" * 100)
    edits.pause(path, "asha", True)
    assert isinstance(said(watch), Config)
    edits.add(path, {"name": "meera", "client_id": "1000000009", "token": "env:M"})
    refused = said(watch)
    assert isinstance(refused, ConfigError)
    assert [one.where for one in refused.findings] == ["ledger.path"]
