"""What becomes of a copy whose market does not take it, by the follower's policy and the phase
(scenarios 5.5, 1.6, 6.1 to 6.4, 6.6)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import Skipped
from domain.messages import OrderSeen
from domain.missed import Missed
from domain.orders import AmoTime, OrderType, Product, Side, Status, Terms, Validity
from domain.rules import WhenClosed
from domain.schedules import Schedule
from domain.sessions import Phase, Session
from domain.steps import Cancel, Hold, Modify, Place, Skip, Step, Why
from tests.domain.builders import MARKET, NOON, RULES, filled, leader_order, terms
from tests.domain.pair import Pair

CLOSED = Hold(Why.MARKET_CLOSED)
HOLD, AMO, SKIP = WhenClosed.HOLD, WhenClosed.AMO, WhenClosed.SKIP
BETWEEN = [Phase.MATCHING, Phase.BUFFER, Phase.POST_CLOSE, Phase.HALTED]
STOP = terms(order_type=OrderType.STOP_LOSS, price=10_000, trigger=9_900)


class Market(Pair):
    """A pair whose market goes through the phases of a day."""

    def __init__(self, policy: WhenClosed, phase: Phase, **said: object) -> None:
        super().__init__(leader_order(**said), replace(RULES, when_closed=policy))
        self.enter(phase)

    def enter(self, phase: Phase, seconds: float | None = None) -> "Market":
        """The phase begins, so many seconds after noon."""
        if seconds is not None:
            self.at(seconds)
        session = Session(phase, timedelta(0))
        self.book.listings.session(Schedule.NSE_FNO, session, self.now)
        self.open = phase.takes_orders
        return self

    def exit(self) -> Step:
        """What is done about the leader's exit from what the copy holds."""
        told = leader_order(order_id="7", side=Side.SELL, product=self.leader.product)
        self.book.seen(OrderSeen(filled(told, 200), NOON, 1))
        return self.book.step("7", self.mood, self.open, self.now)


@pytest.mark.parametrize("phase", BETWEEN)
@pytest.mark.parametrize(
    ("policy", "step"), [(HOLD, CLOSED), (AMO, CLOSED), (SKIP, Skip(Skipped.MARKET_CLOSED))]
)
def test_s5_5_between_two_phases_of_a_day_nobody_takes_anything(
    policy: WhenClosed, phase: Phase, step: Step
) -> None:
    assert Market(policy, phase).step() == step


@pytest.mark.parametrize(("policy", "amo"), [(HOLD, None), (AMO, AmoTime.OPEN), (SKIP, None)])
def test_s6_2_after_the_close_only_one_policy_sends(
    policy: WhenClosed, amo: AmoTime | None
) -> None:
    step = Market(policy, Phase.CLOSED).step()
    assert (step.ticket.amo_time if isinstance(step, Place) else None) is amo


@pytest.mark.parametrize("policy", WhenClosed)
@pytest.mark.parametrize("timing", [None, *AmoTime])
def test_s1_6_what_the_leader_placed_after_market_is_so_for_every_policy(
    policy: WhenClosed, timing: AmoTime | None
) -> None:
    step = Market(policy, Phase.CLOSED, after_market=True, amo_time=timing).step()
    assert isinstance(step, Place)
    assert step.ticket.amo_time is (timing or AmoTime.OPEN)


@pytest.mark.parametrize("policy", [HOLD, AMO])
def test_s6_1_what_was_held_goes_at_the_open_and_is_not_too_old_for_it(
    policy: WhenClosed,
) -> None:
    pair = Market(policy, Phase.BUFFER)
    assert pair.step() == CLOSED
    pair.enter(Phase.OPEN, 420)
    step = pair.at(449).step()
    assert isinstance(step, Place)
    assert step.ticket.amo_time is None


def test_s6_6_an_entry_that_nobody_could_place_for_max_age_after_the_open_is_dropped() -> None:
    pair = Market(HOLD, Phase.HALTED)
    pair.enter(Phase.OPEN, 600)
    late = Missed(100, timedelta(seconds=31), timedelta(seconds=30))
    assert pair.at(631).step() == Skip(Skipped.STALE, "31 s old, 30 s allowed", late)


def test_s6_2_what_the_leader_got_just_before_the_close_is_held_until_it_is_too_old() -> None:
    pair = Market(HOLD, Phase.OPEN)
    pair.leader_trades()
    pair.enter(Phase.CLOSED, 1)
    until = NOON + RULES.max_age + timedelta.resolution
    assert pair.step() == Hold(Why.MARKET_CLOSED, until)
    pair.now = until
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.STALE


@pytest.mark.parametrize("policy", WhenClosed)
@pytest.mark.parametrize("phase", [*BETWEEN, Phase.CLOSED])
def test_s5_5_an_exit_is_never_skipped_nor_dropped(policy: WhenClosed, phase: Phase) -> None:
    tomorrow = 21 * 3600
    pair = Market(policy, Phase.OPEN, product=Product.MARGIN)
    pair.place()
    pair.fill(100)
    pair.leader_trades()
    step = pair.enter(phase, 7200).exit()
    if policy is AMO and phase is Phase.CLOSED:
        assert isinstance(step, Place)
        assert step.ticket.amo_time is AmoTime.OPEN
        return
    assert step == CLOSED
    step = pair.enter(Phase.OPEN, tomorrow).exit()
    assert isinstance(step, Place)
    assert (step.ticket.side, step.ticket.amo_time) == (Side.SELL, None)


@pytest.mark.parametrize("phase", [*BETWEEN, Phase.CLOSED])
def test_a_cancel_goes_at_once_and_a_change_only_of_what_is_after_market(phase: Phase) -> None:
    pair = Market(HOLD, Phase.OPEN)
    pair.place()
    pair.enter(phase, 60).lead(terms=terms(price=10_050))
    assert pair.step() == CLOSED
    pair.lead(status=Status.CANCELLED)
    assert isinstance(pair.step(), Cancel)
    late = Market(AMO, Phase.CLOSED)
    late.place()
    late.enter(phase, 60).lead(terms=terms(price=10_050))
    assert isinstance(late.modify(), Modify)
    late.lead(status=Status.CANCELLED)
    assert isinstance(late.step(), Cancel)


@pytest.mark.parametrize("phase", [Phase.PRE_OPEN, Phase.CLOSING_AUCTION])
@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (terms(), True),
        (MARKET, True),
        (STOP, False),
        (terms(order_type=OrderType.STOP_LOSS_MARKET, price=0, trigger=9_900), False),
        (terms(validity=Validity.IOC), False),
        (terms(disclosed=100), False),
    ],
)
def test_s6_3_an_auction_takes_limit_and_market_orders_only(
    phase: Phase, asked: Terms, taken: bool
) -> None:
    for policy in (HOLD, AMO):
        assert isinstance(Market(policy, phase, terms=asked).step(), Place if taken else Hold)
    step = Market(SKIP, phase, terms=asked).step()
    assert isinstance(step, Place if taken else Skip)


def test_s6_2_a_stop_in_the_closing_auction_is_sent_after_market_once_that_is_over() -> None:
    pair = Market(AMO, Phase.CLOSING_AUCTION, terms=STOP)
    assert pair.step() == CLOSED
    step = pair.enter(Phase.CLOSED, 1200).step()
    assert isinstance(step, Place)
    assert step.ticket.amo_time is AmoTime.OPEN
