"""What goes first and what never goes, while permits are short or the broker is down."""

from dataclasses import replace
from datetime import timedelta

from domain.inputs import BookRead, Granted, Heard, Mandate
from domain.messages import Answered, OrderHeard, OrderSeen
from domain.orders import Side, Status
from domain.outcomes import Accepted, NotSent
from domain.steps import Cancel, Modify, Place
from tests.actors.test_following import MANDATE, READY, SEEN, Hands, follow, steps
from tests.domain.builders import LEADER_ORDER, NOON, after, filled, intent, leader_order, terms

_SHORT = (READY[0], *READY[2:])
_PATIENT = Mandate(replace(MANDATE.rules, max_age=timedelta(hours=1)))


def seen(order_id: str, **said: object) -> OrderSeen:
    return OrderSeen(leader_order(order_id=order_id, **said), NOON, 1)


def answer(hands: Hands, number: int, came: Accepted | NotSent, at: float) -> Answered:
    """The answer to one of the requests that were sent."""
    copy, step, now = hands.sent[number]
    written = 2 if isinstance(came, Accepted) else None
    return Answered(intent(copy, step, now), came, 1, written, 3)


def changed(price: int, second: float) -> OrderSeen:
    order = leader_order(terms=terms(price=price))
    stamp = replace(order.stamp, updated_at=after(second))
    return OrderSeen(replace(order, stamp=stamp), NOON, 1)


def test_changes_that_wait_for_a_permit_are_one_change() -> None:
    following, hands = follow(*_SHORT, SEEN, Granted(1))
    following.take(answer(hands, 0, Accepted("9"), 1), after(1))
    for number, price in enumerate((10_100, 10_200, 10_300)):
        following.take(changed(price, 2 + number), after(2 + number))
    assert steps(hands) == [Place]
    following.take(Granted(10), after(6))
    assert steps(hands) == [Place, Modify]
    _, change, _ = hands.sent[-1]
    assert isinstance(change, Modify)
    assert change.terms.price == 10_300


def test_what_a_cancel_overtook_is_never_placed() -> None:
    following, hands = follow(*_SHORT, SEEN, seen("7"))
    following.take(seen("7", status=Status.CANCELLED), after(2))
    following.take(Granted(10), after(3))
    assert [copy.leader_order_id for copy, _, _ in hands.sent] == [LEADER_ORDER]


def test_entries_leave_what_is_kept_to_cancels() -> None:
    """Ten permits are in hand, of which entries may use one."""
    following, hands = follow(*_SHORT, Granted(10, -9), SEEN, seen("7"), seen("8"))
    assert steps(hands) == [Place]
    following.take(answer(hands, 0, Accepted("9"), 1), after(1))
    following.take(OrderSeen(leader_order(status=Status.CANCELLED), NOON, 2), after(2))
    assert steps(hands) == [Place, Cancel]
    following.take(Granted(0, -8), after(3))
    assert steps(hands) == [Place, Cancel]
    following.take(Granted(0, -6), after(4))
    assert steps(hands) == [Place, Cancel, Place, Place]


def test_after_an_outage_an_exit_is_tried_before_all_entries() -> None:
    following, hands = follow(*READY, SEEN, Granted(90), mandate=_PATIENT)
    _, bought, _ = hands.sent[0]
    assert isinstance(bought, Place)
    following.take(answer(hands, 0, Accepted("9"), 1), after(1))
    ticket = bought.ticket
    mine = leader_order(order_id="9", terms=ticket.terms, correlation_id=ticket.correlation_id)
    following.take(Heard((OrderHeard(filled(mine, ticket.terms.quantity)),)), after(1))
    following.take(OrderSeen(filled(leader_order(), 200), NOON, 1), after(1))
    for number in range(5):
        following.take(seen(f"2{number}"), after(2))
        following.take(answer(hands, 1 + number, NotSent("no connection"), 2), after(2))
    assert following.breaker.holds
    following.take(seen("30", side=Side.SELL), after(5))
    assert len(hands.sent) == 6
    following.take(BookRead((), after(2.5), complete=True), after(5))
    assert len(hands.sent) == 6, "the book was asked for before the pause was over"
    following.take(BookRead((), after(4), complete=True), after(9))
    assert [copy.leader_order_id for copy, _, _ in hands.sent[6:]] == ["30"]
    following.take(answer(hands, 6, Accepted("10"), 10), after(10))
    sent = [copy.leader_order_id for copy, _, _ in hands.sent[7:]]
    assert sorted(sent) == [f"2{number}" for number in range(5)]
