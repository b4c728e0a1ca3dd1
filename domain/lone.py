"""What the copies of legs that stand alone hold still, among all that is held of an instrument."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trade:
    """What one copy traded (shares, signed); `lone` is whether it is a leg that is to be left, or
    was made to leave such."""

    shares: int
    lone: bool = False


def lone_shares(before: int, trades: Iterable[Trade]) -> int:
    """What is left (shares, signed) of the legs that stand alone, after `trades` in the order in
    which they were sent, where `before` was held already.

    Any other exit takes from what else is held first, and from the legs where there is nothing
    else: those that come after a leg is to be left are not sized by it, and an exit that was
    sized by it can only have come before.
    """
    others, lone = before, 0
    for one in trades:
        if one.lone:
            lone += one.shares
        else:
            others += one.shares
        if others * lone < 0:
            taken = min(abs(others), abs(lone)) * (1 if lone > 0 else -1)
            others, lone = others + taken, lone - taken
    return lone
