"""The funds of accounts: capital, for followers whose size depends on it, and free cash, for those
who check what they can pay."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.answers import Answers, telling
from actors.floor import Floor
from actors.post import RECOVERY, follower_name
from dhan.codec.funds import capital
from dhan.codec.rest import funds
from dhan.requests import Requests
from dhan.wire import Answer, Call, Line
from domain.funds import FreeCash
from domain.inputs import CapitalFound
from domain.rules import Rules

logger = logging.getLogger(__name__)

_EVERY = timedelta(seconds=60)
_SOON = timedelta(seconds=2)
_AT_ONCE = timedelta(seconds=0.3)
_TIMEOUT = 10.0
_URGENCY = 4


@dataclass(frozen=True, slots=True)
class FundsAnswered:
    """The answer to a request for an account's funds."""

    answer: Answer
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class LeaderCapitalWanted:
    """A follower asks how large the leader's account is."""

    follower: str


@dataclass(frozen=True, slots=True)
class LeaderCapital:
    """The leader's capital in paise."""

    capital: int


class Purse:
    """Reads the funds of one account over a line of it; the answer reaches the actor `name`."""

    def __init__(self, floor: Floor, line: Line, client_id: str, name: str) -> None:
        self._floor, self._line, self._name = floor, line, name
        self._request = Requests(client_id).funds()
        self._answers = Answers(logger, f"The funds for {name} cannot be read")

    def ask(self) -> None:
        """Ask for the funds."""
        asked_at = self._floor.clock.now()
        deliver = telling(self._floor.post, self._name, lambda one: FundsAnswered(one, asked_at))
        self._floor.wire.dispatch([Call(self._line, self._request, _TIMEOUT, deliver, _URGENCY)])

    def read(self, told: FundsAnswered) -> int | None:
        """The capital in paise, None where the answer cannot be read."""
        return self._answers.read(told.answer, capital)


class CapitalWatch:
    """Asks for the funds of a follower's account, and for the capital of the leader's, every minute
    while the follower's rules need them."""

    def __init__(self, floor: Floor, purse: Purse, rules: Rules) -> None:
        self._floor, self._purse, self._rules = floor, purse, rules
        self._next: datetime | None = None
        self._asked_at: datetime | None = None
        self._mine: int | None = None
        self._leaders: int | None = None

    def look(self, rules: Rules, now: datetime) -> None:
        """Ask, if it is time to."""
        self._rules = rules
        sized, checked = rules.needs_capital, rules.limits.margin_check
        if not (sized or checked) or (self._next is not None and now < self._next):
            return
        known = self._mine is not None and (self._leaders is not None or not sized)
        self._next = now + (_EVERY if known else _SOON)
        self._ask(now)
        if sized:
            self._floor.post.tell(RECOVERY, LeaderCapitalWanted(rules.follower))

    def hurry(self, now: datetime) -> None:
        """Ask for the follower's funds at once, as entries wait for them."""
        if self._asked_at is None or now - self._asked_at >= _AT_ONCE:
            self._ask(now)

    def _ask(self, now: datetime) -> None:
        self._asked_at = now
        self._purse.ask()

    def told(self, message: FundsAnswered | LeaderCapital) -> Iterator[CapitalFound | FreeCash]:
        """The capital known by now, if that is not what it was, and free cash that is checked."""
        before = self._mine, self._leaders
        if isinstance(message, LeaderCapital):
            self._leaders = message.capital
        elif (found := self._purse.read(message)) is not None:
            self._mine = found
            if self._rules.limits.margin_check:
                yield FreeCash(funds(message.answer.body).cash, message.asked_at)
        now = self._mine, self._leaders
        if now != before and self._rules.needs_capital:
            yield CapitalFound(*now)


class LeaderPurse:
    """Tells followers how large the leader's account is, with one request for all who ask."""

    def __init__(self, floor: Floor, line: Line, client_id: str) -> None:
        self._floor = floor
        self._purse = Purse(floor, line, client_id, RECOVERY)
        self._waiting: set[str] = set()

    def wanted(self, follower: str) -> None:
        """A follower asks."""
        if not self._waiting:
            self._purse.ask()
        self._waiting.add(follower)

    def told(self, message: FundsAnswered) -> None:
        """The answer came: tell all who wait; who hears nothing asks again."""
        waiting, self._waiting = self._waiting, set()
        found = self._purse.read(message)
        if found is not None:
            names = [follower_name(follower) for follower in waiting]
            self._floor.post.tell_all(names, LeaderCapital(found))
