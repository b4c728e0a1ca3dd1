"""The older program's environment variables go on working: as they are, and as a lockstep.toml."""

import json
import stat
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from desk import environment
from desk.config import ConfigError, load
from desk.environment import Said, said, toml
from domain.sizes import CapitalShare
from domain.sizing import Multiplier, Rounding
from tests.desk.files import run

ONE = {
    "LEADER_CLIENT_ID": "1000000001",
    "LEADER_ACCESS_TOKEN": "the-token-of-the-leader",
    "FOLLOWER_CLIENT_ID": "1000000002",
    "FOLLOWER_ACCESS_TOKEN": "the-token-of-the-follower",
}
SECRETS = ("the-token-of-the-leader", "the-token-of-the-follower")
SOURCES = {"LEADER_ACCESS_TOKEN": "env:LEADER_ACCESS_TOKEN", "FOLLOWER_ACCESS_TOKEN": "file:x"}
NONE = dict.fromkeys(environment.VARIABLES, "")
"""Keeps whatever this process has out of another's surroundings."""


def _meant(**more: str) -> dict[str, Any]:
    text, _ = toml(Said(ONE | more, frozenset()), SOURCES)
    return tomllib.loads(text)


@pytest.mark.parametrize(
    ("variables", "sizing"),
    [
        ({}, {"capital": True}),
        ({"SIZING_STRATEGY": "capital_proportional"}, {"capital": True}),
        (
            {"SIZING_STRATEGY": "capital_proportional", "MAX_POSITION_SIZE_PCT": "20"},
            {"capital": True, "ceiling_percent": 20},
        ),
        ({"SIZING_STRATEGY": "fixed_ratio", "COPY_RATIO": "0.5"}, {"multiplier": 0.5}),
        ({"SIZING_STRATEGY": "FIXED_RATIO"}, {"capital": True}),
        ({"SIZING_STRATEGY": "risk_based"}, {"multiplier": 1, "ceiling_percent": 10}),
        (
            {"SIZING_STRATEGY": "risk_based", "MAX_POSITION_SIZE_PCT": "2.5"},
            {"multiplier": 1, "ceiling_percent": 2.5},
        ),
    ],
)
def test_a_strategy_becomes_a_sizing(variables: dict[str, str], sizing: dict[str, object]) -> None:
    (follower,) = _meant(**variables)["followers"]
    assert follower["sizing"] == sizing | {"rounding": "one_lot"}


@pytest.mark.parametrize(
    ("variables", "dhan"),
    [
        ({}, None),
        ({"DHAN_ENV": "prod"}, None),
        ({"DHAN_ENV": "sandbox"}, {"api_url": "https://sandbox.dhan.co/v2"}),
        ({"DHAN_API_BASE_URL": "https://api.dhan.co"}, {"api_url": "https://api.dhan.co/v2"}),
        ({"DHAN_API_BASE_URL": "https://host/v2/"}, {"api_url": "https://host/v2"}),
        ({"DHAN_WS_URL": "wss://host"}, {"feed_url": "wss://host"}),
        ({"DHAN_WS_URL": "wss://api-feed.dhan.co"}, None),
    ],
)
def test_addresses_are_kept(variables: dict[str, str], dhan: dict[str, str] | None) -> None:
    assert _meant(**variables).get("dhan") == dhan


@pytest.mark.parametrize(
    ("variables", "where"),
    [
        ({"FOLLOWER_CLIENT_ID": ""}, "FOLLOWER_CLIENT_ID: is not set"),
        ({"SIZING_STRATEGY": "martingale"}, "SIZING_STRATEGY: is not allowed"),
        ({"COPY_RATIO": "half"}, "COPY_RATIO: is not a number"),
        ({"MAX_POSITION_SIZE_PCT": "0"}, "MAX_POSITION_SIZE_PCT: is not a number"),
        ({"DHAN_ENV": "the-token-of-the-leader"}, "DHAN_ENV: is not allowed"),
    ],
)
def test_what_means_nothing_is_named_and_not_repeated(
    tmp_path: Path, variables: dict[str, str], where: str
) -> None:
    done = run("import-env", cwd=tmp_path, env=NONE | ONE | variables)
    assert done.returncode == 2
    assert where in done.stderr
    assert not any(secret in done.stderr + done.stdout for secret in SECRETS)
    assert not list(tmp_path.glob("lockstep.toml"))


