"""One running instance per ledger; whoever asks learns which process it is."""

import os
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from ledger.lock import Held, Lock, lock_path, running_pid
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.conftest import Other
from tests.ledger.makers import intent
from tests.waiting import eventually


def test_a_second_instance_is_refused_with_the_pid_of_the_first(path: Path, other: Other) -> None:
    first = other("holder", path, "engine")
    with pytest.raises(LedgerUnusable) as refusal:
        Ledger.open(path)
    assert f"process {first.pid}" in refusal.value.why
    assert "stop that one" in refusal.value.fix
    assert running_pid(path) == first.pid
    first.communicate()
    assert first.returncode == 0
    assert running_pid(path) is None
    Ledger.open(path).close()


def test_a_killed_instance_holds_nothing(path: Path, other: Other) -> None:
    first = other("holder", path, "engine")
    first.kill()
    first.wait()
    with Ledger.open(path) as ledger:
        ledger.commit([intent()])
        assert running_pid(path) == os.getpid()


def test_a_second_opening_in_the_same_process_is_refused(path: Path) -> None:
    with Ledger.open(path), pytest.raises(LedgerUnusable, match=f"process {os.getpid()}"):
        Ledger.open(path)
    with Ledger.open(path) as again:
        assert again.path == path


def test_a_failed_opening_lets_go(path: Path) -> None:
    path.write_text("no ledger\n" * 100)
    with pytest.raises(LedgerUnusable):
        Ledger.open(path)
    assert running_pid(path) is None


def test_closing_twice_is_harmless(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.close()
    with Ledger.open(path):
        ledger.close()
        assert running_pid(path) == os.getpid()


def test_nobody_runs_where_there_was_never_a_lock(path: Path) -> None:
    assert running_pid(path) is None
    assert not lock_path(path).exists()


def test_the_pid_of_a_holder_may_be_unreadable(path: Path) -> None:
    lock = Lock.take(path)
    lock_path(path).write_text("")
    assert running_pid(path) == 0
    with pytest.raises(Held) as held:
        Lock.take(path)
    assert held.value.pid == 0
    lock.release()


def test_readers_see_who_runs_and_do_not_stop_a_start(path: Path, other: Other) -> None:
    Ledger.open(path).close()
    with Reader.open(path) as reader:
        assert reader.running_pid() is None
        engine = other("holder", path, "engine")
        assert reader.running_pid() == engine.pid
        engine.kill()
        eventually(lambda: reader.running_pid() is None, why="a killed engine still seems to run")
