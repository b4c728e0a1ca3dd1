"""While the ledger cannot be written nothing is sent, the operator is told, and once it can be
written again all that was wanted is done: the broker's log of requests is the witness."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Build
from tests.faults.disk import SmallDisk, no_file_grows, read_only
from tests.faults.witness import alerts, sent, unrecorded
from tests.ledger.conftest import Other
from tests.scenarios.house import RELIANCE, SAME, House
from tests.waiting import eventually

pytestmark = [pytest.mark.scenario("7.8"), pytest.mark.scenario("8.10")]

_BROKEN = "the ledger cannot be written, nothing is sent meanwhile"
_MENDED = "the ledger can be written again"

Trouble = Callable[[], AbstractContextManager[None]]


@pytest.mark.parametrize("how", ["lock", "write"])
def test_another_program_locks_it(house: House, other: Other, how: str) -> None:
    @contextmanager
    def locked() -> Iterator[None]:
        locker = other("holder", _path(house), how)
        yield
        locker.communicate()

    _nothing_is_sent_during(locked, house, "end the program that has locked it")


def test_its_disk_is_full(build: Build, tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "disk")
    house = build(before=disk.before, ledger="disk/copy_trading.db")
    pid = house.launch().pid
    house.listens()

    @contextmanager
    def full() -> Iterator[None]:
        disk.fill(pid)
        yield
        disk.clean(pid)

    def ledger() -> Path:
        return disk.copied(pid, "copy_trading.db", tmp_path / "seen")

    _nothing_is_sent_during(full, house, "free disk space", ledger)


def test_its_file_may_not_grow(house: House) -> None:
    assert house.process is not None
    pid, log = house.process.pid, _path(house).with_name("copy_trading.db-wal")
    trouble = lambda: no_file_grows(pid, log.stat().st_size)  # noqa: E731
    _nothing_is_sent_during(trouble, house, "copying resumes by itself")


def test_it_may_not_be_written_any_more(house: House) -> None:
    path = _path(house)
    trouble = lambda: read_only(path, path.with_name("copy_trading.db-wal"))  # noqa: E731
    _nothing_is_sent_during(trouble, house, "see to the disk")


def test_it_is_locked_when_the_process_is_asked_to_end(build: Build, other: Other) -> None:
    """What could not be recorded by then is found out by the next start."""
    house = build().start()
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "delay", ms=2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    eventually(lambda: sent(house).total() == 2, why="the requests are not in flight")
    locker = other("holder", _path(house), "lock")
    assert house.stop() == 0
    assert "the next start finds out" in house.output()
    locker.communicate()
    house.start()
    house.all_wait(order, orderStatus="PENDING")
    assert unrecorded(house) == []


def _path(house: House) -> Path:
    return house.folder / house.ledger


def _nothing_is_sent_during(
    trouble: Trouble, house: House, fix: str, ledger: Callable[[], Path] | None = None
) -> None:
    """A placement and a cancel wait for the end of the trouble, and are done then."""
    ledger = ledger or (lambda: _path(house))
    eventually(house.has_master)  # loaded beside the ledger later, it would tell of the trouble too
    house.price(RELIANCE, 2500)
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(resting, orderStatus="PENDING")
    before, told = sent(house), len(house.output())
    with trouble():
        house.cancels(resting)
        fresh = house.places(RELIANCE, "BUY", 10, price=2401)
        for order in (resting, fresh):
            eventually(lambda o=order: _unsent(house, told, o), 20, f"{order} is not held back")  # type: ignore[misc]
        assert sent(house) == before
        (line,) = [line for line in house.output()[told:].splitlines() if _BROKEN in line]
        assert house.ledger in line
        assert fix in line
    house.all_wait(fresh, orderStatus="PENDING", timeout=30)
    house.all_wait(resting, orderStatus="CANCELLED", timeout=30)
    assert unrecorded(house, ledger()) == []
    eventually(lambda: _MENDED in house.output()[told:])
    eventually(lambda: _MENDED in alerts(ledger())[-1])
    broken = alerts(ledger())[-2]
    assert _BROKEN in broken
    assert fix in broken


def _unsent(house: House, told: int, order: str) -> bool:
    lines = house.output()[told:].splitlines()
    return any("Not sent, because not recorded" in line and order in line for line in lines)
