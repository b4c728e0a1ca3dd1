"""The roster's sizing rules: from what a follower should take to the `Sizing` of one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction

from domain.instruments import Segment
from domain.orders import Side
from domain.sizing import Bounded, Fixed, Multiplier, Rounding, Sizing, Unsized

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """What a rule may need to know of an order that opens a position: the leader's quantity
    (shares), the price it is about (paise; None while nobody told one), and the capital (paise) of
    both accounts, None while it is not known."""

    quantity: int
    side: Side
    option: bool
    price: int | None
    mine: int | None
    leaders: int | None


@dataclass(frozen=True, slots=True)
class CapitalShare:
    """The leader's quantity, in the proportion of both accounts' capital."""

    rounding: Rounding = Rounding.DOWN

    @property
    def text(self) -> str:
        """The rule in words."""
        return "in proportion to capital"


@dataclass(frozen=True, slots=True)
class RiskShare:
    """As much as loses `percent` of the follower's capital when the price moves by `stop_percent`
    against it, or, for an option that is bought, when all of its premium is lost."""

    percent: Fraction
    stop_percent: Fraction
    rounding: Rounding = Rounding.DOWN

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"{float(self.percent):g} % of capital at risk"


Share = Multiplier | Fixed | CapitalShare | RiskShare


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one copy takes at least and at most (shares), and the most that it may be worth, in
    percent of the follower's capital; None for no limit."""

    least: int | None = None
    most: int | None = None
    ceiling: Fraction | None = None


_UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Override:
    """Another share for what is traded in these segments (none: in any) under these symbols or
    underlyings (patterns with * and ?; none: under any)."""

    share: Share
    bounds: Bounds = _UNBOUNDED
    segments: tuple[Segment, ...] = ()
    symbols: tuple[str, ...] = ()

    def covers(self, segment: Segment, names: Sequence[str]) -> bool:
        """Whether it is about an instrument of the segment that goes by one of these names."""
        if self.segments and segment not in self.segments:
            return False
        patterns = self.symbols
        return not patterns or any(fnmatchcase(one, p) for one in names for p in patterns)


def sized(share: Share, bounds: Bounds, entry: Entry) -> Sizing:
    """The sizing of an order that opens a position, `Unsized` where something is missing for it."""
    sizing, most = _shared(share, entry), bounds.most
    if isinstance(sizing, Unsized) or bounds == _UNBOUNDED:
        return sizing
    if bounds.ceiling is not None:
        if not entry.price or entry.mine is None:
            return Unsized("funds" if entry.price else "price")
        worth = int(bounds.ceiling * max(0, entry.mine) / _HUNDRED / entry.price)
        most = worth if most is None else min(most, worth)
    return Bounded(sizing, bounds.least, most)


def _shared(share: Share, entry: Entry) -> Sizing:
    match share:
        case CapitalShare(rounding):
            if entry.mine is None or not entry.leaders:
                return Unsized("funds")
            return _times(Fraction(entry.mine, entry.leaders), rounding, "capital")
        case RiskShare(percent, stop_percent, rounding):
            if entry.mine is None or not entry.price:
                return Unsized("funds" if entry.price else "price")
            whole = entry.option and entry.side is Side.BUY
            risk = Fraction(entry.price) if whole else entry.price * stop_percent / _HUNDRED
            shares = percent * entry.mine / _HUNDRED / risk
            return _times(shares / entry.quantity, rounding, "risk")
        case _:
            return share


_LEAST_FACTOR = Fraction(1, 10**12)


def _times(factor: Fraction, rounding: Rounding, why: str) -> Multiplier:
    """A multiplier, also for an account without any capital: next to nothing of anything."""
    return Multiplier(max(factor, _LEAST_FACTOR), rounding, why)
