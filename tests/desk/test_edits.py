"""Edits of lockstep.toml: one follower's lines change, everything else stays byte for byte."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk import edits
from desk.config import ConfigError, load
from desk.usage import Misused
from tests.desk.files import GOOD, ROOT, written

NEWCOMER: dict[str, object] = {
    "name": "meera",
    "client_id": "1000000009",
    "token": "env:MEERA_TOKEN",
    "sizing": {"multiplier": tomlkit.value("0.10")},
}


def test_pausing_changes_one_word(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert edits.pause(path, "ravi", True)
    assert path.read_text() == GOOD.replace("paused = false   #", "paused = true   #")
    assert load(path).followers[1].paused
    assert edits.pause(path, "ravi", False)
    assert path.read_text() == GOOD


def test_pausing_adds_one_line_where_none_was(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert edits.pause(path, "asha", True)
    half = "sizing = { multiplier = 0.5 }   # half\n"
    assert path.read_text() == GOOD.replace(half, f"{half}paused = true\n")


def test_pausing_adds_its_line_above_a_subtable(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("paused = false   # until Friday\n", ""))
    assert edits.pause(path, "ravi", True)
    assert [follower.paused for follower in load(path).followers] == [False, True]
    assert "# Ravi trades the double\n[[followers]]\n" in path.read_text()
    assert "# The rest is as it comes\n[recovery]\n" in path.read_text()


def test_pausing_the_paused_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = path.stat().st_ino
    assert not edits.pause(path, "ravi", False)
    assert not edits.pause(path, "asha", False)
    assert path.stat().st_ino == before
    assert path.read_text() == GOOD


def test_a_newcomer_stands_behind_the_others(tmp_path: Path) -> None:
    path = written(tmp_path)
    edits.add(path, NEWCOMER)
    table = (
        '\n[[followers]]\nname = "meera"\nclient_id = "1000000009"\n'
        'token = "env:MEERA_TOKEN"\nsizing = {multiplier = 0.10}\n'
    )
    assert path.read_text() == GOOD.replace("multiplier = 2\n", f"multiplier = 2\n{table}")
    assert [follower.name for follower in load(path).followers] == ["asha", "ravi", "meera"]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n# the end\n", "\n\n\n"])
def test_the_first_follower_stands_at_the_end(tmp_path: Path, ending: str) -> None:
    leader = f'[leader]\nclient_id = "1"\ntoken = "env:L"{ending}'
    path = written(tmp_path, leader)
    edits.add(path, NEWCOMER)
    assert path.read_text().startswith(leader.rstrip())
    assert [follower.name for follower in load(path).followers] == ["meera"]
    assert ("# the end" in path.read_text()) is ("# the end" in ending)


def test_who_is_removed_takes_nobodys_comment_along(tmp_path: Path) -> None:
    path = written(tmp_path)
    edits.remove(path, "asha")
    gone = GOOD[GOOD.index("[[followers]]") : GOOD.index("\n# Ravi trades")]
    assert path.read_text() == GOOD.replace(gone, "")
    edits.remove(path, "ravi")
    assert load(path).followers == ()
    left = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert left == [line for line in GOOD.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("name", ["asha", "ravi"])
def test_line_ends_of_windows_stay(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, GOOD.replace("\n", "\r\n"))
    edits.pause(path, name, True)
    edits.add(path, NEWCOMER)
    edits.remove(path, name)
    content = path.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert name not in [follower.name for follower in load(path).followers]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_the_files_mode_stays(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, mode=mode)
    edits.pause(path, "asha", True)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [file.name for file in tmp_path.iterdir()] == ["lockstep.toml"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    real = written(tmp_path / "etc")
    link = tmp_path / "lockstep.toml"
    link.symlink_to(real)
    edits.pause(link, "asha", True)
    assert link.is_symlink()
    assert load(real).followers[0].paused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "asha"}, r"followers\[2\].name: is the same as followers\[0\].name"),
        ({"client_id": "1000000001"}, "is the same as leader.client_id"),
        ({"name": "Meera"}, r"followers\[2\].name: is not allowed"),
        ({"token": "vault:x"}, r"followers\[2\].token"),
        ({"sizing": {"multiplier": 0}}, r"followers\[2\].sizing.multiplier"),
    ],
)
def test_an_edit_that_makes_no_configuration_changes_nothing(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = written(tmp_path)
    with pytest.raises(ConfigError, match=said):
        edits.add(path, NEWCOMER | changes)
    assert path.read_text() == GOOD


def test_nobody_of_that_name_is_said_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path)
    for edit in (lambda: edits.remove(path, "rave"), lambda: edits.pause(path, "rave", True)):
        with pytest.raises(Misused, match=r"did you mean ravi\? \(followers: asha, ravi\)"):
            edit()
    assert path.read_text() == GOOD


INLINE = """
followers = [{ name = "a", client_id = "2", token = "env:A" }]
[leader]
client_id = "1"
token = "env:L"
"""


def test_a_layout_that_is_not_understood_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, INLINE)
    for edit in (
        lambda: edits.remove(path, "a"),
        lambda: edits.pause(path, "a", True),
        lambda: edits.add(path, NEWCOMER),
    ):
        with pytest.raises(Misused, match="edit it by hand"):
            edit()
    assert path.read_text() == INLINE


BETWEEN = st.dictionaries(
    st.integers(0, GOOD.count("\n")),
    st.lists(st.sampled_from(["", "   ", "# a word", "  # [[followers]]", "#[followers.x]"])),
    max_size=8,
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(between=BETWEEN, name=st.sampled_from(["asha", "ravi"]))
def test_comments_and_blanks_anywhere_survive_every_edit(
    tmp_path: Path, between: dict[int, list[str]], name: str
) -> None:
    lines = GOOD.splitlines()
    spread = [
        line for at in range(len(lines) + 1) for line in [*between.get(at, []), *lines[at : at + 1]]
    ]
    text = "\n".join(spread) + "\n"
    path = written(tmp_path, text)
    edits.pause(path, name, True)
    edits.add(path, NEWCOMER)
    edits.pause(path, name, False)
    edits.remove(path, "meera")
    without = [line for line in path.read_text().splitlines() if line != "paused = false"]
    kept = [line for line in without if line.strip()]
    assert kept == [line for line in spread if line.strip() and line != "paused = false"]
    assert [follower.name for follower in load(path).followers] == ["asha", "ravi"]


TOGGLER = """
import os, sys
from pathlib import Path
from desk import edits

path = Path(sys.argv[1])
for line in sys.stdin:
    child = os.fork()
    if not child:
        while True:
            for paused in (True, False):
                edits.pause(path, "asha", paused)
    print(child, flush=True)
    os.waitpid(child, 0)
"""


def test_a_kill_at_any_instant_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """A process edits without pause and is killed, 25 times; each child comes from one parent,
    for starting Python anew takes longer than all the edits."""
    path = written(tmp_path)
    edits.pause(path, "asha", True)
    paused = path.read_bytes()
    edits.pause(path, "asha", False)
    whole, seen = {paused, path.read_bytes()}, set[bytes]()
    command = [sys.executable, "-c", TOGGLER, str(path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for number in range(25):
            parent.stdin.write("again\n")
            parent.stdin.flush()
            child = int(parent.stdout.readline())
            ends = time.monotonic() + 0.01 + 0.006 * number
            while time.monotonic() < ends:
                seen.add(path.read_bytes())
            os.kill(child, signal.SIGKILL)
        parent.stdin.close()
        assert parent.wait(10) == 0
    seen.add(path.read_bytes())
    assert seen == whole
    assert load(path).followers[0].name == "asha"
