"""Configuration files for tests, and the program run as its user runs it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.scenarios.nursery import nursery

ROOT = Path(__file__).parents[2]

GOOD = """\
# Lockstep at the corner desk
[leader]
client_id = "1000000001"
token = "env:LEADER_TOKEN"   # from the unit file

# Asha comes first
[[followers]]
name = "asha"   # the careful one
client_id = "1000000002"
token = "file:asha.token"
sizing = { multiplier = 0.5 }   # half

# Ravi trades the double
[[followers]]
name = "ravi"
client_id = "1000000003"
token = "env:RAVI_TOKEN"
paused = false   # until Friday
[followers.sizing]
multiplier = 2

# The rest is as it comes
[recovery]
sweep_seconds = 2.5
"""

LOCAL = """
[dhan]
api_url = "http://127.0.0.1:1/v2"
auth_url = "http://127.0.0.1:1"
feed_url = "ws://127.0.0.1:1"
master_url = "master.csv"
"""


def written(folder: Path, text: str = GOOD, mode: int = 0o600) -> Path:
    """A lockstep.toml with this text."""
    path = folder / "lockstep.toml"
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def run(
    *words: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """`python run.py ...`, to its end."""
    return nursery().obeyed(words, cwd, env)
