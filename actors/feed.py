"""The LeaderFeedActor: from the leader's order-update socket to what every follower is told."""

import logging
from datetime import datetime

from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import BOARD, FEED, LEDGER, RECOVERY, TOKENS, Post
from dhan.addresses import FeedAddress
from dhan.codec.feed import Alert as OrderAlert
from dhan.codec.feed import alerts
from dhan.feed import Feed
from domain.messages import (
    Alert,
    FeedLive,
    FeedLost,
    FeedRefused,
    FrameHeard,
    Level,
    OrderSeen,
    TokenRefused,
    TokenRenewed,
)
from domain.orders import Order
from ledger.entries import OrderKnown

logger = logging.getLogger(__name__)


class SocketListener:
    """Tells an actor, by name, what happens on an order-update socket."""

    def __init__(self, post: Post, name: str, account: str) -> None:
        self._post, self._name, self._account = post, name, account

    def frame(self, frame: str | bytes, heard: int) -> None:
        self._post.tell(self._name, FrameHeard(frame, heard))

    def live(self) -> None:
        self._post.tell(self._name, FeedLive(self._account))

    def lost(self, why: str) -> None:
        self._post.tell(self._name, FeedLost(self._account, why))

    def refused(self, why: str) -> None:
        self._post.tell(self._name, FeedRefused(self._account, why))


class LeaderFeedActor(FloorActor):
    """Owns the leader's socket; decodes, and tells followers, recovery and the ledger."""

    def __init__(self, floor: Floor, address: FeedAddress) -> None:
        super().__init__(FEED, floor)
        self._address = address
        self._feed: Feed
        self.junk = 0

    def begin(self) -> None:
        listener = SocketListener(self.floor.post, FEED, self._address.client_id)
        self._feed = Feed(self._address, listener)
        self._feed.start()

    def end(self) -> None:
        self._feed.stop(timeout=1.0)

    def receive(self, message: object) -> object:
        match message:
            case FrameHeard(frame, heard_ns):
                self._decode(frame, heard_ns)
            case FeedLive():
                logger.info("The leader's order feed is up")
                self._tell_state(message)
            case FeedLost(_, why):
                logger.warning("The leader's order feed is lost: %s", why)
                self._tell_state(message)
            case FeedRefused(_, why):
                self._refused(why)
            case TokenRenewed():
                self._feed.renewed()
            case _:
                super().receive(message)
        return None

    def _tell_state(self, state: FeedLive | FeedLost) -> None:
        self.floor.post.tell(RECOVERY, state)
        self.floor.post.tell(BOARD, state)

    def _refused(self, why: str) -> None:
        logger.error("Dhan does not take the leader's token on the order feed: %s", why)
        self.floor.post.tell(TOKENS, TokenRefused(FEED))
        self.floor.post.tell(
            BOARD,
            Alert(
                Level.ERROR,
                f"Dhan refused the leader's token on the order feed ({why})",
                "leader.token",
                "give one that is valid today: python run.py login leader; the order book is read "
                "meanwhile",
            ),
        )

    def _decode(self, frame: str | bytes, heard_ns: int) -> None:
        decoded = alerts(frame, heard_ns, self._address.client_id)
        for alert in decoded.alerts:
            self._tell(alert, heard_ns)
        for junk in decoded.junk:
            self.junk += 1
            logger.warning("Skipped a feed message: %s (%s)", junk.reason, junk.excerpt)

    def _tell(self, alert: OrderAlert, heard_ns: int) -> None:
        order = alert.order
        seen = OrderSeen(order, self._born(order), heard_ns, alert.hint, alert.ltp)
        post = self.floor.post
        self.floor.master.find((order.instrument,))  # so that not every follower reads the file
        post.tell_followers(seen)
        post.tell(RECOVERY, seen)
        post.tell(LEDGER, Record(OrderKnown("leader", order)))

    def _born(self, order: Order) -> datetime:
        """When the order was placed by this host's clock: its age by the broker's own two
        times, counted back from now, so that the clocks need not agree."""
        now = self.floor.clock.now()
        if order.placed_at is None:
            return now
        return now - max(order.stamp.updated_at - order.placed_at, now - now)
