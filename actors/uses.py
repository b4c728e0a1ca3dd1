"""What each account sent before, as the ledger recorded it: so the limiter counts on after a
restart of its own or of the process, whatever ended it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.history import Rows
from ledger.uses import Uses, uses_since


@dataclass(frozen=True, slots=True)
class UsesWanted:
    """The limiter asks what an account sent within the last `within`, after everything that was
    told before. `serial` comes back with the answer."""

    account: str
    within: timedelta
    serial: int


@dataclass(frozen=True, slots=True)
class UsesTold:
    """When the account's requests arrived at the latest, and when those were intended whose
    answers are not recorded."""

    account: str
    serial: int
    answered: tuple[datetime, ...]
    unanswered: tuple[datetime, ...]


class UsesKept:
    """Answers for all accounts from one look into the ledger, as long as nothing is sent: at a
    start every account asks at once."""

    def __init__(self, ledger: Rows) -> None:
        self._ledger = ledger
        self._looked_up: dict[timedelta, dict[str, Uses]] = {}

    def sent(self) -> None:
        """Something is sent from now on that was not looked up."""
        self._looked_up.clear()

    def answer(self, wanted: UsesWanted, now: datetime) -> UsesTold:
        """What the account sent. Raises what `rows` raises."""
        found = self._looked_up.get(wanted.within)
        if found is None:
            found = self._looked_up[wanted.within] = uses_since(self._ledger, now - wanted.within)
        uses = found.get(wanted.account, Uses((), ()))
        return UsesTold(wanted.account, wanted.serial, uses.answered, uses.unanswered)
