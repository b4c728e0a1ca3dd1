"""The LedgerActor: the single writer, and the gate that every order request passes.

It drains its mailbox, commits all of it in one transaction with one fsync, and only then hands
the requests whose intents were recorded to the wire. No commit, no request.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from actors.floor import Floor, FloorActor
from actors.post import BOARD, LEDGER, LIMITER, Post, follower_name
from dhan.outcomes import outcome
from dhan.requests import Request
from dhan.wire import Answer, Call, Line
from domain.copies import Change
from domain.inputs import Restored
from domain.messages import Alert, Answered, Intent, Level, NotRecorded, PermitUsed, Tick
from ledger.entries import Entry
from ledger.history import MEMORY, copies_of
from ledger.instructions import waiting
from ledger.journal import Noted
from ledger.ledger import Ledger, LedgerFailure

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_TIDY_SECONDS = 1.0
_TIDY, _BACKLOG = "tidy", "backlog"
_NEXT_PRUNE, _PRUNE_EVERY = timedelta(seconds=1), timedelta(hours=1)
_MOST_AT_ONCE = 500
_URGENCY = {Change.CANCEL: 0, Change.MODIFY: 1, None: 2}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A request that may leave once its intent is recorded, and with it the `notes` of what led
    to it. `timeout` is in seconds."""

    intent: Intent
    request: Request
    line: Line
    timeout: float
    notes: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Something to be kept; nothing waits for it."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Journaled:
    """What a follower took, to be kept."""

    notes: tuple[Noted, ...]


