"""The instrument master as everybody in this process asks for it.

Only what was asked for is kept in memory: the rest is in the file. A first question costs one
short reading of it, whoever asks, and no thread ever waits for another.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from domain.instruments import Instrument, InstrumentKey
from ledger.instruments import Edition, MasterFile, NoMaster

logger = logging.getLogger(__name__)

Listed = dict[InstrumentKey, Instrument | None]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """An edition, and what was asked of it."""

    edition: Edition
    known: Listed


class Master:
    """Answers any number of threads, while one of them may `renew` it: it keeps nothing but
    frozen values, each put in its place at once."""

    def __init__(self, file: MasterFile) -> None:
        self.file = file
        self._shelf: _Shelf | None = None

    @property
    def edition(self) -> Edition | None:
        """The edition that answers, None where there is none."""
        return self._shelf.edition if self._shelf else None

    def find(self, keys: Collection[InstrumentKey]) -> Listed:
        """What the master says of these keys: None where it has no such instrument. What nobody
        can say, for lack of a master, is left out."""
        shelf = self._shelf
        if shelf is None:
            return {}
        new = [key for key in keys if key not in shelf.known]
        if new:
            try:
                shelf.known.update(self.file.find(new)[1])
            except NoMaster as none:
                logger.error("The instrument master cannot be asked any more: %s", none)
        return {key: shelf.known[key] for key in keys if key in shelf.known}

    def renew(self) -> str:
        """Take whatever edition is in place now, with what was asked of the one before looked up
        in it; why there is none, empty when there is one."""
        shelf = self._shelf
        try:
            self._shelf = _Shelf(*self.file.find(list(shelf.known) if shelf else ()))
        except NoMaster as none:
            self._shelf = None
            return str(none)
        return ""
