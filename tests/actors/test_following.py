"""A follower's decisions without its actor: what each input leads to."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from actors.following import Following
from actors.hands import Timing
from actors.post import Post
from domain.copies import Copy, Skipped
from domain.funds import FreeCash, MarginTold, Trade
from domain.inputs import (
    BookRead,
    Drained,
    Granted,
    Heard,
    Input,
    InstrumentsFound,
    LimiterLost,
    Looked,
    Mandate,
    Mandated,
    MarketFound,
    Opened,
    Rang,
    Restored,
)
from domain.limits import DayLoss, Limits
from domain.messages import Answered, NotRecorded, OrderHeard, OrderSeen
from domain.orders import Product, Side, Status
from domain.outcomes import Accepted
from domain.rules import Rules
from domain.schedules import Schedule
from domain.steps import Cancel, Place, Request
from tests.domain.builders import (
    CONTRACT,
    LEADER_ORDER,
    NOON,
    RULES,
    after,
    filled,
    intent,
    leader_order,
    stamp,
)
from tests.domain.pair import Pair

MANDATE = Mandate(RULES)
READY: tuple[Input, ...] = (
    Restored(()),
    Granted(10),
    MarketFound(Schedule.NSE_FNO, takes=True),
    InstrumentsFound((CONTRACT,)),
)
SEEN = OrderSeen(leader_order(), NOON, 1)


@dataclass
class Hands:
    """Keeps what is noted, sent, called back and to be rung."""

    notes: list[tuple[Input, datetime]] = field(default_factory=list)
    sent: list[tuple[Copy, Request, datetime]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    alarms: list[tuple[str, timedelta]] = field(default_factory=list)
    recalled: list[str | None] = field(default_factory=list)
    ways: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def note(self, told: Input, now: datetime) -> None:
        self.notes.append((told, now))

    def send(self, copy: Copy, step: Request, now: datetime, timing: Timing) -> None:
        self.sent.append((copy, step, now))
        self.slots.append(timing.slot)

    def recall(self, leader_id: str | None = None) -> None:
        self.recalled.append(leader_id)

    def make_way(self, urgent: int, exits: Callable[[str], bool]) -> None:
        placed = [copy.leader_order_id for copy, step, _ in self.sent if isinstance(step, Place)]
        self.ways.append((urgent, tuple(one for one in placed if exits(one))))

    def ring(self, leader_id: str, after: timedelta) -> None:
        self.alarms.append((leader_id, after))


def follow(*told: Input, mandate: Mandate = MANDATE) -> tuple[Following, Hands]:
    """A follower that took all this, a tenth of a second apart."""
    hands = Hands()
    following = Following("asha", "1000000002", mandate, Post(), hands)
    following.open(NOON)
    for number, one in enumerate(told):
        following.take(one, after(number / 10))
    return following, hands


def steps(hands: Hands) -> list[type[Request]]:
    return [type(step) for _, step, _ in hands.sent]


@pytest.mark.parametrize("late", range(len(READY)))
def test_an_order_waits_for_whatever_comes_last(late: int) -> None:
    others = [one for number, one in enumerate(READY) if number != late]
    _, hands = follow(*others, SEEN)
    assert hands.sent == []
    last = READY[late]
    _, hands = follow(*others, SEEN, last)
    assert steps(hands) == [Place]


def test_what_is_taken_is_noted_before_anything_is_sent() -> None:
    _, hands = follow(*READY, SEEN)
    assert [told for told, _ in hands.notes] == [Opened(MANDATE), *READY, SEEN]
    assert [at for _, at in hands.notes][-1] == hands.sent[0][2] == after(0.4)


def test_only_what_is_new_is_thought_about() -> None:
    """An event that comes late or twice is none, unless it tells another price."""
    late = replace(SEEN, order=leader_order(status=Status.TRANSIT), hint=CONTRACT, ltp=10_000)
    following, hands = follow(*READY, replace(SEEN, hint=CONTRACT, ltp=10_000))
    for told, news in (
        (late, False),
        (replace(late, order=SEEN.order), False),
        (replace(late, ltp=10_050), True),
        (replace(late, ltp=10_050), False),
        (replace(late, order=filled(leader_order(), 50)), True),
    ):
        following.reporter.flush(after(1))
        following.take(told, after(1))
        assert following.reporter.waits == news
    assert steps(hands) == [Place]


def test_nothing_is_decided_after_the_drain() -> None:
    _, hands = follow(*READY, Drained(), SEEN)
    assert hands.sent == []


def test_permits_of_a_limiter_that_is_gone_do_not_count() -> None:
    following, hands = follow(*READY, LimiterLost(), SEEN)
    assert hands.sent == []
    following.take(Granted(1), after(1))
    assert steps(hands) == [Place]


def test_what_was_not_recorded_is_asked_for_again_after_a_pause() -> None:
    following, hands = follow(*READY, SEEN)
    copy, step, now = hands.sent.pop()
    following.take(NotRecorded(intent(copy, step, now), "the disk is full"), after(1))
    assert hands.sent == []
    assert hands.alarms[-1] == (LEADER_ORDER, timedelta(seconds=1))
    following.take(Rang(LEADER_ORDER), after(2))
    assert [step for _, step, _ in hands.sent] == [step]


def test_a_look_is_noted_only_where_it_finds_something() -> None:
    following, hands = follow(*READY, SEEN)
    noted = len(hands.notes)
    following.look(after(5))
    assert len(hands.notes) == noted
    following.look(after(30))  # the answer is long overdue
    assert hands.notes[noted:] == [(Looked(), after(30))]
    assert following.book.unresolved() == [LEADER_ORDER]


def test_a_look_that_is_followed_again_finds_the_same() -> None:
    following, _ = follow(*READY, SEEN)
    following.take(Looked(), after(30))
    assert following.book.unresolved() == [LEADER_ORDER]


def test_another_mandate_counts_from_the_next_order_on() -> None:
    twice = Mandate(Rules("asha"))
    _, hands = follow(*READY, SEEN, Mandated(twice), Granted(10), seen_again("7"))
    quantities = [s.ticket.terms.quantity for _, s, _ in hands.sent if isinstance(s, Place)]
    assert quantities == [100, 200]


def test_cancels_take_the_first_permit() -> None:
    following, hands = follow(*READY[:1], *READY[2:], SEEN, Granted(1))
    assert steps(hands) == [Place]
    following.take(seen_again("7"), after(1))
    _, step, _ = hands.sent[0]
    assert isinstance(step, Place)
    placed = leader_order(order_id="9", client_id="2", correlation_id=step.ticket.correlation_id)
    following.book.heard(placed)
    following.take(OrderSeen(leader_order(status=Status.CANCELLED), NOON, 2), after(2))
    assert steps(hands) == [Place]  # no permit is left
    following.take(Granted(1), after(3))
    assert steps(hands) == [Place, Cancel]


def seen_again(order_id: str) -> OrderSeen:
    return OrderSeen(leader_order(order_id=order_id), after(0.5), 2)


LOSING = Mandate(replace(RULES, limits=Limits(day_loss=500_000)))
LOST = DayLoss(NOON.date(), 500_000)


@pytest.mark.parametrize(
    ("told", "alerts"),
    [
        ((*READY, replace(LOST, loss=499_999)), 0),
        ((*READY, LOST, replace(LOST, loss=600_000), replace(LOST, loss=1)), 1),
        ((Restored((), loss=LOST), *READY[1:], replace(LOST, loss=700_000)), 0),
        ((Restored((), loss=LOST), *READY[1:], Mandated(LOSING)), 0),
        ((*READY, LOST, Mandated(MANDATE), Mandated(LOSING)), 2),
    ],
)
def test_a_lost_day_is_told_once_and_lasts(
    told: tuple[Input, ...], alerts: int, caplog: pytest.LogCaptureFixture
) -> None:
    following, hands = follow(*told, SEEN, mandate=LOSING)
    assert caplog.text.count("the day's loss has reached") == alerts
    reached = following.book.means.day_loss(after(9)) >= 500_000
    assert steps(hands) == ([] if reached else [Place])
    if reached:
        assert "day's loss" in following.book.copies[LEADER_ORDER].reason


CHECKED = Mandate(replace(RULES, limits=Limits(margin_check=True)))
CASH = FreeCash(1_000_000, after(0.5))
RATE = MarginTold(
    Trade(CONTRACT.key, Product.INTRADAY, Side.BUY), 200, 10_000, 2_000_000, after(0.5)
)


@pytest.mark.parametrize(
    ("told", "placed", "verdict"),
    [
        ((CASH,), 0, ""),
        ((RATE,), 0, ""),
        ((CASH, RATE), 1, ""),
        ((RATE, CASH), 1, ""),
        (
            (RATE, replace(CASH, paise=999_999)),
            0,
            "the account cannot pay for it: needs about 10000.00, free 9999.99",
        ),
    ],
)
def test_an_entry_waits_for_cash_and_its_margin(
    told: tuple[Input, ...], placed: int, verdict: str
) -> None:
    following, hands = follow(*READY, SEEN, *told, mandate=CHECKED)
    assert hands.alarms == [(LEADER_ORDER, timedelta(seconds=2))]
    assert steps(hands) == [Place] * placed
    copy = following.book.copies[LEADER_ORDER]
    assert copy.skipped is (Skipped.FUNDS if verdict else None)
    assert bool(following.pressing) == (not placed and not verdict)
    if verdict:
        assert copy.reason == verdict
    following.take(Rang(LEADER_ORDER), after(2.4))
    assert steps(hands) == ([] if verdict else [Place])  # unchecked, if nobody told


def test_what_was_not_recorded_claims_nothing() -> None:
    mandate = replace(CHECKED, rules=replace(CHECKED.rules, max_age=timedelta(hours=1)))
    following, hands = follow(CASH, RATE, *READY, SEEN, mandate=mandate)
    copy, step, now = hands.sent.pop()
    following.take(NotRecorded(intent(copy, step, now), "the disk is full"), after(1))
    following.take(Rang(LEADER_ORDER), after(2))
    assert [sent for _, sent, _ in hands.sent] == [step]


def test_an_old_exit_is_not_judged_again_by_what_was_built_since() -> None:
    """A paused follower misses a round trip of the leader, and is in the next one."""
    done = {"status": Status.TRADED, "filled": 200, "traded_value": 2_000_000}
    bought = leader_order(order_id="1", **done)
    sold = leader_order(order_id="2", side=Side.SELL, **done)
    seen, read = OrderSeen(bought, NOON, 1), BookRead((), after(0.6), complete=True)
    missed = (seen, read, OrderSeen(sold, NOON, 1))
    following, hands = follow(*READY, *missed, mandate=replace(MANDATE, paused=True))
    following.take(BookRead((), after(1), complete=True), after(1))
    for told in (Mandated(MANDATE), Granted(10)):
        following.take(told, after(40))
    following.take(OrderSeen(leader_order(order_id="3", **done), after(41), 1), after(41))
    ((copy, step, at),) = hands.sent
    assert isinstance(step, Place)
    following.take(Answered(intent(copy, step, at), Accepted("9"), 1, 2, 3), after(42))
    mine = leader_order(
        order_id="9", terms=step.ticket.terms, correlation_id=step.ticket.correlation_id
    )
    mine = replace(mine, status=Status.TRADED, filled=100, traded_value=1_000_000)
    following.take(Heard((OrderHeard(mine),)), after(43))
    for again in (Mandated(MANDATE), Granted(10)):
        following.take(again, after(44))
    assert steps(hands) == [Place]


YESTERDAY = -86_400


def held_exit(product: Product, day: int, rules: Rules = RULES) -> Restored:
    """What the ledger kept of an entry, and of the exit from it that was held."""
    pair = Pair(filled(leader_order(product=product, stamp=stamp(day)), 200), rules).at(day)
    pair.place()
    pair.fill(100)
    told = leader_order(order_id="7", side=Side.SELL, product=product, stamp=stamp(day + 60))
    left = filled(told, 200)
    pair.book.seen(OrderSeen(left, after(day + 60), 1))
    return Restored(tuple(pair.book.copies.values()), (pair.leader, left))


@pytest.mark.parametrize(
    ("product", "day", "exits"),
    [
        (Product.MARGIN, YESTERDAY, True),
        (Product.INTRADAY, YESTERDAY, False),  # the broker has squared it off
        (Product.MARGIN, -3_600, False),  # the leader's book of today tells it
    ],
)
def test_an_exit_that_was_held_goes_on_after_a_start_on_another_day(
    product: Product, day: int, exits: bool
) -> None:
    _, hands = follow(held_exit(product, day), *READY[1:])
    placed = [step for _, step, _ in hands.sent if isinstance(step, Place)]
    assert [(one.ticket.side, one.ticket.terms.quantity) for one in placed] == (
        [(Side.SELL, 100)] if exits else []
    )


def test_a_held_exit_of_an_inverse_follower_goes_on_too() -> None:
    rules = replace(RULES, inverse=True)
    kept = held_exit(Product.MARGIN, YESTERDAY, rules)
    _, hands = follow(kept, *READY[1:], mandate=Mandate(rules))
    (placed,) = (step for _, step, _ in hands.sent if isinstance(step, Place))
    assert (placed.ticket.side, placed.ticket.terms.quantity) == (Side.BUY, 100)


def test_an_entry_that_was_held_does_not_go_on() -> None:
    pair = Pair(leader_order(product=Product.MARGIN, stamp=stamp(YESTERDAY))).at(YESTERDAY)
    _, hands = follow(Restored((pair.copy,), (pair.leader,)), *READY[1:])
    assert hands.sent == []
