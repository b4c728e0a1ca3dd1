"""What a follower's decisions reach the world through."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.copies import Copy
from domain.inputs import Input
from domain.steps import Request


@dataclass(frozen=True, slots=True)
class Timing:
    """When what led to a request came in (`heard_ns`, None for a timer), how long the request
    waited for a permit, and the slot before which it may not leave. Instants are monotonic, in
    nanoseconds."""

    heard_ns: int | None = None
    waited: timedelta = timedelta(0)
    slot: int = 0


class Hands(Protocol):
    """Notes, sends, and rings."""

    def note(self, told: Input, now: datetime) -> None:
        """Keep what is about to be taken, before anything that follows from it."""
        ...

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        """Record the intent of the step, and then send its request. `copy` is as it was planned
        for."""
        ...

    def recall(self, leader_id: str | None = None) -> None:
        """Call back what waits for its slot, of that copy or (None) of any. What leaves all the
        same is answered like every other request."""
        ...

    def make_way(self, urgent: int, exits: Callable[[str], bool]) -> None:
        """Call back as many placements as there are `urgent` requests without a permit, of what
        `exits` last."""
        ...

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Have `Rang` taken after that time."""
        ...


class HoldingNothing:
    """The part of hands that hold nothing back, so that there is nothing to be called back."""

    __slots__ = ()

    def recall(self, leader_id: str | None = None) -> None:
        """Nothing waits."""

    def make_way(self, urgent: int, exits: Callable[[str], bool]) -> None:
        """Nothing is in the way."""
