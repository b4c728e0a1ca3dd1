"""The command line: `python run.py [VERB] [--config PATH]`.

Exit codes: 0 done and as asked, 1 done but not as asked, 2 wrong usage or configuration, 3 the
ledger cannot be used, 4 trading safely is impossible. No verb takes a secret on its line, which
every user of the host can read.
"""

import logging
import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from desk.usage import Misused, parser

if TYPE_CHECKING:
    from desk.config import Config
    from desk.findings import ConfigError

logger = logging.getLogger(__name__)

_FILE = Path("lockstep.toml")
_BY_ENVIRONMENT = (
    "There is no lockstep.toml: the environment variables of the older program (and .env) stand "
    "for it. python run.py import-env writes the file that they mean"
)
_READING = ("copies", "explain", "replay", "drift")
_LOOKING = ("list", "halt", "flatten", "kill", "release")
DONE, NOT_AS_ASKED, WRONG, LEDGER, UNSAFE = range(5)


def main(argv: Sequence[str]) -> int:
    """Do what the command line asks; the exit code."""
    if argv and argv[0] == "simulator":
        from simulator.command import main as simulate

        return simulate(list(argv[1:]))
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)
        code = _obey(parser().parse_args(argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return DONE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


@dataclass(frozen=True, slots=True)
class _Desk:
    """The configuration that a verb works on: none, a good one, or a bad one; `by_environment` is
    whether the older program's variables stand for a file."""

    path: Path | None = None
    config: "Config | None" = None
    wrong: "ConfigError | None" = None
    by_environment: bool = False

    @property
    def folder(self) -> Path:
        """Where the logs are kept."""
        if self.config is not None:
            return self.config.engine.ledger.parent
        return self.path.parent if self.path else Path()

    def needed(self) -> "Config":
        """The configuration. Raises ConfigError if there is none or a bad one."""
        from desk.config import load

        if self.wrong is not None:
            raise self.wrong
        return self.config or load(_FILE)


def _desk(path: Path | None) -> _Desk:
    if path is None and not _FILE.exists():
        return _by_environment()
    from desk.config import load
    from desk.findings import ConfigError

    path = path or _FILE
    try:
        return _Desk(path, load(path))
    except ConfigError as wrong:
        return _Desk(path, None, wrong)


def _by_environment() -> _Desk:
    """Where there is no file: what the environment variables of the older program say, if any."""
    from desk import environment
    from desk.findings import ConfigError

    try:
        said = environment.said(Path(), os.environ)
        if not said.meant:
            return _Desk()
        return _Desk(_FILE, environment.configuration(_FILE, said), by_environment=True)
    except ConfigError as wrong:
        return _Desk(_FILE, None, wrong, by_environment=True)


def _obey(wanted: Namespace) -> int:
    """Load, arrange the logs, and do it; what can go wrong becomes a message and a code."""
    from desk import logs
    from desk.findings import ConfigError
    from ledger.opening import LedgerUnusable

    importing = wanted.verb == "import-env"
    try:
        try:
            desk = _Desk(wanted.config or _FILE) if importing else _desk(wanted.config)
        except Exception:
            logs.configure(Path(), trades=False)
            raise
        logs.configure(desk.folder, trades=not wanted.verb)
        if desk.by_environment:
            logger.warning("%s", _BY_ENVIRONMENT)
        return _do(wanted, desk)
    except (ConfigError, Misused) as wrong:
        logger.error("%s", wrong)
        return WRONG
    except LedgerUnusable as unusable:
        logger.error("The ledger cannot be used. %s", unusable)
        return LEDGER
    except BrokenPipeError:
        raise
    except Exception:
        logger.critical("Ended by an error that nobody foresaw", exc_info=True)
        return NOT_AS_ASKED if wanted.verb else UNSAFE


def _do(wanted: Namespace, desk: _Desk) -> int:
    if desk.config is not None and _reads(wanted):
        from desk.heritage import inherit

        inherit(desk.config)
    match wanted.verb:
        case None:
            return _run(wanted, desk)
        case "import-env":
            from desk.commands import import_env

            return import_env.run(wanted.config or _FILE, wanted.as_json)
        case "backup":
            from desk.commands import backup

            return backup.save(desk.needed(), wanted.to, wanted.as_json)
        case "restore":
            from desk.commands import backup

            return backup.put_back(desk.needed(), wanted.backup, wanted.as_json)
        case "check":
            from desk.commands import check

            return check.run(desk.wrong or desk.needed(), wanted.as_json)
        case "clock":
            from desk.commands import clock

            if desk.wrong is not None:
                raise desk.wrong
            return clock.run(desk.config, wanted.at, wanted.as_json)
        case "copies":
            return _copies(wanted, desk)
        case "audit":
            from desk.commands import audit

            follower, since, until = wanted.follower, wanted.since, wanted.until
            return audit.run(desk.needed(), follower, since, until, wanted.as_json)
        case "explain":
            from desk.commands import explain

            return explain.run(desk.needed(), wanted.order, wanted.name, wanted.as_json)
        case "replay":
            from desk.commands import replay

            follower, others = wanted.follower, wanted.others
            return replay.run(desk.needed(), wanted.day, follower, others, wanted.as_json)
        case "instruments":
            from desk.commands import instruments

            return instruments.run(desk.needed(), wanted.words, wanted.refresh, wanted.as_json)
        case "login":
            from desk.commands import login

            return login.run(desk.needed(), wanted)
        case "drift":
            from desk.commands import drift

            return drift.run(desk.needed(), wanted.follower, wanted.repair, wanted.as_json)
        case _:
            from desk.commands import followers

            return followers.run(desk.needed(), wanted)


def _reads(wanted: Namespace) -> bool:
    """Whether it looks into the ledger, which may be the older program's database still."""
    if wanted.verb == "followers":
        return wanted.roster_verb in _LOOKING
    return wanted.verb in _READING


def _copies(wanted: Namespace, desk: _Desk) -> int:
    if wanted.copies_verb:
        from desk.commands import resolve

        return resolve.run(desk.needed(), wanted)
    asked = desk.needed(), wanted.follower, wanted.order, wanted.as_json
    if wanted.missed:
        from desk.commands import missed

        return missed.run(*asked)
    from desk.commands import copies

    return copies.run(*asked)


def _run(wanted: Namespace, desk: _Desk) -> int:
    from desk.options import Options

    options = Options(wanted.once, wanted.pace, wanted.json_path)
    if wanted.json_path is not None and not wanted.json_path.absolute().parent.is_dir():
        raise Misused(f"--json: there is no folder {wanted.json_path.parent}")
    if desk.path is None:
        from desk import paper

        return paper.run(options)
    from desk import live

    return live.run(desk.needed(), options)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
