"""How the LedgerActor writes: what cannot be written now waits, but for intents, which are refused.

Requests do not wait for the ledger: whoever wanted them decides again once it can be written.
"""

import logging
from collections.abc import Callable, Sequence

from domain.messages import Alert, Intent, Level
from ledger.entries import Entry, Unsent
from ledger.ledger import Ledger, LedgerFailure

logger = logging.getLogger(__name__)


class Bookkeeping:
    """Writes into an open ledger, and tells the operator when that fails and works again.

    Once a write has failed nothing is tried before `retry`, which is called after a while when
    asked to by `again`. Every method may raise `LedgerUnusable`; nothing may follow then.
    """

    def __init__(
        self, ledger: Ledger, tell: Callable[[Alert], None], again: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._tell, self._again = tell, again
        self._waiting: list[Entry] = []
        self._failing: LedgerFailure | None = None

    def keep(self, entries: Sequence[Entry]) -> dict[Intent, str]:
        """Record the entries; the intents that were not recorded, and why."""
        if self._failing is not None:
            return self._put_off(entries, self._failing)
        return self._write(entries)

    def retry(self) -> None:
        """Try to record what waits."""
        waiting, self._waiting = self._waiting, []
        self._write(waiting)
        if self._failing is not None:
            self._again()

    def settle(self) -> None:
        """Record what still can be, before the end."""
        if self._waiting:
            self.retry()
        if self._waiting:
            logger.error(
                "The ledger did not take %d entries; the next start finds out what they told",
                len(self._waiting),
            )

    def _write(self, entries: Sequence[Entry]) -> dict[Intent, str]:
        try:
            self._ledger.commit(entries)
        except LedgerFailure as failure:
            if failure.passing:
                return self._put_off(entries, failure)
            return self._one_by_one(entries)
        self._went_well()
        return {}

    def _one_by_one(self, entries: Sequence[Entry]) -> dict[Intent, str]:
        """Where one entry is what the ledger will never take, it does not hold up the others."""
        refused: dict[Intent, str] = {}
        for number, entry in enumerate(entries):
            try:
                self._ledger.commit([entry])
            except LedgerFailure as failure:
                if failure.passing:
                    return refused | self._put_off(entries[number:], failure)
                logger.error("The ledger will never take %s: %s", type(entry).__name__, failure)
                if isinstance(entry, Intent):
                    refused[entry] = str(failure)
        self._went_well()
        return refused

    def _put_off(self, entries: Sequence[Entry], failure: LedgerFailure) -> dict[Intent, str]:
        begins = self._failing is None
        self._failing = failure
        self._waiting += [
            Unsent(entry) if isinstance(entry, Intent) else entry for entry in entries
        ]
        if begins:
            what = f"the ledger cannot be written, nothing is sent meanwhile: {failure}"
            logger.error("%s: %s; %s", self._ledger.path, what, failure.fix)
            self._tell(Alert(Level.ERROR, what, str(self._ledger.path), failure.fix))
            self._again()
        return {entry: str(failure) for entry in entries if isinstance(entry, Intent)}

    def _went_well(self) -> None:
        if self._failing is not None:
            self._failing = None
            what = "the ledger can be written again"
            logger.warning("%s: %s", self._ledger.path, what)
            self._tell(Alert(Level.NOTE, what, str(self._ledger.path)))
