"""The hands of a running follower: the ledger, the wire behind it, and the timer."""

from collections.abc import Callable
from datetime import datetime, timedelta

from actors.account import Account
from actors.floor import Floor
from actors.hands import Timing
from actors.intents import intent
from actors.ledger import Dispatch, Journaled, Recall
from actors.post import LEDGER
from actors.settings import FollowerSettings
from domain.copies import Copy
from domain.inputs import Input
from domain.messages import Intent, Tick
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
        self._held: list[tuple[int, Intent]] = []
        self._recalled: list[Intent] = []

    def note(self, told: Input, now: datetime) -> None:
        self._notes.append(Noted(self.settings.name, now, told))

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        settings, now_ns, slot = self.settings, self._floor.clock.ns(), timing.slot
        client_id = settings.address.client_id
        made = intent(settings.name, client_id, copy, step, timing, now, now_ns)
        if slot > now_ns:
            self._held.append((slot, made))
        request, line = self._account.request(step), self._account.line
        notes, self._notes = tuple(self._notes), []
        self._floor.turns.sent()
        told = Dispatch(made, request, line, settings.timeout, notes, slot)
        self._floor.post.tell(LEDGER, told)

    def recall(self, leader_id: str | None = None) -> None:
        for one in self._still_held():
            if leader_id in (None, one.leader_order_id):
                self._call_back(one)

    def make_way(self, urgent: int, exits: Callable[[str], bool]) -> None:
        newest = [one for one in reversed(self._still_held()) if one.change is None]
        newest.sort(key=lambda one: exits(one.leader_order_id))
        for one in newest[: max(0, urgent - len(self._recalled))]:
            self._call_back(one)

    def settled(self, intent: Intent) -> None:
        """Note that it is known what came of a request."""
        self._held = [held for held in self._held if held[1] is not intent]
        self._recalled = [one for one in self._recalled if one is not intent]

    def _still_held(self) -> list[Intent]:
        """What may wait at the wire for its slot, in the order in which it was sent."""
        now_ns = self._floor.clock.ns()
        self._held = [held for held in self._held if held[0] > now_ns]
        return [one for _, one in self._held]

    def _call_back(self, intent: Intent) -> None:
        self._held = [held for held in self._held if held[1] is not intent]
        self._recalled.append(intent)
        self._floor.post.tell(LEDGER, Recall(intent, self._account.line))

    def ring(self, leader_id: str, after: timedelta) -> None:
        self._later(after.total_seconds(), Tick(leader_id))

    def flush(self) -> None:
        """Have recorded what led to nothing."""
        if self._notes:
            notes, self._notes = tuple(self._notes), []
            self._floor.post.tell(LEDGER, Journaled(notes))
