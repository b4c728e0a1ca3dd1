"""Legs that stand alone are left: exactly what they built, and nothing else of the follower's."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.following import Following
from actors.post import Post
from domain.copies import Skipped
from domain.correlation import correlation_id
from domain.inputs import BookRead, Granted, Heard, Input, LegsAlone, Mandate, MarketFound, Restored
from domain.messages import Answered, OrderHeard, OrderSeen
from domain.orders import Order, Side, Status
from domain.outcomes import Accepted
from domain.rules import FailedLeg, Rules
from domain.schedules import Schedule
from domain.sizing import Exit
from domain.steps import Place
from tests.actors.flattened import Flattened
from tests.actors.test_following import Hands, follow
from tests.actors.test_following_legs import AROUND, BOUGHT, SOLD, seen
from tests.domain.builders import FOLLOWER, after, intent, stamp
from tests.domain.exchange import TrueOrder
from tests.domain.test_legs import CALL, RULES

LEAVING = replace(RULES, failed_leg=FailedLeg.FLATTEN)
MANDATE = Mandate(LEAVING)
ALONE = LegsAlone((BOUGHT.order_id, SOLD.order_id), "the future is rejected")


class Desk:
    """A follower and what its broker has; seconds are counted from noon."""

    def __init__(self, *told: Order) -> None:
        self.following, self.hands = follow(
            *AROUND, Granted(50), *(seen(one) for one in told), mandate=MANDATE
        )
        self.seconds = 1.0
        self._answered = 0

    def take(self, *told: Input) -> None:
        for one in told:
            self.seconds += 0.1
            self.following.take(one, after(self.seconds))

    def answers(self) -> None:
        """The broker takes what was sent."""
        for number in range(self._answered, len(self.hands.sent)):
            copy, step, now = self.hands.sent[number]
            order_id = f"7{number}" if isinstance(step, Place) else step.order_id
            self.take(Answered(intent(copy, step, now), Accepted(order_id), 1, 1, 1))
            if isinstance(step, Place):
                self.hears(number, Status.PENDING)
        self._answered = len(self.hands.sent)

    def hears(self, number: int, status: Status, filled: int = 0) -> None:
        """The broker tells of the order that was sent with that number."""
        _, step, _ = self.hands.sent[number]
        assert isinstance(step, Place)
        ticket = step.ticket
        own = Order(
            f"7{number}",
            FOLLOWER,
            ticket.instrument,
            ticket.side,
            ticket.product,
            ticket.terms,
            status,
            stamp(int(self.seconds * 10) + 1),
            filled=filled,
            traded_value=filled * 10_000,
            correlation_id=ticket.correlation_id,
        )
        self.take(Heard((OrderHeard(own),)))

    def reads(self) -> None:
        self.seconds += 0.2
        asked_at = after(self.seconds - 0.05)
        self.take(BookRead((), asked_at, complete=True))

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Who was asked for what, in short."""
        return [
            (type(step).__name__, copy.leader_order_id.rpartition("-")[0] or copy.leader_order_id)
            for copy, step, _ in self.hands.sent
        ]


def traded(*told: Order) -> Desk:
    """A follower whose legs have all traded, each 65."""
    desk = Desk(*told)
    desk.answers()
    for number in range(len(told)):
        desk.hears(number, Status.TRADED, 65)
    return desk


def test_what_was_sold_is_bought_back_first() -> None:
    desk = traded(BOUGHT, SOLD)
    desk.take(ALONE)
    assert len(desk.sent) == 2, "an order book is to be read first"
    desk.reads()
    assert [step for step, _ in desk.sent[2:]] == ["Place"]
    _, back, _ = desk.hands.sent[2]
    assert isinstance(back, Place)
    assert (back.ticket.side, back.ticket.terms.quantity) == (Side.BUY, 65)
    assert back.ticket.instrument == SOLD.instrument
    desk.answers()
    desk.reads()
    assert len(desk.sent) == 3, "what covers a sold option is kept until that is bought back"
    desk.hears(2, Status.TRADED, 65)
    desk.reads()
    _, last, _ = desk.hands.sent[3]
    assert isinstance(last, Place)
    assert (last.ticket.side, last.ticket.instrument) == (Side.SELL, BOUGHT.instrument)
    desk.answers()
    desk.hears(3, Status.TRADED, 65)
    desk.reads()
    assert len(desk.sent) == 4
    assert desk.following.book.holdings.positions() == {}
    assert not desk.following.flattening.awaits_book


