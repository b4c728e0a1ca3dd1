"""The MarketClockActor: tells when the session of any schedule changes, in Indian time."""

from dataclasses import dataclass
from datetime import datetime

from actors.floor import Floor, FloorActor
from actors.post import BOARD, MARKET_CLOCK
from domain.hours import HOURS, Hours
from domain.messages import SessionChanged, Tick
from domain.schedules import Schedule
from domain.sessions import Phase

_LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    """Another calendar is in force, by which sessions may be in other phases."""


class MarketClockActor(FloorActor):
    """Looks at the wall clock at every boundary, and now and then between, in case it jumps."""

    def __init__(self, floor: Floor, hours: Hours = HOURS) -> None:
        super().__init__(MARKET_CLOCK, floor)
        self._hours = hours
        self._phases: dict[Schedule, Phase] = {}
        self._looks = 0

    def begin(self) -> None:
        self._look()

    def receive(self, message: object) -> object:
        match message:
            case Tick(name):
                if name == str(self._looks):
                    self._look()
            case CalendarChanged():
                self._look()
            case _:
                super().receive(message)
        return None

    def _look(self) -> None:
        """Tell what changed, and look again when the next change is due. One tick is awaited at a
        time: a calendar that changes in between makes an older one count no more."""
        now = self.floor.clock.wall()
        wait = _LONGEST_WAIT
        for schedule in Schedule:
            current = self._hours.at(schedule, now)
            wait = min(wait, max(0.0, (current.next_at - now).total_seconds()))
            if self._phases.get(schedule) is not current.phase:
                self._phases[schedule] = current.phase
                self._tell(schedule, current.phase, now)
        self._looks += 1
        self.later(wait, Tick(str(self._looks)))

    def _tell(self, schedule: Schedule, phase: Phase, now: datetime) -> None:
        changed = SessionChanged(schedule, phase.open, phase, now)
        self.floor.post.tell_followers(changed)
        self.floor.post.tell(BOARD, changed)
