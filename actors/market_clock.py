"""The MarketClockActor: tells when a segment's session changes, in Indian time."""

from datetime import datetime

from actors.floor import Floor, FloorActor
from actors.post import BOARD, MARKET_CLOCK
from domain.hours import HOURS
from domain.instruments import Segment
from domain.messages import SessionChanged, Tick
from domain.sessions import Phase

_LONGEST_WAIT = 30.0


class MarketClockActor(FloorActor):
    """Looks at the wall clock at every boundary, and now and then between, in case it jumps."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(MARKET_CLOCK, floor)
        self._phases: dict[Segment, Phase] = {}

    def begin(self) -> None:
        self._look()

    def receive(self, message: object) -> object:
        match message:
            case Tick():
                self._look()
            case _:
                super().receive(message)
        return None

    def _look(self) -> None:
        now = self.floor.clock.wall()
        wait = _LONGEST_WAIT
        for segment in Segment:
            if not segment.copied:
                continue
            current = HOURS.at(segment, now)
            wait = min(wait, max(0.0, (current.next_at - now).total_seconds()))
            if self._phases.get(segment) is not current.phase:
                self._phases[segment] = current.phase
                self._tell(segment, current.phase, now)
        self.later(wait, Tick("session"))

    def _tell(self, segment: Segment, phase: Phase, now: datetime) -> None:
        changed = SessionChanged(segment, phase.open, phase, now)
        self.floor.post.tell_followers(changed)
        self.floor.post.tell(BOARD, changed)
