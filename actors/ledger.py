"""The LedgerActor: the single writer, and the gate that every order request passes.

It drains its mailbox, commits all of it in one transaction with one fsync, and only then hands
the requests whose intents were recorded to the wire. No commit, no request.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from actors.bookkeeping import Bookkeeping
from actors.floor import Floor, FloorActor
from actors.post import BOARD, LEDGER, LIMITER, RECOVERY, Post, Ref, follower_name, tell
from actors.read_tally import ReadTally
from actors.settings import KeptFor
from actors.uses import UsesKept, UsesWanted
from dhan.calls import ReadDone
from dhan.outcomes import outcome_of
from dhan.requests import Request
from dhan.wire import Answer, Call, Line
from domain.attempts import Change
from domain.messages import (
    Alert,
    Answered,
    Intent,
    Level,
    NotRecorded,
    OrderSeen,
    PermitUsed,
    Tick,
)
from ledger.asked import take_in_asked
from ledger.entries import Entry, Noted
from ledger.halts import waiting_halts
from ledger.instructions import take_over, waiting
from ledger.leaders import leader_day, watermark
from ledger.ledger import Ledger, LedgerFailure
from ledger.memory import Memory
from ledger.opening import LedgerUnusable, damaged

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_TIDY_SECONDS = 1.0
_TIDY, _AGAIN = "tidy", "again"
_NEXT_PRUNE, _PRUNE_EVERY = timedelta(seconds=1), timedelta(hours=1)
_MOST_AT_ONCE = 500
_URGENCY = {Change.CANCEL: 0, Change.MODIFY: 1, None: 2}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A request that may leave once its intent is recorded, and with it the `notes` of what led
    to it, and not before its `slot` (monotonic ns). `timeout` is in seconds."""

    intent: Intent
    request: Request
    line: Line
    timeout: float
    notes: tuple[Noted, ...] = ()
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Recall:
    """The request of that intent is not to leave any more, if it waits for its slot still: it is
    answered as called back then."""

    intent: Intent
    line: Line


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
    """A follower asks for its copies, after everything that was told before. Only the incarnation
    that asks is told of them: the next one asks again, and may know more by then."""

    follower: str
    asker: Ref


@dataclass(frozen=True, slots=True)
class RestoreLeader:
    """Recovery asks for the leader's orders, after everything that was told before."""


