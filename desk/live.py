"""Live: the engine on the accounts of lockstep.toml, whose edits take effect while it runs."""

import logging
import time
from pathlib import Path

from actors.board import View
from actors.engine import Engine
from desk.config import Config, ConfigError, load
from desk.documents import write_copies
from desk.options import Options
from desk.roster import RosterWatch
from desk.running import allow_many_sockets, attend, stop_signals
from desk.show import Show
from desk.table import summary
from domain.messages import Alert, Level
from ledger.opening import LedgerUnusable

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


def run(path: Path, options: Options) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code as the contract has it.

    Raises ConfigError and LedgerUnusable for what keeps it from starting.
    """
    config = load(path)
    allow_many_sockets()
    engine = Engine(config.engine)
    show = Show(f"LIVE, real orders, {path}", "bold red")
    show.console.print(f"LIVE: orders of {path} are sent to Dhan", style="bold red")
    with stop_signals() as stop:
        engine.start()
        try:
            engine.follow(config.followers)
            engine.listen()
            attend(engine, show, stop, _Roster(engine, config).look)
            view = engine.view() if not engine.fatal else None
        finally:
            engine.stop()
    if view is not None:
        show.console.print(summary(view))
    if options.json_path is not None:
        write_copies(options.json_path, config.engine.ledger, view is not None and view.in_step)
    if engine.fatal:
        logger.critical("Trading safely is impossible: %s", engine.fatal)
        return 4
    return 0
