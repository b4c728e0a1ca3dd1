"""What the ledger tells a follower that starts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.built import Built
from domain.copies import Copy
from domain.inputs import Restored
from domain.orders import Order
from ledger.built import (
    Holding,
    built_by_copies,
    built_by_leader,
    copied_orders,
    made_orders,
    without,
)
from ledger.halts import standing_halt
from ledger.history import MEMORY, Rows, copies_of, leader_orders
from ledger.leaders import last_day
from ledger.losses import loss_of

_ANEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Old:
    """What was built by copies that nothing happened to since `since`, of each follower, and by
    leader orders that did not change since `day` began."""

    since: datetime
    day: datetime
    mine: Mapping[str, Mapping[Holding, int]]
    leader: Mapping[Holding, int]


class Memory:
    """Keeps for a day what old orders built: looking that up reads all that was ever placed."""

    def __init__(self, ledger: Rows) -> None:
        self._ledger = ledger
        self._old: _Old | None = None

    def restored(self, follower: str, now: datetime) -> Restored:
        """A follower's copies of the last days with the leader's orders of them and of its last
        day, what all others built, and its last loss of a day. Raises what `rows` raises, and
        ValueError for rows that this version cannot have written."""
        old = self._looked_up(now)
        copies = copies_of(self._ledger, follower, old.since)
        latest = leader_orders(self._ledger, old.day)
        earlier = self._earlier(follower, copies, old)
        built = _built(without(old.leader, earlier), old.mine.get(follower, {}))
        placed = {copy.leader_order_id for copy in copies if copy.attempts}
        made = made_orders(self._ledger, follower, old.since)
        orders = (*earlier, *latest, *(one for one in made if one.order_id in placed))
        halt = standing_halt(self._ledger, follower)
        loss = loss_of(self._ledger, follower)
        asked, done = (halt.asked, halt.done) if halt else (None, False)
        return Restored(tuple(copies), orders, tuple(built), loss, asked, done)

    def _looked_up(self, now: datetime) -> _Old:
        since = now - MEMORY
        if self._old is None or since - self._old.since > _ANEW:
            day = last_day(self._ledger) or now
            mine = built_by_copies(self._ledger, since)
            self._old = _Old(since, day, mine, built_by_leader(self._ledger, day))
        return self._old

    def _earlier(self, follower: str, copies: Sequence[Copy], old: _Old) -> list[Order]:
        """The leader's orders of copies that were placed, of before its last day."""
        placed = {copy.leader_order_id for copy in copies if copy.attempts}
        return [
            order
            for order in copied_orders(self._ledger, follower, old.since)
            if order.order_id in placed and order.stamp.updated_at < old.day
        ]


def _built(leader: Mapping[Holding, int], mine: Mapping[Holding, int]) -> Iterator[Built]:
    for holding in dict.fromkeys((*leader, *mine)):
        instrument, product = holding
        theirs, ours = leader.get(holding, 0), mine.get(holding, 0)
        if theirs or ours:
            yield Built(instrument, product, theirs, ours)