@dataclass(frozen=True, slots=True)
class LeaderRestored:
    """What the ledger kept of the leader's orders, of the last day that it heard of any; `until`
    is up to when, by the broker's clock, everything that the leader did is in it."""

    orders: tuple[OrderSeen, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Settle:
    """Asks for an answer once everything that was told before is written or refused."""


_Kept = Dispatch | Record | Journaled
_Asked = Recall | Restore | RestoreLeader | UsesWanted | ReadDone | Tick


class LedgerActor(FloorActor):
    """Owns the ledger; every write of the process goes through its mailbox.

    `unusable` is told when the ledger can be used no more: no request leaves from then on, and
    the process should end.
    """

    def __init__(
        self,
        floor: Floor,
        path: Path,
        kept: KeptFor,
        unusable: Callable[[LedgerUnusable], None],
    ) -> None:
        super().__init__(LEDGER, floor)
        self._path, self._kept_for = path, kept
        self._unusable = unusable
        self._lost = ""
        self._opened = ExitStack()
        self._ledger: Ledger
        self._books: Bookkeeping
        self._memory: Memory
        self._uses: UsesKept
        self._reads = ReadTally()
        self._prune_at: datetime

    def begin(self) -> None:
        try:
            self._ledger = self._opened.enter_context(Ledger.open(self._path))
        except LedgerUnusable as unusable:
            if unusable.passing:
                raise
            self._give_up(unusable)
            return
        self._memory, self._uses = Memory(self._ledger), UsesKept(self._ledger)
        again = Tick(_AGAIN)
        self._books = Bookkeeping(
            self._ledger, self._alert, lambda: self.later(_RETRY_SECONDS, again)
        )
        self._prune_at = self.floor.clock.now()
        self.later(_TIDY_SECONDS, Tick(_TIDY))

    def end(self) -> None:
        with self._opened:
            if not self._lost:
                self._books.keep(self._reads.all())
                self._books.settle()

    def receive(self, message: object) -> object:
        batch, other = self._drain(message)
        if batch:
            self._commit(batch)
        try:
            if not self._lost:
                self._received(other)
        except LedgerUnusable as unusable:
            self._give_up(unusable)
        except LedgerFailure as failure:
            logger.error("The ledger cannot be read: %s", failure)
            self.later(_RETRY_SECONDS, other)
        return None

    def _received(self, message: object) -> None:
        match message:
            case Recall(intent, line):
                self.floor.wire.recall(line, intent)
            case Restore(follower, asker):
                self._restore(follower, asker)
            case RestoreLeader():
                self._restore_leader()
            case UsesWanted():
                told = self._uses.answer(message, self.floor.clock.now())
                self.floor.post.tell(LIMITER, told)
            case ReadDone():
                clock = self.floor.clock
                self._reads.add(message, clock.now(), clock.ns())
            case Tick(name) if name == _TIDY:
                self._tidy()
            case Tick():
                self._books.retry()
            case None | Settle():
                pass
            case _:
                super().receive(message)

    def _give_up(self, unusable: LedgerUnusable) -> None:
        """Touch the ledger no more, and have the process end."""
        self._lost = str(unusable)
        logger.critical("The ledger cannot be used any longer, nothing is sent: %s", unusable)
        what = f"the ledger cannot be used any longer, nothing is sent: {unusable.why}"
        alert = Alert(Level.ERROR, what, str(self._path), unusable.fix)
        self.floor.post.tell(BOARD, alert)
        self._unusable(unusable)

    def _alert(self, alert: Alert) -> None:
        """Tell the operator, and keep it once that is possible."""
        self.floor.post.tell(BOARD, alert)
        self.floor.post.tell(LEDGER, Record(alert))

    def _tidy(self) -> None:
        if self.actor_inbox.empty():
            self._ledger.tidy()
            self._prune()
            self._keep(self._reads.due(self.floor.clock.now()))
        self._take_in()
        self.later(_TIDY_SECONDS, Tick(_TIDY))

    def _prune(self) -> None:
        """Let go of a little of what was kept for long enough."""
        now = self.floor.clock.now()
        if now >= self._prune_at:
            kept = self._kept_for
            more = self._ledger.prune(now - kept.journal, now - kept.audit)
            self._prune_at = now + (_NEXT_PRUNE if more else _PRUNE_EVERY)

    def _take_in(self) -> None:
        """Keep what commands left, and tell followers what the operator wants of them, until they
        take it."""
        try:
            take_over(self._ledger)
            take_in_asked(self._ledger)
        except (LedgerFailure, OSError) as trouble:
            logger.error("What was left for the ledger cannot be taken in yet: %s", trouble)
        for instruction in waiting(self._ledger):
            self.floor.post.tell(follower_name(instruction.follower), instruction)
        for asked in waiting_halts(self._ledger):
            self.floor.post.tell(follower_name(asked.follower), asked)

    def _restore(self, follower: str, asker: Ref) -> None:
        with self._sound(f"copies of {follower}"):
            restored = self._memory.restored(follower, self.floor.clock.now())
        tell(asker, restored)

    def _restore_leader(self) -> None:
        with self._sound("orders of the leader"):
            orders, until = tuple(leader_day(self._ledger)), watermark(self._ledger)
        self.floor.post.tell(RECOVERY, LeaderRestored(orders, until))

    @contextmanager
    def _sound(self, what: str) -> Iterator[None]:
        """Rows that no version can have written are damage that SQLite did not see."""
        try:
            yield
        except (ValueError, LookupError) as error:
            raise damaged(self._path, f"{what}: {error}") from error

    def _drain(self, message: object) -> tuple[list[_Kept], object]:
        """Everything to be written that waits in the mailbox, up to the first other message."""
        batch: list[_Kept] = []
        while isinstance(message, _Kept):
            batch.append(message)
            if len(batch) >= _MOST_AT_ONCE or self.actor_inbox.empty():
                return batch, None
            envelope = self.actor_inbox.get()
            message = envelope.message
            if not isinstance(message, _Kept | _Asked):
                self.actor_inbox.put(envelope)
                return batch, None
        return batch, message

    def _commit(self, batch: Sequence[_Kept]) -> None:
        unrecorded = self._keep([entry for message in batch for entry in _entries(message)])
        for intent, why in unrecorded.items():
            self.floor.post.tell(follower_name(intent.follower), NotRecorded(intent, why))
        dispatches = [message for message in batch if isinstance(message, Dispatch)]
        self._dispatch([one for one in dispatches if one.intent not in unrecorded])
        self.floor.turns.passed(len(dispatches))

    def _keep(self, entries: Sequence[Entry]) -> dict[Intent, str]:
        """Record the entries; the intents that were not recorded, and why."""
        if not self._lost:
            try:
                return self._books.keep(entries)
            except LedgerUnusable as unusable:
                self._give_up(unusable)
        return {entry: self._lost for entry in entries if isinstance(entry, Intent)}

    def _dispatch(self, recorded: Sequence[Dispatch]) -> None:
        if not recorded:
            return
        self._uses.sent()
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
                    not_before=one.slot,
                    key=one.intent,
                )
                for one in recorded
            ]
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
        came = outcome_of(sent.request.kind, answer)
        told = Answered(
            intent, came, committed_ns, answer.written_at, answer.answered_at, answer.status
        )
        post.tell(LEDGER, Record(told))
        post.tell(follower_name(intent.follower), told)
        if answer.written_at is not None:
            post.tell(LIMITER, PermitUsed(intent.client_id, answer.answered_at, intent.planned_ns))

    return deliver
