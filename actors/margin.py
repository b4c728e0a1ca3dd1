"""Has what entries wait for looked up: the account's funds, and margins by Dhan's calculator."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.account import Account
from actors.answers import Answers, telling
from actors.capital import CapitalWatch
from actors.floor import Floor
from dhan.codec.funds import margin
from dhan.requests import Requests
from dhan.wire import Answer, Call
from domain.funds import Funds, MarginTold, Trade

logger = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=5)
_TIMEOUT = 5.0
_URGENCY = 3


@dataclass(frozen=True, slots=True)
class MarginAnswered:
    """The answer to a request for the margin of so many shares at a price (paise)."""

    answer: Answer
    trade: Trade
    quantity: int
    price: int
    asked_at: datetime


class MarginWatch:
    """Asks for what a follower's entries want to know; answers reach the actor `name`."""

    def __init__(
        self, floor: Floor, name: str, account: Account, capital: CapitalWatch, funds: Funds
    ) -> None:
        self._floor, self._name = floor, name
        self._line, self._requests = account.line, Requests(account.client_id)
        self._capital, self._funds = capital, funds
        self._asked: dict[Trade, datetime] = {}
        self._answers = Answers(logger, f"Dhan tells {name} no margin")

    def look(self) -> None:
        """Ask for what is wanted now; for a margin not again before the answer had its time."""
        wanted, self._funds.wanted = self._funds.wanted, {}
        if not wanted and not self._funds.waiting:
            return
        now = self._floor.clock.now()
        if self._funds.waiting:
            self._capital.hurry(now)
        for trade, (quantity, price) in wanted.items():
            if trade not in self._asked or now - self._asked[trade] >= _AGAIN:
                self._asked[trade] = now
                self._ask(trade, quantity, price, now)

    def told(self, message: MarginAnswered) -> list[MarginTold]:
        """The margin, where the answer can be read."""
        found = self._answers.read(message.answer, margin)
        if found is None:
            return []
        trade, quantity, price = message.trade, message.quantity, message.price
        return [MarginTold(trade, quantity, price, found, message.asked_at)]

    def _ask(self, trade: Trade, quantity: int, price: int, now: datetime) -> None:
        request = self._requests.margin(trade, quantity, price)
        deliver = telling(
            self._floor.post,
            self._name,
            lambda answer: MarginAnswered(answer, trade, quantity, price, now),
        )
        self._floor.wire.dispatch([Call(self._line, request, _TIMEOUT, deliver, _URGENCY)])
