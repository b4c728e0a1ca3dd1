"""The pace of an account's reads, which Dhan counts apart from its orders."""

import time
from collections.abc import Callable
from dataclasses import replace

from dhan.calls import Answer, Call, ReadDone
from domain.pauses import Pauses
from domain.permits import DHAN_READS, Allowance

_TOO_MANY = 429


class ReadPace:
    """Lets a read go while Dhan's limit has room, and none for a while after a 429. `clock` tells
    seconds that never go back; `told` is told of what comes of each."""

    def __init__(
        self,
        clock: Callable[[], float],
        client_id: str,
        told: Callable[[ReadDone], None] | None,
    ) -> None:
        self._clock = clock
        self._client_id, self._told = client_id, told
        self._allowance = Allowance(DHAN_READS)
        self._pauses = Pauses[float]()

    def take(self) -> bool:
        """Whether a read may go now; it counts from then on."""
        return bool(self._allowance.grant(1, self._clock()))

    def give_back(self) -> None:
        """What was taken is not used."""
        self._allowance.returned(1)

    def pause(self) -> float | None:
        """How long (seconds) until a read may go; None while only an answer can tell."""
        now = self._clock()
        at = self._allowance.next_grant(now)
        return None if at is None else at - now

    def counted(self, call: Call) -> Call:
        """The call that was taken for, which tells of its answer."""
        asked_at = self._clock()

        def deliver(answer: Answer) -> None:
            self._answered(answer, asked_at)
            call.deliver(answer)

        return replace(call, deliver=deliver)

    def noted(self, call: Call) -> Call:
        """The call that is asked for now, which is told of when it is answered."""
        told, asked_ns = self._told, time.monotonic_ns()
        if told is None:
            return call

        def deliver(answer: Answer) -> None:
            call.deliver(answer)
            told(self._done(call, answer, asked_ns))

        return replace(call, deliver=deliver)

    def _done(self, call: Call, answer: Answer, asked_ns: int) -> ReadDone:
        request = call.request
        return ReadDone(
            self._client_id,
            f"{request.method} {request.path}",
            answer.status,
            answer.error or "",
            asked_ns,
            answer.written_at,
            answer.answered_at,
        )

    def _answered(self, answer: Answer, asked_at: float) -> None:
        now = self._clock()
        if answer.written_at is None:
            self.give_back()
            return
        self._allowance.used(now)
        if answer.status != _TOO_MANY:
            if answer.status is not None:
                self._pauses.went_through(asked_at)
        elif (seconds := self._pauses.refused(asked_at, now)) is not None:
            self._allowance.back_off(now + seconds)
