"""How far this host's clock is from the broker's, by the Date that the broker's answers bear."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MOST = timedelta(seconds=1)
"""The farthest that the clocks may be apart: sessions are told, and sent in, to the second."""

_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Offset:
    """This host's clock is ahead of the broker's by `least` to `most` (negative: it is behind)."""

    least: timedelta
    most: timedelta

    def both(self, other: "Offset") -> "Offset | None":
        """What two answers admit together, None where they contradict each other."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        return Offset(least, most) if least <= most else None

    @property
    def words(self) -> str:
        """Why it is too much, empty where that is not certain."""
        if self.least > MOST:
            return f"at least {_tenths(self.least)} s ahead of Dhan's"
        if self.most < -MOST:
            return f"at least {_tenths(-self.most)} s behind Dhan's"
        return ""

    @property
    def good(self) -> bool:
        """Whether it is certain that it is not too much."""
        return self.least >= -MOST and self.most <= MOST


def _tenths(seconds: timedelta) -> str:
    """Rounded down, as no more than that is certain."""
    return f"{seconds // timedelta(milliseconds=100) / 10:.1f}"


def admitted(date: datetime, asked: datetime, answered: datetime) -> Offset:
    """What one answer admits. `date` is its Date, which tells whole seconds of the broker's clock;
    `asked` and `answered` are by this host's: somewhere between them the broker looked."""
    return Offset(asked - date - _STEP, answered - date)


@dataclass(frozen=True, slots=True)
class Offsets:
    """What all recent answers admit together. The more there are, the narrower that is, as they
    come at any part of a second.

    An answer that contradicts counts once the next one agrees with it: then the clock was set, or
    has drifted, and what came before says nothing any more. So no single answer does anything,
    the first one included. `words` say that it is too much; they stay until it is certain that it
    is not.
    """

    known: Offset | None = None
    doubt: Offset | None = None
    words: str = ""

    def heard(self, offset: Offset) -> "Offsets":
        """This with one more answer."""
        if self.known is not None and (both := self.known.both(offset)) is not None:
            return self._with(both)
        again = self.doubt.both(offset) if self.doubt is not None else None
        return replace(self, doubt=offset) if again is None else self._with(again)

    def _with(self, known: Offset) -> "Offsets":
        words = "" if known.good else self.words or known.words
        return Offsets(known, None, words)
