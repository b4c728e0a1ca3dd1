"""Exits: orders of the leader that make a position smaller take the same part of the follower's.

So a follower who holds the copied position ends flat when the leader does, whatever was rounded
away on the way in or out.
"""

from dataclasses import dataclass

from domain.attempts import Attempt
from domain.copies import Copy
from domain.sizing import Exit, Sizing
from domain.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Stake:
    """What there is to leave: `held` shares of a position, of which earlier exit orders that are
    open will take `leaving`."""

    held: int = 0
    leaving: int = 0

    @property
    def free(self) -> int:
        """What no open order leaves yet."""
        return max(0, self.held - self.leaving)


def leaving(quantity: int, leader: Stake, there: Stake, due: Stake, entry: Sizing) -> Sizing:
    """The sizing of a leader order for so many shares, where the leader holds a position on the
    other side; `entry` is that of an order that opens one. The follower's stake is `there` by now,
    and `due` once the copies have caught up.

    An order for more than what other exits leave over stands beside them, as a target beside a
    stop: whichever trades, takes the whole position.
    """
    if leader.held < 1:
        return entry
    beside = quantity > leader.free
    of = leader.held if beside else leader.free
    mine, most = (there.held, due.held) if beside else (there.free, due.free)
    mine = max(0, mine)
    return Exit(mine, of, entry, max(0, most - mine))


def within(
    want: Wanted, copy: Copy, attempt: Attempt | None, most: int | None, lot: int
) -> Wanted | None:
    """What an exit may have now of what is wanted, in whole lots, where its `copy` may come to
    `most` shares in all (None for any number): no less than stands already in `attempt` (None
    where nothing does), and None for nothing yet."""
    if most is None:
        return want
    stands = attempt.asked.quantity if attempt is not None else 0
    others = copy.filled + copy.rest - stands
    room = max(stands, (most - others) // lot * lot)
    return want.at_most(room) if room > 0 else None
