"""Watches how far an account is down today, while a limit goes by it, and has it squared off where
the roster wants that."""

import logging
from datetime import datetime, timedelta

from actors.account import Account, ProfitAnswered
from actors.answers import Answers
from actors.ledger import Record
from actors.post import LEDGER, Post
from dhan.codec.positions import profit
from domain.copybook import CopyBook
from domain.halts import squared_off
from domain.limits import DayLoss
from domain.sessions import IST
from ledger.losses import keeping

logger = logging.getLogger(__name__)

_EVERY = timedelta(seconds=3)


class LossWatch:
    """Reads the positions every few seconds, and tells each time that the account is further down
    than it was on that day. What it tells is kept in the ledger, for a start on the same day."""

    def __init__(self, post: Post, account: Account, copies: CopyBook) -> None:
        self._post, self._account, self._copies = post, account, copies
        self._next: datetime | None = None
        self._asked = ""
        follower = copies.rules.follower
        self._answers = Answers(logger, f"The day's loss of {follower} cannot be read")

    def look(self, market_open: bool, now: datetime) -> None:
        """Ask, if a limit needs it and it is time to. Only while a market of the follower's is
        open: what the positions of another day show before it is not lost on this one."""
        needed = market_open and self._copies.rules.limits.day_loss is not None
        if needed and (self._next is None or now >= self._next):
            self._next = now + _EVERY
            self._account.read_profit()

    def square_off(self, now: datetime) -> None:
        """Leave the word that flattens the follower once its loss, also one that was kept by an
        earlier process, has reached the limit. It takes the road of the operator's own: by the
        ledger, which tells it until it is taken, and keeps one of a day whatever is asked."""
        asked = squared_off(self._copies.rules, self._copies.means.day_loss(now), now)
        if asked is not None and asked.key != self._asked:
            self._asked = asked.key
            self._post.tell(LEDGER, Record(asked))

    def told(self, message: ProfitAnswered) -> list[DayLoss]:
        """The loss, if it is larger than any of the day before it."""
        earned = self._answers.read(message.answer, profit)
        if earned is None:
            return []
        loss = -earned
        if loss <= self._copies.means.day_loss(message.asked_at):
            return []
        found = DayLoss(message.asked_at.astimezone(IST).date(), loss)
        self._post.tell(LEDGER, Record(keeping(self._copies.rules.follower, found)))
        return [found]
