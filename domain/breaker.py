"""Whether an account's requests are held because the broker seems to be down.

It opens when several requests in a row came to nothing: no connection, no answer, a 5xx. Nothing
is sent then, so that a broker in trouble is not hammered and no more outcomes become unknown. Once
an order book can be read again (after a pause that grows), one request is tried, and whatever the
broker says to it, be it a refusal, closes it. It is of the account, not of an order: each copy
keeps its own doubts and pauses.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.outcomes import NotSent, Outcome, Recalled, Unknown
from domain.pauses import doubled

_MOST_FAILURES = 5
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=32)


class Circuit(StrEnum):
    """CLOSED: requests are sent. OPEN: none is. READY: one may be, as a trial. TRYING: its answer
    is awaited."""

    CLOSED = "closed"
    OPEN = "open"
    READY = "ready"
    TRYING = "trying"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one account. `failures` are those in a row; `openings` how often it opened
    without a word of the broker's between; `until` the time before which no read counts."""

    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    openings: int = 0
    until: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing may be sent now."""
        return self.circuit in (Circuit.OPEN, Circuit.TRYING)

    @property
    def awaits_read(self) -> bool:
        """Whether an order book that can be read changes something."""
        return self.circuit is Circuit.OPEN

    def sent(self) -> "Breaker":
        """After a request was sent."""
        return replace(self, circuit=Circuit.TRYING) if self.circuit is Circuit.READY else self

    def unsent(self) -> "Breaker":
        """After the trial, if there is one, was not sent after all."""
        return replace(self, circuit=Circuit.READY) if self.circuit is Circuit.TRYING else self

    def answered(self, came: Outcome, http_status: int | None, now: datetime) -> "Breaker":
        """After an answer, or the want of one."""
        if isinstance(came, Recalled):
            return self.unsent()
        if not isinstance(came, Unknown | NotSent):
            return _CLOSED
        if http_status is not None and http_status < 500:
            return self.unsent()
        if self.circuit is Circuit.TRYING:
            return self._opened(now)
        failures = self.failures + 1
        if self.circuit is Circuit.CLOSED and failures >= _MOST_FAILURES:
            return self._opened(now)
        return replace(self, failures=failures)

    def lost(self, now: datetime) -> "Breaker":
        """After answers that never came at all."""
        return self._opened(now) if self.circuit is Circuit.TRYING else self

    def read(self, asked_at: datetime) -> "Breaker":
        """After an order book, asked for then, was read."""
        if self.circuit is not Circuit.OPEN or (self.until and asked_at < self.until):
            return self
        return replace(self, circuit=Circuit.READY)

    def _opened(self, now: datetime) -> "Breaker":
        pause = doubled(_FIRST_PAUSE, self.openings, _LONGEST_PAUSE)
        return Breaker(Circuit.OPEN, 0, self.openings + 1, now + pause)


_CLOSED = Breaker()
