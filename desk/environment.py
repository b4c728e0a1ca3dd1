"""The environment variables of the older program, and its `.env` file, as lockstep.toml.

A variable of the environment counts before one of the file. Tokens are not repeated: a
configuration names where they are.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from desk import redact
from desk.config import Config, parse
from desk.findings import ConfigError, error, note, warning
from desk.tokens import read_by_others
from domain.messages import Alert

FILE = ".env"
LEADER, FOLLOWER = "LEADER_ACCESS_TOKEN", "FOLLOWER_ACCESS_TOKEN"
TOKENS = (LEADER, FOLLOWER)
VARIABLES = (
    "LEADER_CLIENT_ID",
    LEADER,
    "FOLLOWER_CLIENT_ID",
    FOLLOWER,
    "DHAN_ENV",
    "DHAN_API_BASE_URL",
    "DHAN_WS_URL",
    "SIZING_STRATEGY",
    "COPY_RATIO",
    "MAX_POSITION_SIZE_PCT",
    "ENABLE_COPY_TRADING",
    "SQLITE_PATH",
    "LOG_LEVEL",
)

_MARKS = ("LEADER_CLIENT_ID", "FOLLOWER_CLIENT_ID")
_NEEDED = VARIABLES[:4]
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_COMMENT = re.compile(r"\s#.*")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_LIVE = ("prod", "production", "live")
_SANDBOX = "https://sandbox.dhan.co/v2"
_MARKET_FEED = "api-feed.dhan.co"
_VERSION = "/v2"
_DEFAULT_PERCENT = "10"
_AT_LEAST_ONE_LOT = 'rounding = "one_lot"'


@dataclass(frozen=True, slots=True)
class Said:
    """What the variables say. `filed` are the names of those that only the file has."""

    values: Mapping[str, str]
    filed: frozenset[str]

    @property
    def meant(self) -> bool:
        """Whether they are there to run by: tokens alone may be those of a lockstep.toml."""
        return any(name in self.values for name in _MARKS)


def said(folder: Path, environment: Mapping[str, str]) -> Said:
    """What the environment and the file in `folder` say. Raises ConfigError."""
    own = {name: environment[name].strip() for name in VARIABLES if environment.get(name, "")}
    filed = {name: value for name, value in _read(folder / FILE).items() if value}
    values = filed | own
    for name in TOKENS:
        redact.know(values.get(name, ""))
    return Said(values, frozenset(filed) - frozenset(own))


def configuration(path: Path, told: Said) -> Config:
    """The configuration to run by where there is no file at `path`: tokens that only the file
    `.env` has are put into this process's environment. Raises ConfigError."""
    for name in told.filed.intersection(TOKENS):
        os.environ[name] = told.values[name]
    text, findings = toml(told, {name: f"env:{name}" for name in TOKENS})
    config = parse(path, text.encode())
    return replace(config, warnings=(*config.warnings, *findings))


def toml(told: Said, tokens: Mapping[str, str]) -> tuple[str, tuple[Alert, ...]]:
    """The lockstep.toml that is meant, with what there is to say about it; `tokens` are the sources
    of the tokens by their variables. Raises ConfigError."""
    values = told.values
    problems = [
        error("is not set", name, f"set it, or write it into {FILE}")
        for name in _NEEDED
        if name not in values
    ]
    problems += _misunderstood(values)
    if problems:
        raise ConfigError(Path("environment"), tuple(problems))
    lines = [
        *_dhan(values),
        *_ledger(values),
        "[leader]",
        f"client_id = {json.dumps(values['LEADER_CLIENT_ID'])}",
        f"token = {json.dumps(tokens[LEADER])}",
        "",
        "[[followers]]",
        'name = "follower"',
        f"client_id = {json.dumps(values['FOLLOWER_CLIENT_ID'])}",
        f"token = {json.dumps(tokens[FOLLOWER])}",
        f"sizing = {{ {', '.join(_sizing(values))} }}",
    ]
    if values.get("ENABLE_COPY_TRADING", "true").lower() in _NO:
        lines.append("paused = true")
    return "\n".join(lines) + "\n", tuple(_notes(told))


