"""How much of the leader's quantity a follower takes.

A rule of the roster (`domain.sizes`) becomes a `Sizing` when a copy is first placed. That stays
with the copy, so that modifications rescale by the rule that placed it (scenario 2.1), whatever
prices, funds and the roster are by then. Quantities are shares, in whole lots.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol


class Sizing(Protocol):
    """What a copy takes of the leader's order."""

    def size(self, quantity: int, lot: int) -> int:
        """The follower's quantity for the leader's, 0 for none."""
        ...

    def part(self, filled: int, quantity: int, lot: int) -> int:
        """The follower's part of an order of which the leader got `filled` of `quantity`, never
        more than `size(quantity)`."""
        ...

    @property
    def text(self) -> str:
        """The rule in words that `parse` reads back, as the ledger keeps it with each copy."""
        ...


class Rounding(StrEnum):
    """What becomes of a part of a lot. ONE_LOT rounds down, but takes one lot where that would
    leave nothing (scenario 8.7)."""

    DOWN = "down"
    NEAREST = "nearest"
    ONE_LOT = "one_lot"

    def lots(self, quantity: int, parts: int) -> int:
        """So many `parts` of a lot in whole lots, in whole numbers: this is on the way of every
        order."""
        whole, rest = divmod(quantity, parts)
        if self is Rounding.NEAREST:
            return whole + (2 * rest >= parts)
        if self is Rounding.ONE_LOT and quantity > 0:
            return max(1, whole)
        return whole


