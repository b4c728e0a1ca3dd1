"""The InstrumentsActor: reads Dhan's instrument master, which tells lots and ticks.

Nobody waits for it: until it is there, lots and ticks are what the order events say.
"""

import logging
from collections.abc import Mapping

from actors.floor import Floor, FloorActor
from actors.post import BOARD, INSTRUMENTS, follower_name
from dhan.master import MasterError, load
from domain.instruments import Instrument, InstrumentKey
from domain.messages import Alert, Level, MasterLoaded, MasterWanted, Tick

logger = logging.getLogger(__name__)

_TIMEOUT = 60.0
_RETRY_SECONDS = 60.0


class InstrumentsActor(FloorActor):
    """Keeps the master of the day and tells followers of it."""

    def __init__(self, floor: Floor, source: str) -> None:
        super().__init__(INSTRUMENTS, floor)
        self._source = source
        self._master: Mapping[InstrumentKey, Instrument] | None = None

    def begin(self) -> None:
        self.later(0.0, Tick("load"))

    def receive(self, message: object) -> object:
        match message:
            case Tick():
                self._load()
            case MasterWanted(follower):
                if self._master is not None:
                    loaded = MasterLoaded(self._master)
                    self.floor.post.tell(follower_name(follower), loaded)
            case _:
                super().receive(message)
        return None

    def _load(self) -> None:
        try:
            self._master = load(self._source, _TIMEOUT)
        except MasterError as trouble:
            logger.warning("The instrument master could not be read: %s", trouble)
            self.floor.post.tell(
                BOARD,
                Alert(
                    Level.WARNING,
                    f"the instrument master could not be read: {trouble}",
                    "dhan.master_url",
                    "lots and ticks are taken from order events meanwhile",
                ),
            )
            self.later(_RETRY_SECONDS, Tick("load"))
        else:
            logger.info("The instrument master has %d instruments", len(self._master))
            self.floor.post.tell_followers(MasterLoaded(self._master))
