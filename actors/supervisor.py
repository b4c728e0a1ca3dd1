"""The Supervisor: starts the actors in order, restarts what crashes, parks what keeps crashing.

One for one: an actor that crashes is started again by itself, after a pause that grows, from
what the ledger kept. A follower that crashes too often is parked and the rest goes on; when an
actor that all depend on does, trading safely is impossible and the process must end.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import pykka

from actors.account import FollowerSettings
from actors.board import Roster
from actors.floor import Begin, Crashed, Floor, FloorActor
from actors.post import (
    BOARD,
    FOLLOWER,
    LIMITER,
    RECOVERY,
    SUPERVISOR,
    Ref,
    follower_name,
)
from actors.upkeep import BoardRestarted, Configured, LimiterRestarted
from domain.messages import Alert, Level, MoodChanged, Tick
from domain.rules import Mood

logger = logging.getLogger(__name__)

StartActor = Callable[[], Ref]
StartFollower = Callable[[FollowerSettings], Ref]

_STOP_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an actor may crash: more than `limit` times within `within` seconds is too
    often. The pause before a restart starts at `first` seconds and doubles up to `longest`."""

    limit: int = 5
    within: float = 60.0
    first: float = 0.1
    longest: float = 5.0


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """The followers are these from now on."""

    followers: tuple[FollowerSettings, ...]


@dataclass(frozen=True, slots=True)
class StopChildren:
    """Asks that these children be stopped, side by side."""

    names: tuple[str, ...]


@dataclass(slots=True)
class _Child:
    start: StartActor
    crashes: deque[float] = field(default_factory=deque)
    stopped: bool = False


class Supervisor(FloorActor):
    """Owns every other actor."""

    def __init__(
        self,
        floor: Floor,
        start_follower: StartFollower,
        fatal: Callable[[str], None],
        patience: Patience,
    ) -> None:
        super().__init__(SUPERVISOR, floor)
        self._start_follower = start_follower
        self._fatal = fatal
        self._patience = patience
        self._children: dict[str, _Child] = {}
        self._settings: dict[str, FollowerSettings] = {}
        self._stopping = False

    def receive(self, message: object) -> object:
        match message:
            case Started(name, start):
                self._children[name] = _Child(start)
                self._run(name)
            case Crashed(name, why):
                self._crashed_child(name, why)
            case Tick(name):
                self._restart(name)
            case RosterChanged(followers):
                self._roster(followers)
            case StopChildren(names):
                self._stopping = True
                return self._stop_all(names)
            case _:
                super().receive(message)
        return None

    def _run(self, name: str) -> None:
        ref = self._children[name].start()
        self.floor.post.register(name, ref)
        ref.tell(Begin())

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._fatal(f"the supervisor crashed ({type(exception_value).__name__})")

    def _crashed_child(self, name: str, why: str) -> None:
        child = self._children.get(name)
        self.floor.post.remove(name)
        if child is None or child.stopped or self._stopping:
            return
        now = self.floor.clock.ns() / 1e9
        child.crashes.append(now)
        while child.crashes[0] < now - self._patience.within:
            child.crashes.popleft()
        crashes = len(child.crashes)
        if crashes > self._patience.limit:
            self._give_up(name, why)
            return
        pause = min(self._patience.first * 2 ** (crashes - 1), self._patience.longest)
        logger.error("%s crashed (%s), it is started again in %.1f s", name, why, pause)
        self.later(pause, Tick(name))

    def _restart(self, name: str) -> None:
        child = self._children.get(name)
        if child is None or child.stopped or self._stopping:
            return
        self._run(name)
        if name == LIMITER:
            self.floor.post.tell_followers(LimiterRestarted())
        if name == BOARD:
            self.floor.post.tell(BOARD, Roster(tuple(self._settings)))
            self.floor.post.tell(RECOVERY, BoardRestarted())
            self.floor.post.tell_followers(BoardRestarted())

    def _give_up(self, name: str, why: str) -> None:
        what = f"crashed {self._patience.limit + 1} times within {self._patience.within:.0f} s"
        if not name.startswith(FOLLOWER):
            logger.critical("The %s actor %s (%s); trading safely is impossible", name, what, why)
            self._fatal(f"the {name} actor {what} ({why})")
            return
        logger.critical("%s %s (%s) and is parked", name, what, why)
        follower = name.removeprefix(FOLLOWER)
        self._children[name].stopped = True
        self.floor.post.tell(BOARD, MoodChanged(follower, Mood.PARKED, what))
        self.floor.post.tell(
            BOARD,
            Alert(
                Level.ERROR,
                f"parked: it {what} ({why})",
                follower,
                "look at the log, then pause and resume it; its open orders are as they were",
            ),
        )

    def _roster(self, followers: Sequence[FollowerSettings]) -> None:
        wanted = {settings.name: settings for settings in followers}
        self.floor.post.tell(BOARD, Roster(tuple(wanted)))
        for name in [name for name in self._settings if name not in wanted]:
            self._remove(name)
        for name, settings in wanted.items():
            before = self._settings.get(name)
            if before is None:
                self._add(settings)
            elif before != settings:
                self._change(before, settings)

    def _add(self, settings: FollowerSettings) -> None:
        self._settings[settings.name] = settings
        name, start = follower_name(settings.name), self._start_follower
        self._children[name] = _Child(lambda: start(self._settings[settings.name]))
        self._run(name)

    def _change(self, before: FollowerSettings, settings: FollowerSettings) -> None:
        """Tell the follower of its new settings; one whose connections change begins anew."""
        same_wires = (before.address, before.feed) == (settings.address, settings.feed)
        name = follower_name(settings.name)
        self._settings[settings.name] = settings
        if same_wires and self.floor.post.tell(name, Configured(settings)):
            return
        self._stop_all((name,))
        self._add(settings)

    def _remove(self, follower: str) -> None:
        logger.warning("%s is removed; its open orders stay as they are", follower)
        name = follower_name(follower)
        self._stop_all((name,))
        del self._settings[follower], self._children[name]

    def _stop_all(self, names: Sequence[str]) -> bool:
        """Stop the children side by side; whether all of them ended in time."""
        refs = [ref for name in names if (ref := self.floor.post.ref(name)) is not None]
        for name in names:
            if name in self._children:
                self._children[name].stopped = True
            self.floor.post.remove(name)
        endings = [ref.stop(block=False) for ref in refs]
        ended = True
        for ending in endings:
            try:
                ending.get(timeout=_STOP_SECONDS)
            except pykka.Timeout:
                ended = False
        return ended


@dataclass(frozen=True, slots=True)
class Started:
    """Asks that an actor be started and kept running."""

    name: str
    start: StartActor
