"""The trading floor: what every actor is given, and the base that all of them share."""

from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType

import pykka

from actors.clock import Clock
from actors.mailbox import Inbox
from actors.master import Master
from actors.post import SUPERVISOR, Post, tell
from actors.timer import Timer
from actors.turns import Turns
from dhan.wire import Wire


@dataclass(frozen=True, slots=True)
class Floor:
    """The few things that actors share: clocks, addresses, the timer, the wire to Dhan, the
    instrument master and the followers' turns."""

    clock: Clock
    post: Post
    timer: Timer
    wire: Wire
    master: Master
    turns: Turns = field(default_factory=Turns)


@dataclass(frozen=True, slots=True)
class Begin:
    """The actor's address is known to all: it may set up, and then answer what came early."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An actor runs no more: because it crashed, by the exception named `crash`, or as it was
    asked to."""

    name: str
    crash: str = ""


class FloorActor(pykka.ThreadingActor):
    """An actor with a name on the floor, whose supervisor hears of it when it ends.

    Subclasses set up in `begin`, release in `end` and answer messages in `receive`.
    """

    use_daemon_thread = True

    @staticmethod
    def _create_actor_inbox() -> Inbox:
        """Pykka's own is a Queue, whose every message costs some ten microseconds more."""
        return SimpleQueue()

    def __init__(self, name: str, floor: Floor) -> None:
        super().__init__()
        self.name = name
        self.floor = floor
        self._begun = False
        self._early: list[object] = []

    def begin(self) -> None:
        """Set up, in the actor's own thread."""

    def end(self) -> None:
        """Release what `begin` took, in the actor's own thread; called once, crash or not."""

    def receive(self, message: object) -> object:
        """Answer one message."""
        raise TypeError(f"{self.name} does not understand {type(message).__name__}")

    def later(self, seconds: float, message: object) -> None:
        """Tell this actor after some time; its next incarnation sets timers of its own."""
        ref = self.actor_ref
        self.floor.timer.after(seconds, lambda: tell(ref, message))

    def on_stop(self) -> None:
        self._over()

    def on_receive(self, message: object) -> object:
        if self._begun:
            return self.receive(message)
        if not isinstance(message, Begin):
            self._early.append(message)
            return None
        self.begin()
        self._begun = True
        early, self._early = self._early, []
        for waiting in early:
            self.receive(waiting)
        return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over(type(exception_value).__name__)

    def _over(self, crash: str = "") -> None:
        try:
            if self._begun:
                self._begun = False
                self.end()
        finally:
            self.floor.post.tell(SUPERVISOR, Ended(self.name, crash))
