"""The InstrumentsActor: has Dhan's instrument master loaded once a day, and when somebody misses
an instrument in it.

Nobody waits for it: until there is one, lots and ticks are what the order events say, and the one
of the day before serves until that of the day is there.
"""

import logging
from collections.abc import Iterable

from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.master_load import MasterLoad
from actors.master_process import BUSY
from actors.post import BOARD, INSTRUMENTS, LEDGER, follower_name
from actors.settings import MasterPace
from domain.inputs import InstrumentsMissed
from domain.instruments import InstrumentKey, Listing
from domain.messages import Alert, Level, MasterRenewed, Tick, Unlisted
from domain.pauses import doubled
from ledger.instruments import Edition

logger = logging.getLogger(__name__)

_LOOK, _LOADING = "look", "loading"
_POLL_SECONDS = 0.1
_WHERE = "dhan.master_url"
_LEVELS = {Level.NOTE: logging.INFO, Level.WARNING: logging.WARNING}


class InstrumentsActor(FloorActor):
    """Keeps the master of the day, and says what it does not have."""

    def __init__(self, floor: Floor, pace: MasterPace) -> None:
        super().__init__(INSTRUMENTS, floor)
        self._master = floor.master
        self._pace = pace
        self._load: MasterLoad | None = None
        self._ended_ns: int | None = None
        self._failures = 0
        self._failing = ""
        self._missed: dict[str, dict[InstrumentKey, None]] = {}
        self._said: set[InstrumentKey] = set()

    def begin(self) -> None:
        why = self._master.renew()
        edition = self._master.edition
        if edition is None:
            logger.info("No instrument master yet (%s): order events tell lots and ticks", why)
        elif edition.fresh(self.floor.clock.wall()):
            logger.info("In place: %s", _words(edition))
        else:
            self._alert(Level.NOTE, f"{_words(edition)} and is stale: today's is being loaded", "")
        self.floor.post.tell_followers(MasterRenewed())
        self._look()

    def end(self) -> None:
        if self._load is not None:
            self._load.stop()

    def receive(self, message: object) -> object:
        match message:
            case Unlisted(follower, keys):
                self._missed.setdefault(follower, {}).update(dict.fromkeys(keys))
                self._miss()
            case Tick(name):
                if name == _LOADING:
                    self._poll()
                else:
                    self._look()
            case _:
                super().receive(message)
        return None

    # The edition of the day

    def _look(self) -> None:
        """Take an edition that somebody else put in place, and have today's loaded."""
        self.later(self._pace.look, Tick(_LOOK))
        self._renew()
        edition = self._master.edition
        stale = edition is None or not edition.fresh(self.floor.clock.wall())
        if stale and self._load is None and not self._ended_within(self._pause()):
            self._start()

    def _renew(self) -> None:
        """Take the edition in place. Who missed something asks it anew, if it is another one, and
        again if need be."""
        before = self._master.edition
        self._master.renew()
        edition = self._master.edition
        if edition is None or edition == before:
            return
        logger.info("In place: %s", _words(edition))
        self._missed.clear()
        self.floor.post.tell_followers(MasterRenewed())

    def _pause(self) -> float:
        """The seconds to wait after the last loading."""
        if not self._failures:
            return self._pace.again
        return doubled(self._pace.retry, self._failures - 1, self._pace.retry_most)

    def _ended_within(self, seconds: float) -> bool:
        ended = self._ended_ns
        return ended is not None and self.floor.clock.ns() - ended < seconds * 1e9

    def _start(self) -> None:
        try:
            self._load = MasterLoad(self._master.file, self._pace.most)
        except OSError as trouble:
            self._loaded(f"no process can be started ({trouble.strerror})")
        else:
            self.later(_POLL_SECONDS, Tick(_LOADING))

    def _poll(self) -> None:
        if self._load is None:
            return
        if self._load.ended():
            trouble, self._load = self._load.trouble, None
            self._loaded(trouble)
        else:
            self.later(_POLL_SECONDS, Tick(_LOADING))

    def _loaded(self, trouble: str) -> None:
        """Loading has come to an end, good or bad."""
        self._ended_ns = self.floor.clock.ns()
        self._renew()
        if trouble:
            self._failed(trouble)
        elif self._failing:
            self._failures, self._failing = 0, ""
            self._alert(Level.NOTE, "the instrument master could be loaded again", "")
        self._judge()

    def _failed(self, trouble: str) -> None:
        self._failures += 1
        if trouble in (self._failing, BUSY):
            logger.warning("The instrument master could not be loaded: %s", trouble)
            return
        self._failing, edition = trouble, self._master.edition
        meanwhile = "order events tell lots and ticks" if edition is None else _words(edition)
        what = f"the instrument master could not be loaded: {trouble}"
        self._alert(Level.WARNING, what, f"see to it; meanwhile: {meanwhile}")

    # What it does not have

    def _miss(self) -> None:
        """Have the master loaded anew for what is not in it, but not over and over."""
        if self._load is not None:
            return
        if self._ended_within(self._pace.again):
            self._judge()
        else:
            self._start()

    def _judge(self) -> None:
        """Say of what was missed whether it is unknown. Nobody can say that without a master of
        the day."""
        edition, missed = self._master.edition, self._missed
        self._missed = {}
        fresh = edition is not None and edition.fresh(self.floor.clock.wall())
        listing = Listing.UNKNOWN if fresh else Listing.PRESUMED
        for follower, keys in missed.items():
            told = self._master.find(keys)
            lacking = tuple(key for key in keys if told.get(key) is None)
            if lacking:
                self.floor.post.tell(follower_name(follower), InstrumentsMissed(lacking, listing))
            if fresh:
                self._say_unknown(lacking)

    def _say_unknown(self, keys: Iterable[InstrumentKey]) -> None:
        for key in keys:
            if key not in self._said:
                self._said.add(key)
                self._alert(
                    Level.WARNING,
                    f"{key.segment} {key.security_id} is not in the instrument master: the "
                    "leader's orders in it are not copied",
                    "look whether Dhan lists it: python run.py instruments --refresh "
                    f"{key.security_id}",
                )

    def _alert(self, level: Level, what: str, fix: str) -> None:
        """Tell the operator something about the master, and keep it."""
        logger.log(_LEVELS[level], "%s%s", what[0].upper(), what[1:])
        alert = Alert(level, what, _WHERE, fix)
        self.floor.post.tell(BOARD, alert)
        self.floor.post.tell(LEDGER, Record(alert))


def _words(edition: Edition) -> str:
    loaded = edition.loaded_at.strftime("%Y-%m-%d %H:%M")
    words = f"the instrument master of {loaded} has {edition.instruments} instruments"
    return f"{words} ({edition.left_out} rows left out)" if edition.left_out else words
