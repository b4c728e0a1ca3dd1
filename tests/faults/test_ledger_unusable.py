"""A ledger that cannot be used: at the start, and from some moment on while the process runs.

It ends with exit code 3 and says what is wrong with which file and what to do; nothing is sent.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from tests.faults.conftest import Build
from tests.faults.disk import bound_by_permissions
from tests.faults.witness import sent, unrecorded
from tests.ledger.conftest import Other
from tests.ledger.makers import intent
from tests.scenarios.house import RELIANCE, House

pytestmark = [pytest.mark.scenario("7.8"), pytest.mark.scenario("8.10")]

_UNUSABLE = 3
_PAGE = 4096


# At the start


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")


def _damaged(path: Path) -> None:
    """The file with rubbish in every page but the first."""
    with path.open("r+b") as file:
        file.seek(_PAGE)
        file.write(b"\xee" * (path.stat().st_size - _PAGE))


def _read_only(path: Path) -> None:
    path.chmod(0o400)


def _sealed(path: Path) -> None:
    path.parent.chmod(0o500)


_WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "newer": (_newer, "a newer Lockstep wrote it", "start that newer version"),
    "damaged": (_damaged, "it is damaged", "restore a backup"),
    "read-only file": (_read_only, "it cannot be written", "correct its permissions"),
    "read-only folder": (_sealed, "it cannot be opened", "correct its permissions"),
}


@pytest.mark.parametrize("kind", _WRONG)
def test_a_start_is_refused(build: Build, kind: str) -> None:
    spoil, why, fix = _WRONG[kind]
    house = build(before=bound_by_permissions() if "read-only" in kind else (), ledger="kept/it.db")
    path = _made(house)
    spoil(path)
    before = path.read_bytes()
    try:
        _refused(house, why, fix)
    finally:
        path.parent.chmod(0o700)
    assert path.read_bytes() == before


def test_a_start_is_refused_while_the_disk_is_full(build: Build) -> None:
    no_room = ("sh", "-c", 'ulimit -f 4 && exec "$@"', "sh")
    house = build(before=no_room, ledger="kept/it.db")
    _made(house)
    _refused(house, "it cannot be used", "see to the disk, then try again")


def test_a_start_is_refused_until_the_other_program_unlocks_it(build: Build, other: Other) -> None:
    house = build(ledger="kept/it.db")
    locker = other("holder", _made(house), "lock")
    _refused(house, "another program has locked it", "end that program")
    locker.communicate()
    house.start()
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    assert house.stop() == 0


def test_of_two_processes_the_second_is_refused_and_the_first_goes_on(build: Build) -> None:
    house = build().start()
    first, told = house.process, len(house.output())
    assert first is not None
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    try:
        assert house.refused() == _UNUSABLE
    finally:
        house.process = first
    assert f"a running instance holds it (process {first.pid})" in house.output()[told:]
    house.changes(order, price=2390)
    house.all_wait(order, price=2390.0)
    assert all(len(house.control.book(member.client_id)) == 1 for member in house.members)
    assert unrecorded(house) == []


def _made(house: House) -> Path:
    """A ledger with some history, where the house has it."""
    path = house.folder / house.ledger
    path.parent.mkdir()
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id=str(number)) for number in range(200)])
    return path


def _refused(house: House, why: str, fix: str) -> None:
    """The process ends with 3, says why, and has asked the broker for nothing."""
    began = len(house.control.requests())
    told = len(house.output()) if (house.folder / "out.txt").exists() else 0
    assert house.refused() == _UNUSABLE
    said = house.output()[told:]
    (line,) = [line for line in said.splitlines() if "The ledger cannot be used" in line]
    assert str(house.folder / house.ledger) in line
    assert why in line
    assert fix in line
    assert "Traceback" not in said
    assert len(house.control.requests()) == began


# While it runs


def _rot(path: Path) -> None:
    """Rubbish, and a commit by another process, so that this one looks into the file again."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO settings VALUES ('of another', '')")
        connection.commit()
    _damaged(path)


def _moved(path: Path) -> None:
    path.rename(path.with_name("aside.db"))


def _replaced(path: Path) -> None:
    fresh = path.with_name("fresh.db")
    Ledger.open(fresh).close()
    fresh.replace(path)


_SPOILT: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "damaged": (_rot, "it is damaged", "restore a backup"),
    "moved": (_moved, "it is gone", "put it back"),
    "replaced": (_replaced, "another file has taken its place", "put it back"),
}


@pytest.mark.parametrize("kind", _SPOILT)
def test_it_ends_when_the_ledger_is_spoilt_and_sends_nothing_more(build: Build, kind: str) -> None:
    spoil, why, fix = _SPOILT[kind]
    house = build()
    path = house.folder / house.ledger
    Ledger.open(path).close()
    house.start()
    house.price(RELIANCE, 2500)
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(resting, orderStatus="PENDING")
    assert unrecorded(house) == []
    assert house.stop() == 0
    house.start()
    before, told = sent(house), len(house.output())
    assert house.process is not None
    spoil(path)
    house.cancels(resting)
    house.places(RELIANCE, "BUY", 10, price=2401)
    assert house.process.wait(20) == _UNUSABLE
    assert sent(house) == before
    said = house.output()[told:]
    for words in ("The ledger cannot be used any longer, nothing is sent", "The ledger cannot be"):
        (line, *_) = [line for line in said.splitlines() if words in line]
        assert f"{path}: {why}" in line
        assert fix in line
    assert "Traceback" not in said
    if kind == "damaged":
        _refused(house, why, fix)
    elif kind == "moved":
        path.with_name("aside.db").rename(path)
        house.start()
        house.all_wait(resting, orderStatus="CANCELLED")
        assert unrecorded(house) == []