def test_what_covers_a_sold_leg_is_left_where_that_cannot_be_bought_back() -> None:
    desk = traded(BOUGHT, SOLD)
    desk.take(ALONE)
    desk.reads()
    desk.answers()
    desk.hears(2, Status.REJECTED)
    desk.reads()
    placed = [step.ticket for _, step, _ in desk.hands.sent[3:] if isinstance(step, Place)]
    assert [one.instrument for one in placed] == [BOUGHT.instrument]


def test_an_open_leg_is_cancelled_and_no_change_of_the_leaders_is_followed() -> None:
    two = replace(BOUGHT, terms=replace(BOUGHT.terms, quantity=130))
    desk = Desk(two)
    desk.answers()
    desk.take(replace(ALONE, leader_order_ids=(BOUGHT.order_id,)))
    assert desk.sent == [("Place", BOUGHT.order_id), ("Cancel", BOUGHT.order_id)]
    changed = replace(two, terms=replace(two.terms, price=9_000), stamp=stamp(9))
    desk.take(OrderSeen(changed, BOUGHT.placed_at, 2))
    desk.answers()
    desk.hears(0, Status.CANCELLED, 65)
    desk.reads()
    assert [step for step, _ in desk.sent] == ["Place", "Cancel", "Place"]
    _, exits, _ = desk.hands.sent[2]
    assert isinstance(exits, Place)
    assert (exits.ticket.side, exits.ticket.terms.quantity) == (Side.SELL, 65)
    report = desk.following.book.report(BOUGHT.order_id, after(20))
    assert report is not None
    assert report.reason == f"{Skipped.LONE_LEG}: {ALONE.why}"
    assert report.in_step


def test_the_leaders_exit_finds_nothing_even_before_the_leg_is_left() -> None:
    desk = traded(BOUGHT)
    filled = replace(BOUGHT, filled=65, traded_value=650_000, status=Status.TRADED, stamp=stamp(5))
    desk.take(OrderSeen(filled, BOUGHT.placed_at, 2))
    desk.take(replace(ALONE, leader_order_ids=(BOUGHT.order_id,)))
    leaves = replace(
        BOUGHT, order_id="90009", side=Side.SELL, placed_at=after(desk.seconds), stamp=stamp(6)
    )
    desk.take(OrderSeen(leaves, after(desk.seconds), 3))
    assert len(desk.sent) == 1
    assert desk.following.book.copies["90009"].skipped is Skipped.UNDER_ONE_LOT
    desk.reads()
    assert len(desk.sent) == 2


def test_an_exit_that_rests_is_cancelled_with_the_leg() -> None:
    desk = traded(BOUGHT)
    filled = replace(BOUGHT, filled=65, traded_value=650_000, status=Status.TRADED, stamp=stamp(5))
    stop = replace(BOUGHT, order_id="90009", side=Side.SELL, placed_at=after(1), stamp=stamp(6))
    desk.take(OrderSeen(filled, BOUGHT.placed_at, 2), OrderSeen(stop, after(1), 3))
    desk.answers()
    desk.take(replace(ALONE, leader_order_ids=(BOUGHT.order_id,)))
    assert desk.sent[1:] == [("Place", "90009"), ("Cancel", "90009")]
    desk.answers()
    desk.reads()
    assert len(desk.sent) == 3, "the exit may trade yet"
    desk.hears(1, Status.CANCELLED)
    desk.reads()
    assert [step for step, _ in desk.sent[3:]] == ["Place"]


