"""The hands of a running follower: the ledger, the wire behind it, and the timer."""

from collections.abc import Callable
from datetime import datetime, timedelta

from actors.account import Account
from actors.floor import Floor
from actors.intents import intent
from actors.ledger import Dispatch, Journaled
from actors.post import LEDGER
from actors.settings import FollowerSettings
from domain.copies import Copy
from domain.inputs import Input
from domain.messages import Tick
from domain.steps import Request
from ledger.entries import Noted


class Dispatcher:
    """Sends requests through the ledger, each with whatever was learnt before it: a request and
    its cause are recorded in one commit, or neither is."""

    def __init__(
        self,
        floor: Floor,
        settings: FollowerSettings,
        account: Account,
        later: Callable[[float, object], None],
    ) -> None:
        self._floor, self.settings = floor, settings
        self._account, self._later = account, later
        self._notes: list[Noted] = []

    def note(self, told: Input, now: datetime) -> None:
        self._notes.append(Noted(self.settings.name, now, told))

    def send(
        self, copy: Copy, step: Request, heard_ns: int | None, now: datetime, waited: timedelta
    ) -> None:
        settings, now_ns = self.settings, self._floor.clock.ns()
        client_id = settings.address.client_id
        made = intent(settings.name, client_id, copy, step, heard_ns, now, now_ns, waited)
        request, line = self._account.request(step), self._account.line
        notes, self._notes = tuple(self._notes), []
        self._floor.turns.sent()
        self._floor.post.tell(LEDGER, Dispatch(made, request, line, settings.timeout, notes))

    def ring(self, leader_id: str, after: timedelta) -> None:
        self._later(after.total_seconds(), Tick(leader_id))

    def flush(self) -> None:
        """Have recorded what led to nothing."""
        if self._notes:
            notes, self._notes = tuple(self._notes), []
            self._floor.post.tell(LEDGER, Journaled(notes))
