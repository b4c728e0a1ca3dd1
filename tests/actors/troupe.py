"""A floor with a real supervisor over actors that do nothing but crash when they are told to.

Time is turned by hand: the clock and the timer move only when the test says so. So whatever the
supervisor does can be waited for exactly, without a pause anywhere.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from types import TracebackType

import pykka

from actors.floor import Begin, Floor, FloorActor
from actors.master import Master
from actors.patience import Patience
from actors.post import SUPERVISOR, Post, Ref, follower_name
from actors.settings import FollowerSettings
from actors.supervisor import RosterChanged, Started, StopChildren, Supervisor
from actors.timer import Timer
from actors.upkeep import Configured
from dhan.wire import Wire
from ledger.instruments import MasterFile

_DEADLINE = 10.0
_MOMENT = 0.002
_WIRE = Wire()  # never started: nobody here has anything to send
_MASTER = Master(MasterFile(Path(), ""))  # nobody here trades


class HandClock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=self.seconds)

    wall = now

    def ns(self) -> int:
        return round(self.seconds * 1e9)


class HandTimer(Timer):
    """Rings as the clock is turned."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, ring: Callable[[], object]) -> None:
        heapq.heappush(self._waiting, (self._clock.seconds + seconds, next(self._numbers), ring))

    def next_before(self, until: float) -> Callable[[], object] | None:
        """The next that is due, with the clock set to its time."""
        if not self._waiting or self._waiting[0][0] > until:
            return None
        due, _, ring = heapq.heappop(self._waiting)
        self._clock.seconds = max(self._clock.seconds, due)
        return ring


@dataclass(frozen=True, slots=True)
class Crash:
    """The actor crashes at this message. What the supervisor is to hear of it is `held` back
    until the actor is let go."""

    held: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """Sets `heard` when everything told before has been answered."""

    heard: Event = field(default_factory=Event)


class Player(FloorActor):
    """Keeps what it is told."""

    def __init__(self, name: str, troupe: "Troupe", settings: FollowerSettings | None) -> None:
        super().__init__(name, troupe.floor)
        self.settings = settings
        self.told: list[object] = []
        self.let_go = Event()
        self.let_go.set()
        self.holding = Event()
        self.ended = Event()
        self.over = Event()
        self._troupe = troupe
        troupe.born(self)

    def begin(self) -> None:
        if self._troupe.stage_fright.get(self.name, 0):
            self._troupe.stage_fright[self.name] -= 1
            self.ended.set()
            raise RuntimeError("told to crash at the start")

    def end(self) -> None:
        self.ended.set()

    def receive(self, message: object) -> object:
        match message:
            case Crash(held):
                if held:
                    self.let_go.clear()
                raise RuntimeError("told to crash")
            case Ping(heard):
                heard.set()
                return None
            case Configured(settings):
                self.settings = settings
        self.told.append(message)
        return None

    def on_stop(self) -> None:
        super().on_stop()
        self.over.set()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.holding.set()
        self.let_go.wait(_DEADLINE)
        super().on_failure(exception_type, exception_value, traceback)
        self.over.set()

    def await_quiet(self) -> None:
        """Wait until it has answered everything, or ended, or holds back that it crashed."""
        ping = Ping()
        with suppress(pykka.ActorDeadError):
            self.actor_ref.tell(ping)
        deadline = time.monotonic() + _DEADLINE
        while not (self.over.is_set() or self._holds() or ping.heard.wait(_MOMENT)):
            assert time.monotonic() < deadline, f"{self.name} does not answer"

    def _holds(self) -> bool:
        return self.holding.is_set() and not self.let_go.is_set()


@dataclass
class Troupe:
    """The supervisor, everybody who plays under it, and what is known of them."""

    patience: Patience
    stage_fright: dict[str, int] = field(default_factory=dict)
    fatal: list[str] = field(default_factory=list)
    players: list[Player] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.timer = HandTimer(self.clock)
        self.floor = Floor(self.clock, Post(), self.timer, _WIRE, _MASTER)
        self.supervisor: Ref = Supervisor.start(
            self.floor, self._start_follower, self.fatal.append, self.patience
        )
        self.floor.post.register(SUPERVISOR, self.supervisor)
        self.supervisor.tell(Begin())

    def _start_follower(self, settings: FollowerSettings) -> Ref:
        return Player.start(follower_name(settings.name), self, settings)

    def born(self, player: Player) -> None:
        """A player comes to life; whether another of its name still lives is looked at now, when
        nobody can be late."""
        if any(other.name == player.name and not other.ended.is_set() for other in self.players):
            self.doubled.append(player.name)
        self.players.append(player)

    # What is done to them

    def start(self, *names: str) -> None:
        """Have these actors, who are no followers."""
        for name in names:
            self.supervisor.ask(Started(name, self._starting(name)))
        self.settle()

    def _starting(self, name: str) -> Callable[[], Ref]:
        return lambda: Player.start(name, self, None)

    def follow(self, followers: tuple[FollowerSettings, ...]) -> None:
        """Have exactly these followers."""
        self.supervisor.ask(RosterChanged(followers))
        self.settle()

    def tell(self, name: str, message: object) -> None:
        """Tell an actor something, and let everything come of it that does."""
        self.floor.post.tell(name, message)
        self.settle()

    def let_go(self, name: str) -> None:
        """Let the supervisor hear of a crash that was held back."""
        for player in self.players:
            if player.name == name:
                player.let_go.set()
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.clock.seconds + seconds
        while (ring := self.timer.next_before(until)) is not None:
            ring()
            self.settle()
        self.clock.seconds = until

    def stop(self) -> bool:
        """Stop all of them as the engine does; whether they ended in time."""
        names = tuple(dict.fromkeys(player.name for player in self.players))
        ended = bool(self.supervisor.ask(StopChildren(names)))
        self.settle()
        return ended

    def close(self) -> None:
        """End whoever is left."""
        for player in self.players:
            player.let_go.set()
        self.stop()
        self.supervisor.stop()

    def settle(self) -> None:
        """Wait until nobody has anything to do."""
        before = -1
        while before != (before := self._progress()):
            with suppress(TypeError):
                self.supervisor.ask(Ping(), timeout=_DEADLINE)
            for player in list(self.players):
                player.await_quiet()

    def _progress(self) -> int:
        """Grows whenever somebody came, went, or was told something."""
        return sum(1 + len(one.told) + one.over.is_set() for one in self.players)

    # What is seen of them

    def playing(self, name: str) -> Player | None:
        """Who is reached under that name."""
        ref = self.floor.post.ref(name)
        found = [player for player in self.players if player.actor_ref == ref]
        return found[0] if found and ref is not None and ref.is_alive() else None

    def alive(self, name: str) -> list[Player]:
        """All incarnations of that name that have not ended."""
        return [one for one in self.players if one.name == name and one.actor_ref.is_alive()]
