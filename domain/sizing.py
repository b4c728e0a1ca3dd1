"""How much of the leader's quantity a follower takes.

A rule answers with shares in whole lots. More rules come beside `Multiplier` by implementing
`Sizing`; nothing else in the house knows which rule a follower uses.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol


class Sizing(Protocol):
    """A follower's sizing rule."""

    def size(self, quantity: int, lot: int) -> int:
        """The follower's quantity in shares for the leader's, in whole lots, 0 for none."""
        ...

    @property
    def text(self) -> str:
        """The rule in words that `parse` reads back, as the ledger keeps it with each copy."""
        ...


@dataclass(frozen=True, slots=True)
class Multiplier:
    """The leader's quantity times a factor, rounded down to whole lots (scenario 8.7)."""

    factor: Fraction

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError(f"multiplier must be above 0, not {self.factor}")

    def size(self, quantity: int, lot: int) -> int:
        scaled = quantity * self.factor.numerator // self.factor.denominator
        return scaled // lot * lot

    @property
    def text(self) -> str:
        return f"multiplier {self.factor}"


def parse(text: str) -> Sizing:
    """The rule that wrote `text`. Raises ValueError for one that this version did not write."""
    rule, _, value = text.partition(" ")
    if rule != "multiplier":
        raise ValueError(f"sizing rule {rule!r} is not known to this version")
    try:
        return Multiplier(Fraction(value))
    except ZeroDivisionError:
        raise ValueError(f"sizing {text!r} divides by zero") from None


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
