"""Live: the engine on the accounts of lockstep.toml, whose edits take effect while it runs."""

import logging
import time

from actors.engine import Engine
from desk.accounts import moved
from desk.config import Config, ConfigError
from desk.documents import write_copies
from desk.options import Options
from desk.roster import RosterWatch
from desk.running import allow_many_sockets, attend, stop_signals
from desk.show import Show
from desk.table import summary

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


def run(config: Config, options: Options) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code as the contract has it.

    Raises LedgerUnusable where the ledger keeps it from starting, and ConfigError for followers
    whose copies are in another account.
    """
    if findings := tuple(moved(config)):
        raise ConfigError(config.path, findings)
    allow_many_sockets()
    engine = Engine(config.engine)
    show = Show(f"LIVE, real orders, {config.path.name}", "bold red")
    show.console.print(f"LIVE: orders are sent for the accounts of {config.path}", style="bold red")
    with stop_signals() as stop:
        engine.start()
        try:
            for warning in config.warnings:
                engine.alert(warning)
            engine.follow(config.followers)
            engine.listen()
            attend(engine, show, stop, _Roster(engine, config).look)
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


class _Roster:
    """Has the engine follow whom the file names, as it is edited."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self._engine = engine
        self._watch = RosterWatch(config)
        self._next = 0.0

    def look(self) -> None:
        """Take an edit of the file, or say what is wrong with it."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _POLL_SECONDS
        match self._watch.poll():
            case ConfigError(findings=findings) as wrong:
                logger.error("The edit is not taken, all goes on as before. %s", wrong)
                for finding in findings:
                    self._engine.alert(finding)
            case Config(followers=followers):
                logger.warning("The edited roster has %d followers", len(followers))
                self._engine.follow(followers)