@pytest.mark.parametrize("policy", FailedLeg)
def test_a_new_life_goes_on_and_doubles_nothing(policy: FailedLeg) -> None:
    desk = traded(BOUGHT, SOLD)
    desk.take(ALONE)
    desk.reads()
    desk.answers()
    before, book = list(desk.hands.sent), desk.following.book
    hands = Hands()
    mandate = Mandate(replace(LEAVING, failed_leg=policy))
    following = Following("asha", FOLLOWER, mandate, Post(), hands)
    following.open(after(30))
    orders = tuple(book.orders.values())
    for told in (
        Restored(tuple(book.copies.values()), orders),
        MarketFound(Schedule.NSE_FNO, takes=True),
        *AROUND[2:],
        Granted(50),
        seen(BOUGHT),
        seen(SOLD),
        BookRead((), after(40), complete=True),
    ):
        following.take(told, after(41))
    assert hands.sent == [], "the order that buys back still stands"
    _, back, _ = before[2]
    assert isinstance(back, Place)
    own = Order(
        "72",
        FOLLOWER,
        back.ticket.instrument,
        back.ticket.side,
        back.ticket.product,
        back.ticket.terms,
        Status.TRADED,
        stamp(42),
        filled=65,
        traded_value=650_000,
        correlation_id=back.ticket.correlation_id,
    )
    following.take(Heard((OrderHeard(own),)), after(42))
    following.take(BookRead((), after(43), complete=True), after(43.1))
    sold = [step.ticket.instrument for _, step, _ in hands.sent if isinstance(step, Place)]
    assert sold == ([CALL.key] if policy is FailedLeg.FLATTEN else [])


WORLD = Rules(
    "asha",
    settle=timedelta(seconds=10),
    park_after=timedelta(hours=1),
    failed_leg=FailedLeg.FLATTEN,
)


class Alone(Flattened):
    """Legs among other orders in one instrument, of which some stand alone."""

    def __init__(self, seed: int, freeze: int | None) -> None:
        super().__init__(seed, freeze, WORLD)

    def stand_alone(self) -> None:
        """Some of the leader's purchases do."""
        book = self.following.book
        bought = [
            leader_id
            for leader_id, order in book.orders.items()
            if order.side is Side.BUY
            and not order.flattening
            and not isinstance(book.copies[leader_id].sizing, Exit)
            and self.chance.random() < 0.5
        ]
        if bought:
            self.take(LegsAlone(tuple(bought), "another failed"))

    def _legs(self) -> set[str]:
        """The names of the orders at the broker that are legs to be left."""
        return {
            correlation_id(key, 0, 0).partition("-")[0]
            for key, copy in self.following.book.copies.items()
            if copy.lone and not isinstance(copy.sizing, Exit)
        }

    @property
    def excess(self) -> int:
        """By how much the orders that leave the legs may trade more than those did (shares)."""
        legs, bought, leaving = self._legs(), 0, 0
        for one in self.account.orders.values():
            name = (one.correlation_id or "").partition("-")[0]
            if name.startswith("LSh"):
                leaving += one.terms.quantity if one.open else one.filled
            elif name in legs:
                bought += one.filled
        for sent in self._line:
            if isinstance(sent.request, Place) and sent.leader_order_id.startswith("FLAT-"):
                leaving += sent.request.ticket.terms.quantity
        return max(0, leaving - bought)

    @property
    def open_legs(self) -> list[TrueOrder]:
        legs = self._legs()
        return [o for o in self.still_open if (o.correlation_id or "").partition("-")[0] in legs]

    def left(self) -> bool:
        return not self.following.book.holdings.lone() and not self.open_legs

    def ends(self) -> None:
        """From now on all goes well, and whatever leaves a leg trades."""
        for _ in range(200):
            self.arrives_all()
            for one in list(self.account.orders.values()):
                self.account.settle(one)
                if (one.correlation_id or "").startswith("LSh"):
                    self.account.fill(one, 100, 50, 10_000)
            self.account.events.clear()
            self.reads()
            self.passes(1.0)
            if self.left() and not self._line:
                return


@settings(deadline=None, max_examples=100)
@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 25),
    later=st.integers(0, 40),
    restarts=st.sets(st.integers(0, 40), max_size=3),
    freeze=st.sampled_from((None, 151)),
)
def test_legs_are_left_whatever_happens_and_no_more_than_they_built(
    seed: int, before: int, later: int, restarts: set[int], freeze: int | None
) -> None:
    world = Alone(seed, freeze)
    for _ in range(before):
        world.leads() if world.chance.random() < 0.3 else world.acts()
    world.stand_alone()
    for number in range(later):
        if number in restarts:
            world.restart()
        world.leads() if world.chance.random() < 0.1 else world.acts()
        assert not world.excess
    world.ends()
    assert world.left()
    assert not world.excess
