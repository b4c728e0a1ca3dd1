"""What is decided only once the account's own order book was read.

Fills that happened while nobody listened are not known before, so that an order which leaves a
position may look like one that opens another. That it is too old for that, the market closed, or
the follower paused or halted, is said only by a book asked for after the order was heard of. And
after a start with outcomes that are not known, one book is read before anything but a cancel is
sent.
"""

from datetime import UTC, datetime

from domain.copies import Skipped
from domain.steps import Modify, Place, Skip, Step

_OF_ENTRIES = (Skipped.STALE, Skipped.PAUSED, Skipped.HALTED, Skipped.MARKET_CLOSED)
_EVER = datetime.min.replace(tzinfo=UTC)  # nobody told of what Lockstep makes itself


class Unread:
    """Leader orders that wait for the account's order book, since a start. `asks` is whether one
    began to wait for a book that was not asked for yet."""

    def __init__(self) -> None:
        self._read_at: datetime | None = None
        self._heard_at: dict[str, datetime] = {}
        self._waiting: dict[str, None] = {}
        self.asks = False

    @property
    def awaited(self) -> bool:
        """Whether a book would change something by being read, whatever is in it."""
        return self._read_at is None or bool(self._waiting)

    def heard(self, leader_id: str, now: datetime) -> None:
        """Note when an order was first heard of."""
        self._heard_at.setdefault(leader_id, now)

    def before(self, leader_id: str, step: Step, unresolved: bool) -> bool:
        """Whether a book is to be read before the step is taken; the order waits then.
        `unresolved` is whether the outcome of any request is unknown."""
        match step:
            case Skip(reason) if reason in _OF_ENTRIES:
                waits = self._read_at is None or self._read_at <= self._heard_at.get(
                    leader_id, _EVER
                )
            case Place() | Modify():
                waits = self._read_at is None and unresolved
            case _:
                waits = False
        if waits and leader_id not in self._waiting:
            self._waiting[leader_id] = None
            self.asks = True
        return waits

    def read(self, asked_at: datetime) -> list[str]:
        """Note that a book asked for at that instant was read; the orders that waited for one."""
        self._read_at = asked_at
        waiting, self._waiting = list(self._waiting), {}
        return waiting
