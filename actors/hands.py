"""What a follower's decisions reach the world through."""

from datetime import datetime, timedelta
from typing import Protocol

from domain.copies import Copy
from domain.inputs import Input
from domain.steps import Request


class Hands(Protocol):
    """Notes, sends, and rings."""

    def note(self, told: Input, now: datetime) -> None:
        """Keep what is about to be taken, before anything that follows from it."""
        ...

    def send(
        self, copy: Copy, step: Request, heard_ns: int | None, now: datetime, waited: timedelta
    ) -> None:
        """Record the intent of the step, and then send its request. `copy` is as it was planned
        for; `heard_ns` is when what led to it came in, None for a timer; `waited` is how long it
        waited for a permit."""
        ...

    def ring(self, leader_id: str, after: timedelta) -> None:
        """Have `Rang` taken after that time."""
        ...
