"""What only time shows of a follower's copies, told to the operator: copies that lag, entries that
came too late, legs that stand alone."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from actors.following import Following
from domain.inputs import LegsAlone
from domain.legs import Alone
from domain.messages import Level
from domain.rules import FailedLeg

_MOST_LISTED = 5


class Lookout:
    """Looks at the copies of one follower now and then."""

    def __init__(self, following: Following) -> None:
        self._following = following

    def look(self, now: datetime) -> Iterator[LegsAlone]:
        """Tell what is late by now; the legs that are to be left, where the roster wants that."""
        book, alert = self._following.book, self._following.standing.alert
        for leader_id, how in book.lagging(now):
            alert(
                f"the copy of order {leader_id} lags: {how}",
                "see whether its price can still be had, and change or cancel it by hand if not",
                Level.WARNING,
            )
        if missed := book.missed():
            alert(
                f"came too late to be copied: {_listed(missed)}",
                "see python run.py copies --missed, and enter by hand if the price is still good",
                Level.WARNING,
            )
        for alone in self._following.legs.alone(now):
            yield from self._alone(alone)

    def _alone(self, alone: Alone) -> Iterator[LegsAlone]:
        following = self._following
        leaves = following.book.rules.failed_leg is FailedLeg.FLATTEN
        legs = alone.entries if leaves else ()
        fix = (
            "they are left: what is open is cancelled, what traded is exited"
            if legs
            else "close what stands, or enter by hand what failed; python run.py explain says why"
        )
        following.standing.alert(alone.words, fix, alone.level)
        if legs:
            yield LegsAlone(tuple(one.order.order_id for one in legs), alone.why)


def _listed(words: Sequence[str]) -> str:
    """The first few."""
    more = len(words) - _MOST_LISTED
    return "; ".join(words[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