def _misunderstood(values: Mapping[str, str]) -> Iterator[Alert]:
    """Values that mean nothing; none is repeated, for any may be a secret in the wrong place."""
    for name, allowed in (
        ("DHAN_ENV", (*_LIVE, "sandbox")),
        ("SIZING_STRATEGY", ("capital_proportional", "fixed_ratio", "risk_based")),
        ("ENABLE_COPY_TRADING", (*_YES, *_NO)),
    ):
        if values.get(name, allowed[0]).lower() not in allowed:
            yield error("is not allowed", name, f"allowed: {', '.join(allowed)}")
    for name in ("COPY_RATIO", "MAX_POSITION_SIZE_PCT"):
        if not _NUMBER.fullmatch(values.get(name, "1")) or not float(values.get(name, "1")):
            yield error("is not a number above 0", name, "write one such as 0.5")


def _dhan(values: Mapping[str, str]) -> Iterator[str]:
    lines = []
    base = values.get("DHAN_API_BASE_URL", "").rstrip("/")
    if base:
        base += "" if urlsplit(base).path else _VERSION
    elif values.get("DHAN_ENV", "").lower() == "sandbox":
        base = _SANDBOX
    if base:
        lines.append(f"api_url = {json.dumps(base)}")
    feed = values.get("DHAN_WS_URL", "")
    if feed and urlsplit(feed).hostname != _MARKET_FEED:
        lines.append(f"feed_url = {json.dumps(feed)}")
    if lines:
        yield from ("[dhan]", *lines, "")


def _ledger(values: Mapping[str, str]) -> Iterator[str]:
    if "SQLITE_PATH" in values:
        yield from ("[ledger]", f"path = {json.dumps(values['SQLITE_PATH'])}", "")


def _sizing(values: Mapping[str, str]) -> Iterator[str]:
    """The strategies as the older program has them: at least one lot, and what is risk based is
    the leader's quantity, worth at most a percentage of the follower's funds."""
    strategy = values.get("SIZING_STRATEGY", "").lower()
    percent = values.get("MAX_POSITION_SIZE_PCT", "")
    if strategy == "fixed_ratio" and "COPY_RATIO" in values:
        yield f"multiplier = {values['COPY_RATIO']}"
    elif strategy == "risk_based":
        yield "multiplier = 1"
        percent = percent or _DEFAULT_PERCENT
    else:
        yield "capital = true"
    yield _AT_LEAST_ONE_LOT
    if percent:
        yield f"ceiling_percent = {percent}"


def _notes(told: Said) -> Iterator[Alert]:
    values = told.values
    if values.get("SIZING_STRATEGY", "").lower() == "fixed_ratio" and "COPY_RATIO" not in values:
        what = "is not set: the copies are in proportion to the capital, as they were"
        yield warning(what, "COPY_RATIO", "set it, or correct SIZING_STRATEGY")
    if urlsplit(values.get("DHAN_WS_URL", "")).hostname == _MARKET_FEED:
        what = "is the feed of market prices, which is not needed: order updates come from another"
        yield note(what, "DHAN_WS_URL", "remove it")
    if values.get("LOG_LEVEL", "INFO").upper() != "INFO":
        yield note("has no key of its own", "LOG_LEVEL", "logging.ini says what is logged")
    if told.filed.intersection(TOKENS) and read_by_others(Path(FILE), group=True):
        yield warning("has tokens that other users can read", FILE, f"chmod 600 {FILE}")


def _read(path: Path) -> dict[str, str]:
    """The variables in the file, none where there is no file. Raises ConfigError."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as trouble:
        what = f"cannot be read ({type(trouble).__name__})"
        raise ConfigError(path, (error(what, FILE, "see to it, or remove it"),)) from None
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return {one[1]: _value(one[2]) for one in found if one is not None and one[1] in VARIABLES}


def _value(written: str) -> str:
    for quote in ("'", '"'):
        if len(written) > 1 and written.startswith(quote):
            return written[1:].partition(quote)[0]
    return "" if written.startswith("#") else _COMMENT.sub("", written).strip()