def test_the_file_is_read_as_it_was(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        """
        # the accounts
        LEADER_CLIENT_ID=1000000001
        export FOLLOWER_CLIENT_ID = '1000000002'
        COPY_RATIO="0.5"   # half
        SIZING_STRATEGY=fixed_ratio # as ever
        LOG_LEVEL=
        OTHER=7
        no variable
        """
    )
    told = said(tmp_path, {"COPY_RATIO": "0.25"})
    assert told.values == {
        "LEADER_CLIENT_ID": "1000000001",
        "FOLLOWER_CLIENT_ID": "1000000002",
        "SIZING_STRATEGY": "fixed_ratio",
        "COPY_RATIO": "0.25",
    }
    assert told.filed == told.values.keys() - {"COPY_RATIO"}


def test_tokens_of_the_environment_are_named_only(tmp_path: Path) -> None:
    more = {"SIZING_STRATEGY": "fixed_ratio", "COPY_RATIO": "0.5", "SQLITE_PATH": "old.db"}
    done = run("import-env", cwd=tmp_path, env=NONE | ONE | more | {"ENABLE_COPY_TRADING": "false"})
    assert done.returncode == 0, done.stderr
    path = tmp_path / "lockstep.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(one in path.read_text() + done.stdout + done.stderr for one in SECRETS)
    config = load(path)
    (follower,) = config.followers
    assert config.engine.ledger == tmp_path / "old.db"
    assert config.engine.leader.client_id == "1000000001"
    assert follower.rules.sizing == Multiplier(Fraction(1, 2), Rounding.ONE_LOT)
    assert follower.paused
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["lockstep.toml"]


def test_tokens_of_the_file_get_files_of_their_own(tmp_path: Path) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in ONE.items())
    (tmp_path / ".env").write_text(lines)
    done = run("import-env", "--json", cwd=tmp_path, env=NONE)
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)["written"]
    assert written == ["lockstep.toml", "leader.token", "follower.token"]
    assert not any(one in done.stdout + done.stderr for one in SECRETS)
    for name in written:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    config = load(tmp_path / "lockstep.toml")
    assert config.engine.leader.token() == ONE["LEADER_ACCESS_TOKEN"]
    assert config.followers[0].address.token() == ONE["FOLLOWER_ACCESS_TOKEN"]
    assert isinstance(config.followers[0].rules.sizing, CapitalShare)


@pytest.mark.parametrize("there", ["lockstep.toml", "follower.token"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in ONE.items())
    (tmp_path / ".env").write_text(lines)
    (tmp_path / there).write_text("mine\n")
    done = run("import-env", "--config", "lockstep.toml", cwd=tmp_path, env=NONE)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    kept = {".env", there}
    assert {one.name for one in tmp_path.iterdir() if one.is_file()} == kept
    assert (tmp_path / there).read_text() == "mine\n"


def test_the_variables_stand_for_a_file_and_that_is_said(tmp_path: Path) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in ONE.items())
    (tmp_path / ".env").write_text(lines + "SIZING_STRATEGY=fixed_ratio\nCOPY_RATIO=0.5\n")
    done = run("followers", "list", "--json", cwd=tmp_path, env=NONE)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["name"], row["client_id"]) == ("follower", "1000000002")
    assert "There is no lockstep.toml" in done.stderr
    assert not any(one in done.stdout + done.stderr for one in SECRETS)


def test_half_of_the_variables_is_no_paper_day(tmp_path: Path) -> None:
    done = run("--once", cwd=tmp_path, env=NONE | {"LEADER_CLIENT_ID": "1000000001"})
    assert done.returncode == 2
    assert "FOLLOWER_CLIENT_ID: is not set" in done.stderr


def test_a_token_alone_says_nothing() -> None:
    assert not said(Path("/nowhere"), {"LEADER_ACCESS_TOKEN": "x"}).meant
    with pytest.raises(ConfigError):
        toml(Said({}, frozenset()), SOURCES)
