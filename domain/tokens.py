"""When an account needs another access token, and which way it may come by one.

Dhan's tokens live for 24 hours at most. RenewToken is for tokens that were made on Dhan Web and
still live; generateAccessToken needs the account's PIN and TOTP secret, and works at any time.
Either way the old token dies at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_EARLIEST = timedelta(hours=1)
_LATEST = timedelta(seconds=3)
_AGAIN = timedelta(seconds=60)
_SOONEST = timedelta(seconds=1)
_MOST_REFUSED = 2


class Way(StrEnum):
    """How Dhan grants a token."""

    RENEW = "RenewToken"
    GENERATE = "generateAccessToken"


@dataclass(frozen=True, slots=True)
class TokenLife:
    """What is known of a token that was first seen at `seen_at`.

    `ends` is None while nobody has said when it does, `dead` is whether Dhan takes it no more (or
    there is none). `refused` counts the clear refusals to grant another in its place, `tried_at`
    is when that was last asked for.
    """

    seen_at: datetime
    ends: datetime | None = None
    dead: bool = False
    refused: int = 0
    tried_at: datetime | None = None

    @property
    def early(self) -> timedelta:
        """How long before its end another is asked for: an hour, or a quarter of what was left
        of it when it was first seen, if that is less; some seconds in any case."""
        if self.ends is None:
            return timedelta()
        return max(min(_EARLIEST, (self.ends - self.seen_at) / 4), _LATEST)

    def near(self, now: datetime) -> bool:
        """Whether it ends soon, or has ended."""
        return self.ends is not None and self.ends - self.early <= now

    def way(self, now: datetime, *, renews: bool, generates: bool) -> Way | None:
        """How to ask for another now, if that is due. `renews` and `generates` say what the
        account allows; a PIN that is refused is tried once more only, for accounts get locked."""
        way = self._possible(now, renews, generates)
        if way is None or not (self.dead or self.near(now)):
            return None
        pause = _AGAIN if way is Way.GENERATE else max(_SOONEST, min(_AGAIN, self.early / 4))
        rested = self.tried_at is None or now - self.tried_at >= pause
        return way if rested else None

    def stuck(self, now: datetime, *, renews: bool, generates: bool) -> bool:
        """Whether it ends soon, or has ended, and there is no way to another one."""
        return self.near(now) and self._possible(now, renews, generates) is None

    def _possible(self, now: datetime, renews: bool, generates: bool) -> Way | None:
        if generates:
            return Way.GENERATE if self.refused < _MOST_REFUSED else None
        alive = not self.dead and self.ends is not None and now < self.ends
        return Way.RENEW if renews and alive and not self.refused else None
