"""A follower's permits in hand, so that an order does not wait for one to be asked for."""

import itertools
from datetime import datetime

from actors.limiter import AccountOpened
from actors.post import LIMITER, Post
from domain.inputs import Granted, Mandate
from domain.messages import BackedOff, PermitsGranted, PermitsReturned, PermitsWanted
from domain.pauses import Pauses

_serials = itertools.count(1)


class Pace:
    """Takes permits as the RateLimiterActor grants them, and asks for what it lacks."""

    def __init__(self, post: Post, account: str, follower: str) -> None:
        self._post = post
        self._account, self._follower = account, follower
        self._serial = 0
        self._opened_at: datetime
        self._most = 0
        self._asked = 0
        self._entries: int | None = None
        self._entries_asked = False
        self._pauses = Pauses[datetime]()
        self.in_hand = 0

    def open(self, mandate: Mandate, now: datetime) -> None:
        """Begin anew with the limiter: nothing in hand, nothing asked for, and what was granted
        before and is still on its way does not count."""
        self._serial, self._opened_at = next(_serials), now
        self._most = min(window.limit for window in mandate.windows)
        self.in_hand = self._asked = 0
        self._entries, self._entries_asked = None, False
        opened = AccountOpened(
            self._account,
            self._follower,
            mandate.windows,
            self._serial,
            mandate.reserve,
            mandate.patience * 2,
        )
        self._post.tell(LIMITER, opened)
        self.want()

    def want(self) -> None:
        """Ask for as many permits as may be held."""
        lacking = self._most - self.in_hand - self._asked
        if lacking > 0:
            self._asked += lacking
            self._post.tell(LIMITER, PermitsWanted(self._account, lacking))

    def awaits(self, grant: PermitsGranted) -> bool:
        """Whether the grant answers what was asked since `open`."""
        return grant.serial == self._serial

    def granted(self, grant: Granted) -> None:
        """Take permits."""
        self.in_hand += grant.count
        self._asked = max(0, self._asked - grant.count)
        self._entries, self._entries_asked = grant.entries, False

    def take(self, *, entry: bool) -> bool:
        """Use a permit, if there is one; for an entry, if it leaves what cancels and exits need."""
        if not self.in_hand:
            self.want()
            return False
        if entry and self._entries is not None and self._entries + self.in_hand <= 0:
            if not self._entries_asked:
                self._entries_asked = True
                self._post.tell(LIMITER, PermitsWanted(self._account, 0, entries=True))
            return False
        self.in_hand -= 1
        return True

    def put_back(self, taken_at: datetime) -> None:
        """A permit was taken then and nothing was sent; one of before `open` is not counted any
        more."""
        if taken_at >= self._opened_at:
            self.in_hand += 1

    def throttled(self, asked_at: datetime, now: datetime) -> None:
        """The broker said 429 to what was asked then: nothing is sent for a while."""
        seconds = self._pauses.refused(asked_at, now)
        if seconds is not None:
            self._post.tell(LIMITER, BackedOff(self._account, seconds))
        self._post.tell(LIMITER, PermitsReturned(self._account, self.in_hand))
        self.in_hand = 0

    def went_through(self, asked_at: datetime) -> None:
        """The broker took a request that was asked then."""
        self._pauses.went_through(asked_at)
