"""The leader's trades, read after a sweep of its order book: what exactly was traded, and for how
much, where the book says too little. No sweep ever waits for them."""

import logging
from dataclasses import dataclass

from actors.answers import Answers, telling
from actors.floor import Floor
from actors.post import RECOVERY
from dhan.codec.rest import totals, trades
from dhan.requests import Requests
from dhan.wire import Answer, Call, Line

logger = logging.getLogger(__name__)

_GAP_NS = 2_000_000_000
_TIMEOUT = 10.0
_URGENCY = 4


@dataclass(frozen=True, slots=True)
class TradesAnswered:
    """The answer to a request for the leader's trades."""

    answer: Answer


class LeaderTrades:
    """Asks for the trades at most every two seconds, far less often than Dhan allows (20 reads a
    second), and reads them. `wanted` has them read after the next sweep."""

    def __init__(self, floor: Floor, line: Line, client_id: str) -> None:
        self._floor, self._line = floor, line
        self._requests = Requests(client_id)
        self.wanted = True
        self._asking = False
        self._asked_ns: int | None = None
        self._answers = Answers(logger, "The leader's trades cannot be read")

    def look(self, needed: bool) -> None:
        """Ask for them if they are wanted or `needed`."""
        now_ns = self._floor.clock.ns()
        early = self._asked_ns is not None and now_ns - self._asked_ns < _GAP_NS
        if self._asking or early or not (self.wanted or needed):
            return
        self._asking, self.wanted, self._asked_ns = True, False, now_ns
        deliver = telling(self._floor.post, RECOVERY, TradesAnswered)
        call = Call(self._line, self._requests.trades(), _TIMEOUT, deliver, _URGENCY)
        self._floor.wire.dispatch([call])

    def read(self, told: TradesAnswered) -> dict[str, tuple[int, int]]:
        """The shares that traded of each order, and what they cost in paise; none where the
        answer cannot be read, and then they are asked for again."""
        self._asking = False
        read = self._answers.read(told.answer, trades)
        if read is None:
            self.wanted = True
            return {}
        found, junk = read
        for skipped in junk:
            logger.warning("Skipped %s of the leader: %s", skipped.excerpt, skipped.reason)
        return totals(found)
