"""What is handed to the wire, and what comes back from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dhan.requests import Request

if TYPE_CHECKING:
    from dhan.lines import Line


@dataclass(frozen=True, slots=True)
class AccountAddress:
    """Where and as whom an account talks to Dhan.

    `token` is asked at every request, so that a token can be replaced while running. `lines` is
    the most connections at once. `source_ip` is the host's own address to send from.
    """

    client_id: str
    api_url: str
    token: Callable[[], str] = field(repr=False)
    source_ip: str | None = None
    lines: int = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    `status` and `body` are of the HTTP answer; without one, `error` says why. `written_at`
    (monotonic ns) is None only when provably no byte left this host. `date` is the broker's
    clock by its header.
    """

    status: int | None
    body: bytes
    error: str | None
    written_at: int | None
    answered_at: int
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way. `timeout` is in seconds, `urgency` orders the calls that wait for a
    connection (lowest first); `deliver` is called once, on the wire's thread."""

    line: "Line"
    request: Request
    timeout: float
    deliver: Callable[[Answer], None]
    urgency: int = 2
