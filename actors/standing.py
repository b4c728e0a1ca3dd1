"""A follower's standing: its mood, why it is so, and what the operator is told about it."""

import logging

from actors.ledger import Record
from actors.post import BOARD, LEDGER, Post
from domain.breaker import Breaker, Circuit
from domain.halts import HaltAsked
from domain.limits import Limits
from domain.messages import Alert, Level, MoodChanged
from domain.outcomes import Refusal, Refused
from domain.rules import Mood

logger = logging.getLogger(__name__)

_PARKING = frozenset({Refused.TOKEN, Refused.ADDRESS})
_LOG_LEVELS = {
    Level.NOTE: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}
_AT_A_LOSS = {
    False: "exits go on; raise max_day_loss to take entries again, or close what is open by hand",
    True: "what the copies hold is left, unless it was already today; to take entries again, raise "
    "max_day_loss and release the follower",
}


class Standing:
    """Parked while Dhan refuses the account as such; else as the operator or the roster has it."""

    def __init__(self, post: Post, name: str, paused: bool) -> None:
        self._post = post
        self._name = name
        self._paused = paused
        self._trouble: Refusal | None = None
        self._down = False
        self._halt: HaltAsked | None = None
        self._progress = ""

    @property
    def mood(self) -> Mood:
        """Whether the follower takes new orders."""
        if self._trouble is not None:
            return Mood.PARKED
        if self._halt is not None:
            return self._halt.word.mood
        return Mood.PAUSED if self._paused else Mood.ACTIVE

    @property
    def token_refused(self) -> bool:
        """Whether it is parked for its token."""
        return self._trouble is not None and self._trouble.kind is Refused.TOKEN

    @property
    def address_refused(self) -> bool:
        """Whether it is parked for the address that its orders come from."""
        return self._trouble is not None and self._trouble.kind is Refused.ADDRESS

    def configured(self, paused: bool) -> None:
        """Begin anew as the roster has it."""
        self._paused, self._trouble = paused, None
        self.tell()

    def halted(self, halt: HaltAsked | None) -> None:
        """Note which of the operator's words is in force, None for none."""
        self._halt, self._progress = halt, ""
        self.tell()

    def progressed(self, words: str) -> None:
        """Note how far the operator's word is carried out."""
        if words != self._progress:
            self._progress = words
            self.tell()

    def refused(self, refusal: Refusal) -> None:
        """Park the account if it is the account that Dhan refuses."""
        if refusal.kind not in _PARKING or self._trouble is not None:
            return
        self._trouble = refusal
        self.alert(f"parked, Dhan refused its {refusal.kind}: {refusal.message}", self._remedy)
        self.tell()

    def accepted(self) -> None:
        """Take the account up again."""
        self._trouble = None
        logger.warning("%s: accepted by Dhan again", self._name)
        self.tell()

    def unheard(self, breaker: Breaker, before: Breaker, why: str) -> None:
        """Tell when the broker seems to be down, and when it speaks again."""
        if breaker.circuit is Circuit.OPEN and before.circuit is Circuit.CLOSED:
            self.alert(
                f"requests come to nothing, the last: {why}; nothing is sent until the order book "
                "can be read again",
                "see whether Dhan is down (its status page, its app), and close by hand what must "
                "not wait",
            )
        elif breaker.circuit is Circuit.CLOSED and before.circuit is not Circuit.CLOSED:
            self.alert("Dhan answers again", "", Level.NOTE)

    def down(self, loss: int, limits: Limits, *, told: bool = False) -> None:
        """Tell once when the day's loss (paise) has reached its limit, unless that was `told`."""
        limit = limits.day_loss
        before, self._down = self._down or told, limit is not None and loss >= limit
        if self._down and limit is not None and not before:
            self.alert(
                f"the day's loss has reached {loss / 100:.2f}, limit {limit / 100:.2f}: no entries "
                "any more today",
                _AT_A_LOSS[limits.square_off],
            )

    def tell(self) -> None:
        """Tell the board the mood."""
        self._post.tell(BOARD, MoodChanged(self._name, self.mood, self._reason))

    @property
    def _reason(self) -> str:
        if self._trouble is not None:
            return f"{self._trouble.message}; {self._remedy}"
        if self._halt is None:
            return ""
        return f"{self._halt.words}{': ' + self._progress if self._progress else ''}"

    @property
    def _remedy(self) -> str:
        """What the operator does about an account that Dhan refuses."""
        if self.token_refused:
            return f"give a valid token: python run.py login {self._name}"
        return "it is asked about every minute; python run.py check tells more"

    def alert(self, what: str, fix: str, level: Level = Level.ERROR) -> None:
        """Tell the operator something about this follower, and keep it."""
        logger.log(_LOG_LEVELS[level], "%s: %s", self._name, what)
        alert = Alert(level, what, self._name, fix)
        self._post.tell(BOARD, alert)
        self._post.tell(LEDGER, Record(alert))
