"""Which of several legs a follower sends first, and which it holds for another (1.4.5)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.inputs import (
    Granted,
    Heard,
    Input,
    InstrumentsFound,
    Mandate,
    MarketFound,
    Rang,
    Restored,
)
from domain.messages import Answered, OrderHeard, OrderSeen
from domain.orders import Order, Side, Status
from domain.outcomes import Accepted
from domain.schedules import Schedule
from domain.steps import Place
from tests.actors.test_following import Hands, follow
from tests.domain.builders import FOLLOWER, after, intent
from tests.domain.test_legs import BANK, CALL, PUT, RULES, order

MANDATE = Mandate(RULES)
HOLDING = Mandate(replace(RULES, hold_sold_legs=timedelta(seconds=1)))
AROUND: tuple[Input, ...] = (
    Restored(()),
    MarketFound(Schedule.NSE_FNO, takes=True),
    InstrumentsFound((CALL, PUT, BANK)),
)
SOLD, BOUGHT = order(1, PUT, Side.SELL), order(2, CALL)
OTHER = order(3, BANK, Side.SELL)


def seen(one: Order) -> OrderSeen:
    return OrderSeen(one, one.placed_at, 1)


def sent(hands: Hands) -> list[str]:
    return [copy.leader_order_id for copy, _, _ in hands.sent]


@pytest.mark.parametrize("window", [2, 0])
def test_bought_legs_go_first_of_those_that_wait_together(window: int) -> None:
    mandate = Mandate(replace(RULES, legs_window=timedelta(seconds=window)))
    waiting = [seen(one) for one in (SOLD, OTHER, BOUGHT)]
    _, hands = follow(*AROUND, *waiting, Granted(9), mandate=mandate)
    first, last = (BOUGHT, SOLD) if window else (SOLD, BOUGHT)
    assert sent(hands) == [first.order_id, OTHER.order_id, last.order_id]


def test_a_leg_that_comes_alone_does_not_wait() -> None:
    _, hands = follow(*AROUND, Granted(9), seen(SOLD), seen(BOUGHT), mandate=MANDATE)
    assert sent(hands) == [SOLD.order_id, BOUGHT.order_id]


def test_a_sold_leg_is_held_until_the_bought_one_has_traded() -> None:
    following, hands = follow(*AROUND, Granted(9), seen(SOLD), seen(BOUGHT), mandate=HOLDING)
    assert sent(hands) == [BOUGHT.order_id]
    assert (SOLD.order_id, timedelta(seconds=0.6)) in hands.alarms
    copy, step, now = hands.sent[0]
    assert isinstance(step, Place)
    following.take(Answered(intent(copy, step, now), Accepted("77"), 1, 1, 1), after(0.7))
    assert sent(hands) == [BOUGHT.order_id]
    assert following.pressing == {SOLD.order_id}
    name = step.ticket.correlation_id
    own = replace(BOUGHT, order_id="77", client_id=FOLLOWER, correlation_id=name)
    traded = replace(own, status=Status.TRADED, filled=65, traded_value=650_000)
    following.take(Heard((OrderHeard(traded),)), after(0.8))
    assert sent(hands) == [BOUGHT.order_id, SOLD.order_id]
    assert following.pressing == set()


def test_a_sold_leg_without_a_bought_one_is_held_no_longer_than_allowed() -> None:
    following, hands = follow(*AROUND, Granted(9), seen(SOLD), mandate=HOLDING)
    following.take(Rang(SOLD.order_id), after(0.9))
    assert sent(hands) == []
    following.take(Rang(SOLD.order_id), after(1))
    assert sent(hands) == [SOLD.order_id]
