"""A follower's permits in hand, so that an order does not wait for one to be asked for."""

import itertools

from actors.limiter import AccountOpened
from actors.post import LIMITER, Post
from domain.messages import BackedOff, PermitsGranted, PermitsReturned, PermitsWanted
from domain.permits import Window

_LONGEST_BACK_OFF = 30.0
_serials = itertools.count(1)


class Pace:
    """Takes permits as the RateLimiterActor grants them, and asks for what it lacks."""

    def __init__(self, post: Post, account: str, follower: str) -> None:
        self._post = post
        self._account, self._follower = account, follower
        self._serial = 0
        self._most = 0
        self._asked = 0
        self._throttles = 0
        self.in_hand = 0

    def open(self, windows: tuple[Window, ...]) -> None:
        """Begin anew with the limiter: nothing in hand, nothing asked for, and what was granted
        before and is still on its way does not count."""
        self._serial = next(_serials)
        self._most = min(window.limit for window in windows)
        self.in_hand = self._asked = 0
        opened = AccountOpened(self._account, self._follower, windows, self._serial)
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

    def granted(self, count: int) -> None:
        """Take permits."""
        self.in_hand += count
        self._asked = max(0, self._asked - count)

    def take(self) -> bool:
        """Use a permit, if there is one."""
        if not self.in_hand:
            self.want()
            return False
        self.in_hand -= 1
        return True

    def put_back(self) -> None:
        """A permit was taken and nothing was sent."""
        self.in_hand += 1

    def throttled(self) -> None:
        """The broker said 429: nothing is sent for a while, longer each time (scenario 7.6)."""
        seconds = min(2.0**self._throttles, _LONGEST_BACK_OFF)
        self._throttles += 1
        self._post.tell(LIMITER, BackedOff(self._account, seconds))
        self._post.tell(LIMITER, PermitsReturned(self._account, self.in_hand))
        self.in_hand = 0

    def went_through(self) -> None:
        """The broker took a request."""
        self._throttles = 0
