"""The BoardActor: what the operator sees at a glance, collected from what everybody tells."""

from collections import deque
from dataclasses import dataclass

from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import BOARD, LEDGER
from domain.messages import (
    Alert,
    CopyChanged,
    CopyReport,
    FeedLive,
    FeedLost,
    FeedRefused,
    LeaderOrder,
    MoodChanged,
    SessionChanged,
)
from domain.orders import Order
from ledger.moods import mood_entry

_ALERTS = 50


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for a `View`."""


@dataclass(frozen=True, slots=True)
class View:
    """The board at one moment. `links` tells for each client id whether its order feed is up;
    `alerts` are the newest last."""

    orders: tuple[Order, ...] = ()
    copies: tuple[CopyReport, ...] = ()
    moods: tuple[MoodChanged, ...] = ()
    links: tuple[tuple[str, bool], ...] = ()
    sessions: tuple[SessionChanged, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def missing(self) -> list[tuple[str, str]]:
        """Leader orders and followers between which nothing was decided yet."""
        known = {(copy.leader_order_id, copy.follower) for copy in self.copies}
        return [
            (order.order_id, mood.follower)
            for order in self.orders
            for mood in self.moods
            if (order.order_id, mood.follower) not in known
        ]

    @property
    def in_step(self) -> bool:
        """Whether every leader order of the day is as it should be in every account."""
        return not self.missing() and all(copy.in_step for copy in self.copies)


class BoardActor(FloorActor):
    """Keeps the newest of everything that is told about orders, copies and accounts."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(BOARD, floor)
        self._orders: dict[str, Order] = {}
        self._copies: dict[tuple[str, str], CopyReport] = {}
        self._moods: dict[str, MoodChanged] = {}
        self._roster: tuple[str, ...] = ()
        self._links: dict[str, bool] = {}
        self._sessions: dict[str, SessionChanged] = {}
        self._alerts: deque[Alert] = deque(maxlen=_ALERTS)

    def receive(self, message: object) -> object:
        match message:
            case CopyChanged(report):
                self._copies[report.leader_order_id, report.follower] = report
            case LeaderOrder(order):
                self._orders[order.order_id] = order
            case MoodChanged(follower):
                self._moods[follower] = message
                self.floor.post.tell(LEDGER, Record(mood_entry(message)))
            case FeedLive(account):
                self._links[account] = True
            case FeedLost(account) | FeedRefused(account):
                self._links[account] = False
            case SessionChanged(schedule):
                self._sessions[schedule] = message
            case Alert():
                self._alerts.append(message)
            case Roster(followers):
                self._roster = followers
            case Look():
                return self._view()
            case _:
                super().receive(message)
        return None

    def _view(self) -> View:
        return View(
            orders=tuple(self._orders.values()),
            copies=tuple(self._copies.values()),
            moods=tuple(self._moods[name] for name in self._roster if name in self._moods),
            links=tuple(self._links.items()),
            sessions=tuple(self._sessions.values()),
            alerts=tuple(self._alerts),
        )


@dataclass(frozen=True, slots=True)
class Roster:
    """The followers are these, in this order; what one who is gone has copied stays."""

    followers: tuple[str, ...]
