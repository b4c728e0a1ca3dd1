"""What is handed to the wire, and what comes back from it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dhan.requests import Request

if TYPE_CHECKING:
    from dhan.lines import Line

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    `status` and `body` are of the HTTP answer; without one, `error` says why. `written_at`
    (monotonic ns) is None only when provably no byte left this host. `answered_at` is when its
    last byte had come in at the latest, read or not. `date` is the broker's clock by its header.
    `recalled` is whether it was called back before it could leave.
    """

    status: int | None
    body: bytes
    error: str | None
    written_at: int | None
    answered_at: int
    date: str | None = None
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class ReadDone:
    """A read and what came of it: `asked_ns` and `answered_ns` are monotonic, `written_ns` is None
    when it never left this host."""

    client_id: str
    request: str
    status: int | None
    error: str
    asked_ns: int
    written_ns: int | None
    answered_ns: int


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way. `timeout` is in seconds, `urgency` orders the calls that wait for a
    connection (lowest first); `deliver` is called exactly once, on the wire's thread, or on the
    caller's own when the wire has stopped. It is not written before `not_before` (monotonic ns),
    and until then it can be called back by its `key`."""

    line: "Line"
    request: Request
    timeout: float
    deliver: Callable[[Answer], None]
    urgency: int = 2
    not_before: int = 0
    key: object = None

    def answered(self, answer: Answer) -> None:
        """Deliver the answer; whoever cannot take it harms no other call."""
        try:
            self.deliver(answer)
        except Exception:
            logger.exception("An answer could not be delivered")

    def unsent(self, why: str) -> None:
        """Answer that no byte of the request left this host."""
        self.answered(Answer(None, b"", why, None, time.monotonic_ns()))

    def recalled(self) -> None:
        """Answer that it was called back."""
        now = time.monotonic_ns()
        self.answered(Answer(None, b"", "called back", None, now, recalled=True))
