"""Live: the engine on the accounts of lockstep.toml, whose edits take effect while it runs."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from actors.engine import Engine
from desk.accounts import moved
from desk.calendar import CalendarWatch, go_by, lacking
from desk.config import Config, ConfigError
from desk.documents import write_copies
from desk.egress import shared
from desk.findings import line
from desk.heritage import inherit
from desk.options import Options
from desk.probes import vault_closed
from desk.roster import RosterWatch
from desk.running import Poll, allow_many_sockets, attend, stop_signals
from desk.show import Show
from desk.table import summary
from domain.hours import HOURS
from domain.messages import Alert

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.5

_Content = TypeVar("_Content")


def run(config: Config, options: Options) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code as the contract has it.

    Raises LedgerUnusable where the ledger keeps it from starting, and ConfigError for followers
    whose copies are in another account or that share an address, for a key that others can read,
    and for a calendar that says nothing sensible.
    """
    inherit(config)
    if findings := (*moved(config), *shared(config), *vault_closed(config)):
        raise ConfigError(config.path, findings)
    allow_many_sockets()
    go_by(config)
    engine = Engine(config.engine)
    where = str(config.path) if config.path.exists() else "the environment variables"
    show = Show(f"LIVE, real orders, {Path(where).name}", "bold red")
    show.console.print(f"LIVE: orders are sent for the accounts of {where}", style="bold red")
    with stop_signals() as stop:
        engine.start()
        try:
            for warning in config.warnings:
                engine.alert(warning)
            engine.follow(config.followers)
            engine.listen()
            attend(engine, show, stop, _looks(engine, config))
        finally:
            view = engine.stop()
    show.console.print(summary(view))
    if options.json_path is not None:
        in_step = view.in_step and not engine.ended.is_set()
        write_copies(options.json_path, config.engine.ledger, in_step)
    if engine.unusable is not None:
        raise engine.unusable
    if engine.fatal:
        logger.critical("Trading safely is impossible: %s", engine.fatal)
        return 4
    return 0


def _looks(engine: Engine, config: Config) -> Poll:
    """What is looked at now and then while it runs."""
    roster = _Roster(engine, config)
    sessions = None if config.always_open else _Sessions(engine, config)

    def look() -> None:
        roster.look()
        if sessions is not None:
            sessions.look()

    return look


class _Edits(Generic[_Content]):
    """The edits of a file, looked for now and then. What is wrong with one is told, and that it
    changes nothing."""

    def __init__(
        self, engine: Engine, poll: Callable[[], _Content | ConfigError | None], unchanged: str
    ) -> None:
        self._engine, self._poll, self._unchanged = engine, poll, unchanged
        self._next = 0.0

    def next(self) -> _Content | None:
        """What the file says now, if that is new."""
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + _POLL_SECONDS
        found = self._poll()
        if not isinstance(found, ConfigError):
            return found
        logger.error("%s. %s", self._unchanged, found)
        for finding in found.findings:
            self._engine.alert(finding)
        return None


class _Roster:
    """Has the engine follow whom the file names, as it is edited."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self._engine = engine
        unchanged = "The edit is not taken, all goes on as before"
        self._edits = _Edits(engine, RosterWatch(config).poll, unchanged)

    def look(self) -> None:
        """Take an edit of the file."""
        config = self._edits.next()
        if config is not None:
            logger.warning("The edited roster has %d followers", len(config.followers))
            self._engine.follow(config.followers)


class _Sessions:
    """Has the sessions go by calendar.toml as it is edited, and says in time which year's holidays
    are not known."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self._engine = engine
        watch = CalendarWatch(config.calendar, HOURS.calendar)
        self._edits = _Edits(engine, watch.poll, "The calendar of before stays in force")
        self._said: Alert | None = None

    def look(self) -> None:
        """Take an edit of the file."""
        calendar = self._edits.next()
        if calendar is not None:
            what = "The edited calendar has %d special sessions and closures"
            logger.warning(what, len(calendar.specials))
            HOURS.follow(calendar)
            self._engine.calendar_changed()
        self._say_lacking()

    def _say_lacking(self) -> None:
        lack = next(lacking(HOURS.calendar, datetime.now(UTC)), None)
        if lack != self._said:
            self._said = lack
            if lack is not None:
                logger.warning("%s", line(lack))
                self._engine.alert(lack)
