"""`followers`: the roster, looked at and edited; a running engine follows the file."""

import logging
import re
from argparse import Namespace
from collections import Counter
from datetime import datetime

import tomlkit

from actors.settings import FollowerSettings
from desk import edits, redact
from desk.commands import halts
from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.usage import Misused
from domain.copies import CopyState
from domain.halts import HaltAsked
from domain.messages import MoodChanged
from domain.rules import Mood
from domain.sessions import IST
from ledger.halts import in_force_next
from ledger.moods import last_mood
from ledger.opening import present
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_ENDED = frozenset({CopyState.FILLED, CopyState.CANCELLED, CopyState.REJECTED, CopyState.SKIPPED})


def run(config: Config, wanted: Namespace) -> int:
    """Do what the line says. Raises ConfigError, Misused and LedgerUnusable."""
    match wanted.roster_verb:
        case "list":
            return _show(config, wanted.as_json)
        case "add":
            edits.add(config.path, _newcomer(wanted))
            logger.info("%s is added to %s", wanted.name, config.path.name)
        case "remove":
            edits.remove(config.path, wanted.name)
            logger.info("%s is removed; its open orders stay as they are", wanted.name)
        case "halt" | "flatten" | "kill" | "release":
            return halts.run(config, wanted)
        case verb:
            changed = edits.pause(config.path, wanted.name, verb == "pause")
            state = "paused" if verb == "pause" else "active"
            logger.info("%s is %s%s", wanted.name, state, "" if changed else " already")
    return 0


def _newcomer(wanted: Namespace) -> dict[str, object]:
    """The keys of the new follower's table."""
    if wanted.token != "login" and not wanted.token.startswith(("env:", "file:")):
        redact.know(wanted.token)
        raise Misused(
            "--token wants env:NAME, file:PATH or login; a token on the command line can be read "
            "by every user of this host"
        )
    if not _NUMBER.fullmatch(wanted.multiplier):
        raise Misused("--multiplier wants a number such as 0.5")
    keys: dict[str, object] = {
        "name": wanted.name,
        "client_id": wanted.client_id,
        "token": wanted.token,
        "sizing": {"multiplier": tomlkit.value(wanted.multiplier)},
    }
    if wanted.when_closed is not None:
        keys["when_closed"] = wanted.when_closed
    if wanted.source_ip is not None:
        keys["source_ip"] = wanted.source_ip
    if wanted.paused:
        keys["paused"] = True
    return keys


def _show(config: Config, as_json: bool) -> int:
    rows = _rows(config)
    if as_json:
        show_json(rows)
        return 0
    columns = ("name", "client_id", "sizing", "mood", "reason", "open_copies")
    show_table(columns, [[_cell(row, column) for column in columns] for row in rows])
    return 0


def _cell(row: dict[str, object], column: str) -> object:
    return f"inverse, {row[column]}" if column == "sizing" and row["inverse"] else row[column]


def _rows(config: Config) -> list[dict[str, object]]:
    """Every follower of the file, with what the ledger says of it."""
    ledger, engine = config.engine.ledger, None
    moods: dict[str, MoodChanged] = {}
    halted: dict[str, HaltAsked | None] = {}
    opened: Counter[str] = Counter()
    if present(ledger) and ledger.stat().st_size:
        with Reader.open(ledger) as reader:
            engine = reader.running_pid()
            moods = {one.name: _mood(reader, one) for one in config.followers}
            halted = {one.name: in_force_next(reader, one.name) for one in config.followers}
            today = datetime.now(IST).replace(hour=0, minute=0, second=0, microsecond=0)
            copies = reader.copies(since=today)
            opened.update(copy.follower for copy in copies if copy.state not in _ENDED)
    if engine is None:
        logger.warning("No engine is running")
        moods = {one.name: _at_rest(one, halted.get(one.name)) for one in config.followers}
    return [_row(one, moods[one.name], opened[one.name]) for one in config.followers]


def _at_rest(settings: FollowerSettings, halt: HaltAsked | None) -> MoodChanged:
    """Where no engine runs, nobody does, and the halted and the paused will not when one does."""
    if halt is not None:
        return MoodChanged(settings.name, halt.word.mood, f"{halt.words}; no engine is running")
    mood = Mood.PAUSED if settings.paused else Mood.STOPPED
    return MoodChanged(settings.name, mood, "no engine is running")


def _mood(reader: Reader, settings: FollowerSettings) -> MoodChanged:
    """The mood that the engine last told, or the one to begin with."""
    told = last_mood(reader, settings.name)
    if told is not None:
        return told
    return MoodChanged(settings.name, Mood.PAUSED if settings.paused else Mood.ACTIVE)


def _row(settings: FollowerSettings, mood: MoodChanged, open_copies: int) -> dict[str, object]:
    rules = settings.rules
    return {
        "name": settings.name,
        "client_id": settings.address.client_id,
        "mood": mood.mood.value,
        "reason": mood.reason,
        "open_copies": open_copies,
        "sizing": rules.sizing.text,
        "inverse": rules.inverse,
        "paused": settings.paused,
        "when_closed": rules.when_closed.value,
        "source_ip": settings.address.source_ip,
    }
