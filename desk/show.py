"""The terminal while the engine runs: a live table where there is one, else log lines."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from actors.board import View
from desk.table import render

_FRAMES_A_SECOND = 8


class Show:
    """Draws the board with a title in a style (such as `bold red`)."""

    def __init__(self, title: str, style: str, console: Console | None = None) -> None:
        self._title, self._style = title, style
        self.console = console or Console()
        self.caption = ""
        self._live: Live | None = None

    @contextmanager
    def open(self) -> Iterator["Show"]:
        """Show the table until the end of the block; without a terminal nothing is drawn."""
        if not self.console.is_terminal:
            yield self
            return
        with (
            _quiet_terminal_logs(),
            Live(console=self.console, refresh_per_second=_FRAMES_A_SECOND) as live,
        ):
            self._live = live
            try:
                yield self
            finally:
                self._live = None

    def draw(self, view: View) -> None:
        """Show the board as it is now."""
        if self._live is not None:
            self._live.update(render(view, self._title, self._style, self.caption))


@contextmanager
def _quiet_terminal_logs() -> Iterator[None]:
    """Keep log lines from tearing the table: the file has all of them, the table the alerts."""
    streams = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
    ]
    levels = [handler.level for handler in streams]
    for handler in streams:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in zip(streams, levels, strict=True):
            handler.setLevel(level)