@dataclass(frozen=True, slots=True)
class Multiplier:
    """The leader's quantity times a factor. `why` says where the factor comes from, in one word,
    if not from the roster."""

    factor: Fraction
    rounding: Rounding = Rounding.DOWN
    why: str = ""

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError(f"multiplier must be above 0, not {self.factor}")

    def size(self, quantity: int, lot: int) -> int:
        factor = self.factor
        return self.rounding.lots(quantity * factor.numerator, factor.denominator * lot) * lot

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return self.size(min(filled, quantity), lot)

    @property
    def text(self) -> str:
        words = [f"multiplier {self.factor}"]
        if self.rounding is not Rounding.DOWN:
            words.append(f"rounded {self.rounding}")
        if self.why:
            words.append(f"by {self.why}")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same quantity for every order: so many shares, or so many lots."""

    quantity: int
    in_lots: bool = False

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"a fixed quantity must be above 0, not {self.quantity}")

    def size(self, quantity: int, lot: int) -> int:
        if quantity <= 0:
            return 0
        return self.quantity * lot if self.in_lots else self.quantity // lot * lot

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return _proportion(self.size(quantity, lot), filled, quantity, lot)

    @property
    def text(self) -> str:
        return f"{'lots' if self.in_lots else 'quantity'} {self.quantity}"


@dataclass(frozen=True, slots=True)
class Bounded:
    """Another sizing with the least and the most (shares) that a copy of one order takes, None
    for no limit. What is less than `least` is raised to it, in whole lots; nothing stays nothing.
    The most outranks the least."""

    inner: Sizing
    least: int | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        for bound in (self.least, self.most):
            if bound is not None and bound < 0:
                raise ValueError(f"a bound must not be under 0, not {bound}")

    def size(self, quantity: int, lot: int) -> int:
        return self._within(self.inner.size(quantity, lot), lot)

    def part(self, filled: int, quantity: int, lot: int) -> int:
        part = self._within(self.inner.part(filled, quantity, lot), lot)
        return min(part, self.size(quantity, lot))

    @property
    def text(self) -> str:
        least = "" if self.least is None else f"least {self.least} "
        most = "" if self.most is None else f"most {self.most} "
        return f"bounds {least}{most}of {self.inner.text}"

    def _within(self, size: int, lot: int) -> int:
        if size and self.least is not None:
            size = max(size, -(-self.least // lot) * lot)
        return size if self.most is None else min(size, self.most // lot * lot)


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit of the leader from a position of `leaders` shares, for a follower who holds `mine`
    of it: the same part, rounded down to whole lots, and all of it where the leader leaves nothing
    behind. What goes beyond the position opens another one, sized by `beyond`.

    While copies of entries have not got all yet, `to_come` are the shares that they still may get:
    the exit grows with them, and never leaves what is not there.
    """

    mine: int
    leaders: int
    beyond: Sizing
    to_come: int = 0

    def __post_init__(self) -> None:
        if self.mine < 0 or self.leaders < 1 or self.to_come < 0:
            raise ValueError(f"an exit of {self.mine} for {self.leaders} shares")

    @property
    def eventual(self) -> "Exit":
        """The exit once all has come."""
        return Exit(self.mine + self.to_come, self.leaders, self.beyond) if self.to_come else self

    def within(self, rest: int, quantity: int) -> "Exit":
        """The exit where nobody else left more than the `rest` to it, for so many of the leader's
        shares; what it lacks is still to come."""
        leaving = max(1, min(quantity, self.leaders))
        mine = min(self.mine, -(-rest * self.leaders // leaving))
        return Exit(mine, self.leaders, self.beyond, self.to_come + self.mine - mine)

    def leaves(self, quantity: int, lot: int) -> int:
        """What the follower leaves of the position for so many of the leader's shares."""
        return _proportion(self.mine, min(quantity, self.leaders), self.leaders, lot)

    def size(self, quantity: int, lot: int) -> int:
        beyond = quantity - self.leaders
        more = self.beyond.size(beyond, lot) if beyond > 0 else 0
        return self.leaves(quantity, lot) + more

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return self.size(min(filled, quantity), lot)

    @property
    def text(self) -> str:
        more = f"{self.to_come} to come, " if self.to_come else ""
        return f"exit {self.mine} of {self.leaders}, {more}beyond {self.beyond.text}"


@dataclass(frozen=True, slots=True)
class Unsized:
    """Nothing yet, because something is `missing` that the follower's rule cannot do without."""

    missing: str

    def size(self, quantity: int, lot: int) -> int:
        return 0

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return 0

    @property
    def text(self) -> str:
        return f"unsized {self.missing}"


def parse(text: str) -> Sizing:
    """The sizing that wrote `text`. Raises ValueError for one that this version did not write."""
    kind, *words = text.split(" ")
    try:
        match kind, words:
            case "multiplier", [factor, *more]:
                said = _pairs(more, "rounded", "by")
                rounding = Rounding(said.get("rounded", "down"))
                return Multiplier(Fraction(factor), rounding, said.get("by", ""))
            case "unsized", [missing]:
                return Unsized(missing)
            case "lots" | "quantity", [number]:
                return Fixed(int(number), kind == "lots")
            case "bounds", [*bounds, _] if "of" in bounds:
                at = bounds.index("of")
                said = _pairs(words[:at], "least", "most")
                least, most = (int(said[n]) if n in said else None for n in ("least", "most"))
                return Bounded(parse(" ".join(words[at + 1 :])), least, most)
            case "exit", [mine, "of", leaders, "beyond", *beyond]:
                return Exit(int(mine), int(leaders.rstrip(",")), parse(" ".join(beyond)))
            case "exit", [mine, "of", leaders, coming, "to", "come,", "beyond", *beyond]:
                most = int(leaders.rstrip(","))
                return Exit(int(mine), most, parse(" ".join(beyond)), int(coming))
    except (ValueError, ZeroDivisionError) as wrong:
        raise ValueError(f"sizing {text!r} cannot be read: {wrong}") from None
    raise ValueError(f"sizing rule {kind!r} is not known to this version")


def _pairs(words: list[str], *known: str) -> dict[str, str]:
    said = dict(zip(words[::2], words[1::2], strict=True))
    if unknown := said.keys() - set(known):
        raise ValueError(f"{min(unknown)!r} is not known to this version")
    return said


def _proportion(whole: int, filled: int, quantity: int, lot: int) -> int:
    """The part of `whole` for `filled` of `quantity`, in whole lots but for the last of it."""
    if filled >= quantity:
        return whole
    return whole * filled // quantity // lot * lot


def disclose(disclosed: int, quantity: int, scaled: int, lot: int) -> int:
    """The disclosed part of a scaled order, in shares (scenario 1.5.1).

    The leader's ratio is kept, rounded up to a lot, never under the broker's floor of 30 %
    (Dhan's documentation: above 30 %) and never above the quantity; 0 discloses everything.
    """
    if disclosed <= 0 or scaled <= 0 or disclosed >= quantity:
        return 0
    ratio = max(Fraction(disclosed, quantity), Fraction(3, 10))
    lots = scaled * ratio / lot
    part = (
        (lots.numerator // lots.denominator + 1) * lot if lots.denominator > 1 else int(lots) * lot
    )
    if part * 10 <= scaled * 3:
        part += lot
    return 0 if part >= scaled else part
