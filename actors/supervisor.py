"""The Supervisor: starts the actors in order, restarts what crashes, parks what keeps crashing.

One for one: an actor that crashes is started again by itself, after a pause that grows, from
what the ledger kept. Only the ledger takes others with it: what they had told it is lost, and
what came of that they find out as at any start. A follower that crashes too often is parked and
the rest goes on. Trading safely is impossible without the ledger, the limiter or the reading of
the leader's book, so that the process must end; without the rest it is only slower or blind, and
they are tried again and again.

Under one name there is never more than one incarnation: the next starts when the last has ended.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pykka

from actors.board import Roster
from actors.floor import Begin, Ended, Floor, FloorActor
from actors.ledger import Record
from actors.patience import Crashes, Patience
from actors.post import (
    BOARD,
    FOLLOWER,
    LEDGER,
    LIMITER,
    RECOVERY,
    SUPERVISOR,
    Ref,
    follower_name,
)
from actors.settings import FollowerSettings
from actors.upkeep import BoardRestarted, Configured, LimiterRestarted
from domain.messages import Alert, Level, MoodChanged
from domain.rules import Mood

logger = logging.getLogger(__name__)

StartActor = Callable[[], Ref]
StartFollower = Callable[[FollowerSettings], Ref]

_ESSENTIAL = frozenset({LEDGER, LIMITER, RECOVERY})
_STOP_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Started:
    """Asks that an actor be started and kept running."""

    name: str
    start: StartActor


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """The followers are these from now on."""

    followers: tuple[FollowerSettings, ...]


@dataclass(frozen=True, slots=True)
class StopChildren:
    """Asks that these children be stopped, side by side, and that none be started any more."""

    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Child:
    """An actor to be kept running. `ref` is the incarnation that has not ended yet, and `leaving`
    whether it was asked to; `wanted` is whether another follows, `parked` why none does."""

    name: str
    start: StartActor
    crashes: Crashes
    ref: Ref | None = None
    leaving: bool = False
    wanted: bool = True
    parked: MoodChanged | None = None


@dataclass(frozen=True, slots=True)
class _StartAgain:
    """The pause of a child that crashed is over."""

    child: _Child


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
                self._begin_anew(name, start)
            case Ended():
                self._child_ended(message)
            case _StartAgain(child):
                self._start_again(child)
            case RosterChanged(followers):
                self._roster(followers)
            case StopChildren(names):
                self._stopping = True
                return self._stop_all(names)
            case _:
                super().receive(message)
        return None

    def end(self) -> None:
        if not self._stopping:
            self._fatal("the supervisor ended before the others did")

    # One child's life

    def _begin_anew(self, name: str, start: StartActor) -> None:
        """Have an actor run that has never crashed, as soon as its last incarnation has ended."""
        before = self._children.get(name)
        child = _Child(name, start, Crashes(self._patience), ref=before.ref if before else None)
        self._children[name] = child
        if child.ref is None:
            self._run(child)
        else:
            self._end(child)

    def _run(self, child: _Child) -> None:
        if self._stopping:
            return
        try:
            ref = child.start()
        except Exception as trouble:
            logger.exception("%s cannot be started", child.name)
            self._crashed(child, type(trouble).__name__)
            return
        child.ref, child.leaving = ref, False
        self.floor.post.register(child.name, ref)
        ref.tell(Begin())

    def _end(self, child: _Child) -> None:
        """Ask the incarnation to end, once it has answered what waits in its mailbox."""
        self.floor.post.remove(child.name)
        child.leaving = True
        if child.ref is not None:
            child.ref.stop(block=False)

    def _child_ended(self, ended: Ended) -> None:
        child = self._children.get(ended.name)
        if child is None:
            return
        child.ref = None
        self.floor.post.remove(child.name)
        if not child.wanted:
            del self._children[child.name]
        elif child.leaving:
            self._run(child)
        elif not self._stopping:
            self._crashed(child, ended.crash or "it ended unasked")

    def _crashed(self, child: _Child, crash: str) -> None:
        pause = child.crashes.another(self.floor.clock.ns() / 1e9)
        if pause is None:
            pause = self._too_often(child, crash)
        if pause is not None:
            logger.error("%s crashed (%s), it is started again in %.1f s", child.name, crash, pause)
            self.later(pause, _StartAgain(child))

    def _start_again(self, child: _Child) -> None:
        if self._children.get(child.name) is not child or self._stopping:
            return
        self._run(child)
        self._catch_up(child.name)

    def _catch_up(self, name: str) -> None:
        """Have the others tell or find out again what an actor lost with its memory."""
        post = self.floor.post
        if name == LIMITER:
            post.tell_followers(LimiterRestarted())
        elif name == BOARD:
            post.tell(BOARD, Roster(tuple(self._settings)))
            post.tell(RECOVERY, BoardRestarted())
            post.tell_followers(BoardRestarted())
            self._tell_parked()
        elif name == LEDGER:
            self._tell_parked()
            for child in self._children.values():
                if child.ref is not None and (child.name == RECOVERY or _follows(child.name)):
                    self._end(child)

    # When it crashes too often

    def _too_often(self, child: _Child, crash: str) -> float | None:
        """The pause before even this actor is started again, None when it is not."""
        what = f"crashed {self._patience.limit + 1} times within {self._patience.within:.0f} s"
        if _follows(child.name):
            self._park(child, what, crash)
            return None
        if child.name in _ESSENTIAL:
            self._fatal(f"the {child.name} actor {what} ({crash})")
            return None
        self._alert(
            f"the {child.name} actor {what} ({crash})",
            child.name,
            "look at the log; copying goes on without it, and it is tried again every "
            f"{self._patience.within:.0f} s",
        )
        return self._patience.within

    def _park(self, child: _Child, what: str, crash: str) -> None:
        follower = child.name.removeprefix(FOLLOWER)
        child.parked = MoodChanged(follower, Mood.PARKED, what)
        self.floor.post.tell(BOARD, child.parked)
        self._alert(
            f"parked: it {what} ({crash})",
            follower,
            "look at the log, then pause and resume it; its open orders are as they were",
        )

    def _tell_parked(self) -> None:
        for child in self._children.values():
            if child.parked is not None:
                self.floor.post.tell(BOARD, child.parked)

    def _alert(self, what: str, where: str, fix: str) -> None:
        logger.critical("%s: %s", where, what)
        alert = Alert(Level.ERROR, what, where, fix)
        self.floor.post.tell(BOARD, alert)
        self.floor.post.tell(LEDGER, Record(alert))

    # The followers

    def _roster(self, followers: Sequence[FollowerSettings]) -> None:
        before = self._settings
        self._settings = {settings.name: settings for settings in followers}
        self.floor.post.tell(BOARD, Roster(tuple(self._settings)))
        for name in before:
            if name not in self._settings:
                self._remove(name)
        for name, settings in self._settings.items():
            if before.get(name) != settings:
                self._configure(before.get(name), settings)

    def _configure(self, before: FollowerSettings | None, now: FollowerSettings) -> None:
        """Tell a follower that runs of its settings (one that waits is started with them); one
        that is new, parked, or whose connections change begins anew."""
        name = follower_name(now.name)
        child = self._children.get(name)
        if before is None or child is None or child.parked or not _same_wires(before, now):
            self._begin_anew(name, lambda: self._start_follower(self._settings[now.name]))
        else:
            self.floor.post.tell(name, Configured(now))

    def _remove(self, follower: str) -> None:
        logger.warning("%s is removed; its open orders stay as they are", follower)
        child = self._children[follower_name(follower)]
        child.wanted = False
        if child.ref is None:
            del self._children[child.name]
        else:
            self._end(child)

    # The end

    def _stop_all(self, names: Sequence[str]) -> bool:
        """Stop the children side by side; whether all of them ended in time."""
        children = [child for name in names if (child := self._children.get(name)) is not None]
        for child in children:
            self.floor.post.remove(child.name)
        return end_all([child.ref for child in children if child.ref is not None])


def end_all(refs: Iterable[Ref]) -> bool:
    """Ask actors to end, and wait for a moment; whether all of them did."""
    deadline = time.monotonic() + _STOP_SECONDS
    ended = True
    for ending in [ref.stop(block=False) for ref in refs]:
        try:
            ending.get(timeout=max(0.0, deadline - time.monotonic()))
        except pykka.Timeout:
            ended = False
    return ended


def _follows(name: str) -> bool:
    return name.startswith(FOLLOWER)


def _same_wires(one: FollowerSettings, other: FollowerSettings) -> bool:
    return (one.address, one.feed) == (other.address, other.feed)
