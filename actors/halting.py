"""The operator's halts of one follower: taken, followed until they are done, and recorded."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from actors.account import Account, KillAnswered
from actors.following import Following
from actors.ledger import Record
from actors.post import LEDGER, Post
from dhan.outcomes import outcome_of
from dhan.requests import Kind
from domain.halts import HaltAsked, HaltNoted, Word, in_force
from domain.inputs import Halted, Restored
from domain.messages import Level
from domain.outcomes import Accepted, Outcome, Refusal, Refused

logger = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=5)
_LONGEST = timedelta(seconds=60)
_NEVER_ANSWERED = timedelta(seconds=30)
_TAKEN = {
    Word.RELEASE: "released: new orders are copied again",
    Word.HALT: "halted: no entries, exits go on",
    Word.FLATTEN: "taken: it is flattened",
    Word.KILL: "taken: it is flattened, then Dhan's kill switch is set",
}


class Halting:
    """Hands the operator's words to a follower's decisions, and sets the broker's kill switch when
    all is flat. The ledger tells a word again until it is noted that it was taken."""

    def __init__(self, post: Post, account: Account, following: Following) -> None:
        self._post, self._account, self._following = post, account, following
        self._taken: set[str] = set()
        self._done: HaltAsked | None = None
        self._next: datetime | None = None
        self._failures = 0
        self._refused = ""

    def restored(self, kept: Restored) -> None:
        """Go on with what an earlier process took."""
        self._done = kept.halt if kept.halt_done else None

    def take(self, asked: HaltAsked, now: datetime) -> Sequence[Halted]:
        """What the decisions are to learn of a word."""
        if asked.key in self._taken:
            return ()
        self._taken.add(asked.key)
        before = self._following.flattening.asked
        self._next, self._failures, self._refused = None, 0, ""
        if before is not None and in_force(before, asked) is before:
            words = f"it is under a stronger word already ({before.word}); release it first"
            self._note(asked, words, now, done=True)
            return ()
        if asked.word is Word.RELEASE and before is not None and before.word is Word.KILL:
            words = f"{_TAKEN[asked.word]}; Dhan's kill switch is lifted in Dhan's own app only"
        else:
            words = _TAKEN[asked.word]
        done = not asked.word.flattens
        self._done = asked if done else None
        self._note(asked, words, now, done)
        level = Level.NOTE if asked.word is Word.RELEASE else Level.WARNING
        self._following.standing.alert(f"{asked.words}: {words}", "", level)
        return (Halted(asked),)

    def look(self, now: datetime) -> None:
        """See how far it is."""
        flattening = self._following.flattening
        if flattening.awaits_book:
            self._account.read_book()
        asked = flattening.asked
        if asked is None or asked == self._done or not flattening.flat:
            return
        if asked.word is Word.KILL:
            self._kill(now)
        else:
            self._finish(asked, "flat", now)

    def answered(self, told: KillAnswered, now: datetime) -> None:
        """Note what the broker said of its kill switch."""
        asked = self._following.flattening.asked
        if asked is None or asked.word is not Word.KILL or asked == self._done:
            return
        answer = told.answer
        came = outcome_of(Kind.READ, answer)
        if isinstance(came, Accepted) and _active(answer.body):
            self._finish(asked, "flat, and Dhan's kill switch is set", now)
            return
        self._failures += 1
        self._next = now + min(_AGAIN * self._failures, _LONGEST)
        self._say(asked, came, now)

    def _kill(self, now: datetime) -> None:
        if self._next is None or now >= self._next:
            self._next = now + _NEVER_ANSWERED
            self._account.kill()

    def _finish(self, asked: HaltAsked, words: str, now: datetime) -> None:
        self._done = asked
        self._note(asked, words, now, done=True)
        self._following.standing.alert(f"{asked.words}: {words}", "", Level.WARNING)

    def _say(self, asked: HaltAsked, came: Outcome, now: datetime) -> None:
        """Tell once what keeps the kill switch from being set."""
        said = came.message if isinstance(came, Refusal) else str(came)
        if said == self._refused:
            return
        self._refused = said
        what = f"flat, but Dhan's kill switch is not set: {said}"
        self._note(asked, what, now, done=False)
        self._following.standing.alert(f"{asked.words}: {what}", _fix(came))

    def _note(self, asked: HaltAsked, words: str, now: datetime, done: bool) -> None:
        self._post.tell(LEDGER, Record(HaltNoted(asked, words, now, done)))


def _active(body: bytes) -> bool:
    """Whether the broker says that its kill switch is set."""
    said = json.loads(body)
    return isinstance(said, dict) and said.get("killSwitchStatus") == "ACTIVATE"


def _fix(came: Outcome) -> str:
    if isinstance(came, Refusal) and came.kind is Refused.TOKEN:
        return "give a valid token; it is tried again"
    if isinstance(came, Refusal):
        return (
            "close in Dhan's app what the account holds or has open beside Lockstep; it is tried "
            "again every minute"
        )
    return "it is tried again; if it goes on, set the kill switch in Dhan's app"
