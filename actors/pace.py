"""A follower's permits in hand, so that an order does not wait for one to be asked for."""

import heapq
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
        self._free = 0
        self._slots: list[int] = []
        self._latest = 0
        self._gave_back_at: datetime | None = None

    @property
    def in_hand(self) -> int:
        """How many permits there are."""
        return self._free + len(self._slots)

    def open(self, mandate: Mandate, now: datetime) -> None:
        """Begin anew with the limiter: nothing in hand, nothing asked for, and what was granted
        before and is still on its way does not count."""
        self._serial, self._opened_at, self._gave_back_at = next(_serials), now, None
        self._most = min(window.limit for window in mandate.windows)
        self._free, self._slots, self._asked = 0, [], 0
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
        self._free += grant.count - len(grant.slots)
        for slot in grant.slots:
            heapq.heappush(self._slots, slot)
        self._asked = max(0, self._asked - grant.count)
        self._entries, self._entries_asked = grant.entries, False

    def take(self, *, entry: bool) -> int | None:
        """Use the permit with the first slot, if there is one; for an entry, if it leaves what
        cancels and exits need. The slot (monotonic ns), before which nothing may be sent."""
        if not self.in_hand:
            self.want()
            return None
        if entry and self._entries is not None and self._entries + self.in_hand <= 0:
            if not self._entries_asked:
                self._entries_asked = True
                self._post.tell(LIMITER, PermitsWanted(self._account, 0, entries=True))
            return None
        if self._free:
            self._free -= 1
            return 0
        slot = heapq.heappop(self._slots)
        self._latest = max(self._latest, slot)
        return slot

    def put_back(self, taken_at: datetime) -> None:
        """A permit was taken then and nothing was sent; one of before `open` is not counted any
        more, and one of before all were given back goes after them. Its slot may have gone to what
        was more urgent, so that it counts for the last that was taken."""
        if taken_at < self._opened_at:
            return
        if self._gave_back_at is not None and taken_at <= self._gave_back_at:
            self._post.tell(LIMITER, PermitsReturned(self._account, 1))
        else:
            heapq.heappush(self._slots, self._latest)

    def throttled(self, asked_at: datetime, now: datetime) -> None:
        """The broker said 429 to what was asked then: nothing is sent for a while."""
        seconds = self._pauses.refused(asked_at, now)
        if seconds is not None:
            self._post.tell(LIMITER, BackedOff(self._account, seconds))
        self._post.tell(LIMITER, PermitsReturned(self._account, self.in_hand))
        self._free, self._slots, self._gave_back_at = 0, [], now

    def went_through(self, asked_at: datetime) -> None:
        """The broker took a request that was asked then."""
        self._pauses.went_through(asked_at)
