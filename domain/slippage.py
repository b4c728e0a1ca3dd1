"""What a copy cost against the leader's own fills (scenario 4.4)."""

from dataclasses import dataclass
from fractions import Fraction

from domain.orders import Side


@dataclass(frozen=True, slots=True)
class Slippage:
    """Positive is worse for the follower: `paise` on all of its fills, and basis points of the
    leader's average price."""

    paise: int
    basis_points: float


def slippage(
    side: Side, leader_value: int, leader_filled: int, value: int, filled: int
) -> Slippage | None:
    """The slippage of `filled` shares that cost `value` paise against the leader's average;
    None while either has no fills."""
    if leader_filled <= 0 or filled <= 0 or leader_value <= 0:
        return None
    fair = Fraction(leader_value * filled, leader_filled)
    worse = value - fair if side is Side.BUY else fair - value
    return Slippage(round(worse), round(float(worse / fair * 10_000), 2))
