"""The word that a follower is to be halted, and what that holds back.

It is the operator's, or that of a rule that the operator gave the follower.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.attempts import Attempt
from domain.orders import Side
from domain.rules import Account, Mood, Rules
from domain.sessions import IST
from domain.wanted import Wanted


class Word(StrEnum):
    """What the operator asks for, from the weakest to the strongest.

    RELEASE: everything is copied again. HALT: no entries; what is open is followed, but never
    raised, and positions are left as the leader leaves them. FLATTEN: nothing is followed, all that
    is open is cancelled, and what the copies built is left. KILL: the same, then the broker's own
    kill switch.
    """

    RELEASE = "release"
    HALT = "halt"
    FLATTEN = "flatten"
    KILL = "kill"

    @property
    def flattens(self) -> bool:
        """Whether all positions are left by it."""
        return self in (Word.FLATTEN, Word.KILL)

    @property
    def mood(self) -> Mood:
        """The mood of a follower that it is in force for."""
        if self is Word.RELEASE:
            return Mood.ACTIVE
        return Mood.FLATTENED if self.flattens else Mood.HALTED


_STRENGTH = {word: strength for strength, word in enumerate(Word)}


@dataclass(frozen=True, slots=True)
class HaltAsked:
    """The word on one follower, as it is kept under `key`: who (`by`, the host's name for the user,
    or a rule) asked for it, and when. Under one key only one word is ever kept."""

    key: str
    follower: str
    word: Word
    by: str
    at: datetime

    @property
    def words(self) -> str:
        """The word and who asked for it."""
        return f"{self.word}, asked for by {self.by}"


@dataclass(frozen=True, slots=True)
class HaltNoted:
    """What came of a word by then, in plain words; `done` is whether nothing is left to do."""

    asked: HaltAsked
    outcome: str
    at: datetime
    done: bool = False


def in_force(before: HaltAsked | None, asked: HaltAsked) -> HaltAsked | None:
    """What is in force after another word: only a release weakens what was asked for before."""
    if asked.word is Word.RELEASE:
        return None
    if before is None or _STRENGTH[asked.word] >= _STRENGTH[before.word]:
        return asked
    return before


def squared_off(rules: Rules, loss: int, now: datetime) -> HaltAsked | None:
    """The word that flattens a follower whose `loss` (paise) of the day has reached its limit, None
    while it has not or where the roster does not want that.

    It may be asked for however often: its key is that of the day (in India), so that a day is
    squared off once, and a release on the same day stands whatever the account loses after it.
    """
    limit = rules.limits.day_loss
    if not rules.limits.square_off or limit is None or loss < limit:
        return None
    key = f"day-loss {rules.follower} {now.astimezone(IST).date().isoformat()}"
    by = f"max_day_loss (the day's loss {loss / 100:.2f}, limit {limit / 100:.2f})"
    return HaltAsked(key, rules.follower, Word.FLATTEN, by, now)


def held_back(
    want: Wanted, side: Side, attempt: Attempt | None, account: Account, beside: int
) -> Wanted:
    """What a follower who takes no entries may have of what is wanted: no more than stands
    already in `attempt` (None where nothing does), or than leaves the position with what other
    slices of the copy, `beside` it, may still trade (shares)."""
    room = max(0, abs(account.position) - beside) if account.exits(side) else 0
    most = room
    if attempt is not None:
        terms = attempt.asked
        most = max(terms.quantity, attempt.filled + room)
    return want.at_most(most)