@dataclass(frozen=True, slots=True)
class Restore:
    """A follower asks for its copies, after everything that was told before."""

    follower: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Asks for an answer once everything that was told before is written or refused."""


_Kept = Dispatch | Record | Journaled


class LedgerActor(FloorActor):
    """Owns the ledger; every write of the process goes through its mailbox."""

    def __init__(self, floor: Floor, path: Path, journal: timedelta) -> None:
        super().__init__(LEDGER, floor)
        self._path, self._journal = path, journal
        self._ledger: Ledger
        self._backlog: list[Entry] = []
        self._failing = False
        self._prune_at: datetime

    def begin(self) -> None:
        self._ledger = Ledger.open(self._path)
        self._prune_at = self.floor.clock.now()
        self.later(_TIDY_SECONDS, Tick(_TIDY))

    def end(self) -> None:
        if self._backlog:
            self._commit([])
        self._ledger.close()

    def receive(self, message: object) -> object:
        batch, other = self._drain(message)
        if batch:
            self._commit(batch)
        match other:
            case Restore(follower):
                self._restore(follower)
            case Tick(name) if name == _TIDY:
                self._tidy()
            case Tick():
                self._commit([])
            case None | Settle():
                pass
            case _:
                super().receive(other)
        return None

    def _tidy(self) -> None:
        if self.actor_inbox.empty():
            self._ledger.tidy()
            self._prune()
        self._tell_instructions()
        self.later(_TIDY_SECONDS, Tick(_TIDY))

    def _prune(self) -> None:
        """Let go of a little of what was kept for long enough."""
        now = self.floor.clock.now()
        if now >= self._prune_at:
            more = self._ledger.prune(now - self._journal)
            self._prune_at = now + (_NEXT_PRUNE if more else _PRUNE_EVERY)

    def _tell_instructions(self) -> None:
        """Tell followers what the operator wrote beside this process, until they answer."""
        try:
            instructions = waiting(self._ledger)
        except LedgerFailure as failure:
            self._tell_failing(failure)
            return
        for instruction in instructions:
            self.floor.post.tell(follower_name(instruction.follower), instruction)

    def _restore(self, follower: str) -> None:
        since = self.floor.clock.now() - MEMORY
        copies = copies_of(self._ledger, follower, since)
        self.floor.post.tell(follower_name(follower), Restored(tuple(copies)))

    def _drain(self, message: object) -> tuple[list[_Kept], object]:
        """Everything to be written that waits in the mailbox, up to the first other message."""
        batch: list[_Kept] = []
        while isinstance(message, _Kept):
            batch.append(message)
            if len(batch) >= _MOST_AT_ONCE or self.actor_inbox.empty():
                return batch, None
            envelope = self.actor_inbox.get()
            message = envelope.message
            if not isinstance(message, _Kept | Restore | Tick):
                self.actor_inbox.put(envelope)
                return batch, None
        return batch, message

    def _commit(self, batch: Sequence[_Kept]) -> None:
        entries = [entry for message in batch for entry in _entries(message)]
        try:
            self._ledger.commit([*self._backlog, *entries])
        except LedgerFailure as failure:
            self._failed(failure, batch)
            return
        self._recovered()
        self._backlog.clear()
        self._dispatch([m for m in batch if isinstance(m, Dispatch)])

    def _dispatch(self, recorded: Sequence[Dispatch]) -> None:
        if not recorded:
            return
        committed_ns = self.floor.clock.ns()
        post = self.floor.post
        self.floor.wire.dispatch(
            [
                Call(
                    line=one.line,
                    request=one.request,
                    timeout=one.timeout,
                    deliver=_answering(post, one, committed_ns),
                    urgency=_URGENCY[one.intent.change],
                )
                for one in recorded
            ]
        )

    def _failed(self, failure: LedgerFailure, batch: Sequence[_Kept]) -> None:
        """Keep what can wait and refuse what cannot; one at a time only where the batch holds an
        entry that the ledger will never take, so that it does not hold up the others."""
        told = (entry for message in batch for entry in _entries(message))
        kept = [*self._backlog, *(entry for entry in told if not isinstance(entry, Intent))]
        dispatches = [m for m in batch if isinstance(m, Dispatch)]
        self._backlog = []
        if not failure.passing:
            kept, dispatches, failure = self._one_by_one(kept, dispatches, failure)
        self._backlog.extend(kept)
        for one in dispatches:
            self._refuse(one, failure)
        if self._backlog:
            self.later(_RETRY_SECONDS, Tick(_BACKLOG))
        self._tell_failing(failure)

    def _one_by_one(
        self, entries: list[Entry], dispatches: list[Dispatch], failure: LedgerFailure
    ) -> tuple[list[Entry], list[Dispatch], LedgerFailure]:
        """Commit each alone until the ledger itself fails; what is left then, and the failure."""
        while entries:
            try:
                self._ledger.commit([entries[0]])
            except LedgerFailure as alone:
                if alone.passing:
                    return entries, dispatches, alone
                name = type(entries[0]).__name__
                logger.error("The ledger will never take %s: %s", name, alone)
            del entries[0]
        while dispatches:
            try:
                self._ledger.commit([dispatches[0].intent])
            except LedgerFailure as alone:
                if alone.passing:
                    return entries, dispatches, alone
                self._refuse(dispatches[0], alone)
            else:
                self._dispatch([dispatches[0]])
            del dispatches[0]
        return entries, dispatches, failure

    def _refuse(self, one: Dispatch, failure: LedgerFailure) -> None:
        follower = follower_name(one.intent.follower)
        self.floor.post.tell(follower, NotRecorded(one.intent, str(failure)))

    def _tell_failing(self, failure: LedgerFailure) -> None:
        if self._failing or not failure.passing:
            return
        self._failing = True
        logger.error("The ledger cannot be written, nothing is sent meanwhile: %s", failure)
        self.floor.post.tell(
            BOARD,
            Alert(
                Level.ERROR,
                f"the ledger cannot be written: {failure}",
                str(self._path),
                failure.fix or "free disk space or end what locks it; copying resumes by itself",
            ),
        )

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            logger.warning("The ledger can be written again")
            self.floor.post.tell(
                BOARD, Alert(Level.NOTE, "the ledger can be written again", str(self._path))
            )


def _entries(message: _Kept) -> Sequence[Entry]:
    match message:
        case Dispatch(intent=intent, notes=notes):
            return (*notes, intent)
        case Journaled(notes):
            return notes
        case Record(entry):
            return (entry,)


def _answering(post: Post, sent: Dispatch, committed_ns: int) -> Callable[[Answer], None]:
    """Tell ledger, follower and limiter what the broker answered."""
    intent = sent.intent

    def deliver(answer: Answer) -> None:
        came = outcome(
            sent.request.kind, answer.status, answer.body, answer.error, answer.written_at
        )
        told = Answered(
            intent, came, committed_ns, answer.written_at, answer.answered_at, answer.status
        )
        post.tell(LEDGER, Record(told))
        post.tell(follower_name(intent.follower), told)
        if answer.written_at is not None:
            post.tell(LIMITER, PermitUsed(intent.client_id, answer.answered_at))

    return deliver
