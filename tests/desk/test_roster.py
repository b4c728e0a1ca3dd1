"""The watch over lockstep.toml: edits are taken when they are whole, or refused and said."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desk import edits
from desk.config import Config, ConfigError, load
from desk.roster import RosterWatch
from tests.desk.files import GOOD, LOCAL, written


def watch(path: Path) -> RosterWatch:
    return RosterWatch(load(path))


def polled(one: RosterWatch, times: int = 4) -> list[Config | ConfigError]:
    """What the watch says when it is asked so many times."""
    return [said for _ in range(times) if (said := one.poll()) is not None]


def taken(one: RosterWatch) -> Config:
    """The one configuration that it says."""
    (said,) = polled(one)
    assert isinstance(said, Config), said
    return said


def refused(one: RosterWatch) -> dict[str, str]:
    """Where and why it refuses, said once."""
    (said,) = polled(one)
    assert isinstance(said, ConfigError), said
    return {finding.where: finding.what for finding in said.findings}


def test_a_file_that_is_not_edited_says_nothing(tmp_path: Path) -> None:
    one = watch(written(tmp_path))
    assert polled(one) == []
    assert polled(one) == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: edits.pause(path, "asha", True),
        lambda path: edits.remove(path, "ravi"),
        lambda path: edits.add(path, {"name": "m", "client_id": "9", "token": "env:M"}),
        lambda path: path.write_text(GOOD.replace("multiplier = 2", "multiplier = 3")),
        lambda path: path.write_text(GOOD + "[limits]\norders = { second = 5 }\n"),
        lambda path: path.write_text(GOOD + "[protection]\nband_percent = 2\n"),
        lambda path: path.write_text(GOOD.replace("asha.token", "asha2.token")),
    ],
)
def test_an_edit_is_taken_once(tmp_path: Path, edit: Callable[[Path], object]) -> None:
    path = written(tmp_path)
    one = watch(path)
    assert polled(one) == []
    edit(path)
    assert taken(one) == load(path)
    assert polled(one) == []


def test_an_edit_before_the_first_look_is_taken_too(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    edits.pause(path, "asha", True)
    assert taken(one).followers[0].paused


def test_an_edit_counts_at_the_second_look_that_finds_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    edits.pause(path, "asha", True)
    assert one.poll() is None
    assert isinstance(one.poll(), Config)


def test_a_file_in_the_middle_of_being_written_is_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    half = GOOD[: GOOD.index("# Ravi")]
    path.write_text(half)
    assert one.poll() is None
    path.write_text(GOOD + "\n# done\n")
    assert polled(one) == []


def test_an_edit_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    found = path.stat()
    time.sleep(0.01)
    path.write_text(GOOD.replace("multiplier = 2", "multiplier = 4"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert path.stat().st_size == found.st_size
    assert taken(one).followers[1].rules.sizing.text == "multiplier 4"


def test_a_broken_edit_is_said_once_and_the_mended_one_taken(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    path.write_text(GOOD.replace("multiplier = 2", "multiplyer = 2"))
    assert refused(one) == {"followers[1].sizing.multiplyer": "is not a known key"}
    path.touch()
    assert polled(one) == []
    path.write_text(GOOD)
    assert taken(one) == load(path)
    assert polled(one) == []


def test_a_file_that_is_gone_is_said_once_and_missed_no_longer_when_back(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    path.unlink()
    assert refused(one) == {str(path): "there is no such file"}
    written(tmp_path)
    assert taken(one) == load(path)


def test_a_file_that_is_away_for_a_moment_is_not_missed(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    path.unlink()
    assert one.poll() is None
    written(tmp_path)
    assert polled(one) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("[dhan]", '[ledger]\npath = "other.db"\n[dhan]', "ledger.path"),
        ("127.0.0.1:1/v2", "127.0.0.1:2/v2", "dhan.api_url"),
        ('auth_url = "http://127.0.0.1:1"', 'auth_url = "http://127.0.0.1:2"', "dhan.auth_url"),
        ("ws://127.0.0.1:1", "ws://127.0.0.1:2", "dhan.feed_url"),
        ("master.csv", "other.csv", "dhan.master_url"),
        ("[dhan]", '[clock]\nsessions = "always"\n[dhan]', "clock.sessions"),
        ("[dhan]", '[clock]\ncalendar = "c.toml"\n[dhan]', "clock.calendar"),
        ("sweep_seconds = 2.5", "sweep_seconds = 4", "recovery.sweep_seconds"),
        ("1000000001", "1000000008", "leader.client_id"),
        ("env:LEADER_TOKEN", "env:OTHER_TOKEN", "leader.token"),
    ],
)
def test_what_needs_a_restart_is_refused_with_all_of_the_edit(
    tmp_path: Path, old: str, new: str, where: str
) -> None:
    path = written(tmp_path, LOCAL + GOOD)
    one = watch(path)
    polled(one)
    edited = (LOCAL + GOOD).replace(old, new, 1).replace("paused = false", "paused = true")
    path.write_text(edited)
    assert refused(one) == {where: "needs a restart to change"}
    path.write_text(LOCAL + GOOD.replace("paused = false", "paused = true"))
    assert taken(one).followers[1].paused


def test_a_follower_cannot_move_to_another_account_under_its_name(tmp_path: Path) -> None:
    path = written(tmp_path)
    one = watch(path)
    polled(one)
    path.write_text(GOOD.replace("1000000003", "1000000007"))
    assert list(refused(one)) == ["followers[1].client_id"]
    path.write_text(GOOD.replace("1000000003", "1000000007").replace('"ravi"', '"ravi2"'))
    assert [follower.name for follower in taken(one).followers] == ["asha", "ravi2"]
