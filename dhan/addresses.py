"""Where and as whom an account talks to Dhan."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccountAddress:
    """Where and as whom an account talks to Dhan.

    `token` is asked at every request, so that a token can be replaced while running; an empty one
    is not sent. `source_ip` is the host's own address to send from, `proxy` (`http://host:port`)
    the one that everything goes through, `proxy_login` gives its user and password as the Basic
    authentication of RFC 7617 has them and is asked at every connection. `lines` is the most
    connections at once. Within `keep_warm` seconds an idle connection is used for a cheap read,
    because the broker ends idle ones and the next order would pay for it.
    """

    client_id: str
    api_url: str
    token: Callable[[], str] = field(repr=False)
    source_ip: str | None = None
    lines: int = 4
    keep_warm: float = 20.0
    proxy: str | None = None
    proxy_login: Callable[[], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.lines < 1 or self.keep_warm <= 0:
            raise ValueError("an account needs a line and a time to keep it warm")


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """Where and as whom an account listens, and which way out, as in `AccountAddress`."""

    client_id: str
    url: str
    token: Callable[[], str] = field(repr=False)
    source_ip: str | None = None
    proxy: str | None = None
    proxy_login: Callable[[], str] | None = field(default=None, repr=False)
