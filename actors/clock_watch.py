"""Watches how far this host's clock is from Dhan's, by answers to what was asked anyway."""

import logging

from actors.floor import Floor
from actors.ledger import Record
from actors.post import BOARD, LEDGER
from dhan.calls import Answer
from dhan.dates import offset
from domain.messages import Alert, Level
from domain.offset import Offsets

logger = logging.getLogger(__name__)

FIX = "have it set by NTP, for one by chrony: every session begins and ends by it"


class ClockWatch:
    """Tells once that the clock is too far off, and once that it is right again."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._offsets = Offsets()

    def heard(self, answer: Answer) -> None:
        """Learn from an answer."""
        clock = self._floor.clock
        found = offset(answer, clock.wall(), clock.ns())
        if found is None:
            return
        before, self._offsets = self._offsets.words, self._offsets.heard(found)
        words = self._offsets.words
        if words and not before:
            self._tell(Level.WARNING, f"this host's clock is {words}", FIX)
        elif before and not words:
            self._tell(Level.NOTE, "this host's clock is right again", "")

    def _tell(self, level: Level, what: str, fix: str) -> None:
        logger.warning("%s%s%s", what[0].upper(), what[1:], f" ({fix})" if fix else "")
        alert = Alert(level, what, "clock", fix)
        self._floor.post.tell(BOARD, alert)
        self._floor.post.tell(LEDGER, Record(alert))
