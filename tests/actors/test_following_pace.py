"""What goes first and what never goes, while permits are short or the broker is down."""

from dataclasses import replace
from datetime import timedelta

from actors.following import Following
from actors.post import Post
from domain.breaker import Breaker
from domain.halts import HaltAsked, Word
from domain.inputs import BookRead, Granted, Halted, Heard, Mandate
from domain.messages import Answered, OrderHeard, OrderSeen, PermitsReturned
from domain.orders import Order, Side, Status
from domain.outcomes import Accepted, NotSent, Outcome, Recalled, Throttled
from domain.steps import Cancel, Modify, Place
from tests.actors.test_following import MANDATE, READY, SEEN, Hands, follow, steps
from tests.domain.builders import (
    LEADER_ORDER,
    NOON,
    after,
    filled,
    intent,
    leader_order,
    stamp,
    terms,
)

_SHORT = (READY[0], *READY[2:])
_PATIENT = Mandate(replace(MANDATE.rules, max_age=timedelta(hours=1)))


class Told(Post):
    """Keeps what is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def tell(self, name: str, message: object) -> bool:
        self.told.append(message)
        return True


def seen(order_id: str, **said: object) -> OrderSeen:
    return OrderSeen(leader_order(order_id=order_id, **said), NOON, 1)


def answer(hands: Hands, number: int, came: Outcome, at: float) -> Answered:
    """The answer to one of the requests that were sent."""
    copy, step, now = hands.sent[number]
    written = None if isinstance(came, NotSent | Recalled) else 2
    return Answered(intent(copy, step, now), came, 1, written, 3)


def own(hands: Hands) -> Order:
    """The account's order by the first request, as it rests."""
    _, placed, _ = hands.sent[0]
    assert isinstance(placed, Place)
    ticket = placed.ticket
    return leader_order(order_id="9", terms=ticket.terms, correlation_id=ticket.correlation_id)


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


def test_the_first_slot_is_used_first_and_an_order_of_no_slot_goes_at_once() -> None:
    following, hands = follow(*_SHORT, Granted(3, None, (70, 50, 60)), SEEN, seen("7"))
    assert hands.slots == [50, 60]
    following.take(Granted(1, None, (40,)), after(3))
    following.take(Granted(1), after(3))
    for number in ("20", "21", "22"):
        following.take(seen(number), after(3))
    assert hands.slots == [50, 60, 0, 40, 70]


def test_a_permit_that_comes_back_counts_for_the_last_slot_that_was_taken() -> None:
    """The line may have given the first slot to something more urgent."""
    following, hands = follow(*_SHORT, Granted(3, None, (50, 60, 90)), SEEN, seen("7"))
    following.take(answer(hands, 0, Recalled(), 1), after(1))
    assert hands.slots == [50, 60, 60], "it was placed again"
    following.take(seen("8"), after(2))
    assert hands.slots == [50, 60, 60, 90]


def test_what_the_leader_changes_or_closes_is_called_back_and_what_trades_is_not() -> None:
    following, hands = follow(*_SHORT, SEEN, seen("7"), Granted(1))
    following.take(OrderSeen(filled(leader_order(), 50), NOON, 2), after(1))
    assert hands.recalled == []
    following.take(changed(10_100, 2), after(2))
    assert hands.recalled == [LEADER_ORDER]
    following.take(changed(10_100, 3), after(3))
    assert hands.recalled == [LEADER_ORDER], "nothing has changed"
    following.take(answer(hands, 0, Recalled(), 4), after(4))
    assert [copy.leader_order_id for copy, _, _ in hands.sent] == [LEADER_ORDER, "7"]
    following.take(seen(LEADER_ORDER, status=Status.CANCELLED, stamp=stamp(9)), after(5))
    assert hands.recalled == [LEADER_ORDER, LEADER_ORDER]


def test_a_cancel_without_a_permit_has_placements_called_back_and_goes_before_them() -> None:
    following, hands = follow(*_SHORT, SEEN, Granted(1))
    following.take(answer(hands, 0, Accepted("9"), 1), after(1))
    following.take(Granted(1, None, (50,)), after(1))
    following.take(seen("7"), after(1))
    assert hands.ways == []
    following.take(seen(LEADER_ORDER, status=Status.CANCELLED, stamp=stamp(9)), after(2))
    assert hands.ways == [(1, ())]
    assert steps(hands) == [Place, Place]
    following.take(answer(hands, 1, Recalled(), 2), after(2))
    assert steps(hands) == [Place, Place, Cancel]
    assert following.breaker == Breaker()
    following.take(Granted(1), after(3))
    assert [copy.leader_order_id for copy, _, _ in hands.sent][2:] == [LEADER_ORDER, "7"]


def test_as_many_placements_make_way_as_there_are_urgent_requests_exits_last() -> None:
    following, hands = follow(*_SHORT, SEEN, seen("7"), Granted(2))
    for number in (0, 1):
        following.take(answer(hands, number, Accepted(str(9 + number)), 1), after(1))
    mine = own(hands)
    following.take(Heard((OrderHeard(filled(mine, mine.terms.quantity)),)), after(1))
    following.take(OrderSeen(filled(leader_order(), 200), NOON, 2), after(1))
    following.take(Granted(2), after(1))
    following.take(seen("8", side=Side.SELL), after(2))
    following.take(seen("20"), after(2))
    following.take(seen("7", status=Status.CANCELLED, stamp=stamp(9)), after(3))
    assert hands.ways == [(1, ("8",))]


def test_a_429_has_all_that_waits_called_back_and_its_permits_given_back() -> None:
    post = Told()
    hands = Hands()
    following = Following("asha", "1000000002", MANDATE, post, hands)
    following.open(NOON)
    for told in (*_SHORT, Granted(3), SEEN, seen("7"), seen("8")):
        following.take(told, NOON)
    following.take(answer(hands, 0, Throttled("slowly"), 1), after(1))
    assert hands.recalled == [None]
    assert PermitsReturned("1000000002", 1) not in post.told
    following.take(answer(hands, 1, Recalled(), 1), after(1))
    assert PermitsReturned("1000000002", 1) in post.told
    assert following.pace.in_hand == 0
    following.take(Granted(5), after(2))
    assert [copy.leader_order_id for copy, _, _ in hands.sent[3:]] == ["7"]


def test_a_halt_has_all_that_waits_called_back() -> None:
    following, hands = follow(*_SHORT, SEEN, Granted(1))
    following.take(Halted(HaltAsked("1", "asha", Word.FLATTEN, "operator", NOON)), after(1))
    assert hands.recalled == [None]
    following.take(answer(hands, 0, Recalled(), 1), after(1))
    assert steps(hands) == [Place]


def test_a_broker_that_is_down_has_all_that_waits_called_back() -> None:
    following, hands = follow(*_SHORT, Granted(9), SEEN, *(seen(f"2{one}") for one in range(6)))
    for number in range(4):
        following.take(answer(hands, number, NotSent("no connection"), 1), after(1))
    assert hands.recalled == []
    following.take(answer(hands, 4, NotSent("no connection"), 1), after(1))
    assert hands.recalled == [None]


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
    following.take(answer(hands, 0, Accepted("9"), 1), after(1))
    mine = own(hands)
    following.take(Heard((OrderHeard(filled(mine, mine.terms.quantity)),)), after(1))
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


def test_what_a_cancel_waits_for_presses_and_a_placement_alone_does_not() -> None:
    following, hands = follow(*READY, SEEN)
    assert following.pressing == set(), "an order that was placed as it is wanted"
    following.take(OrderSeen(filled(leader_order(), 50), NOON, 2), after(0.6))
    assert following.pressing == set()
    following.take(seen(LEADER_ORDER, status=Status.CANCELLED, stamp=stamp(9)), after(0.7))
    assert following.pressing == {LEADER_ORDER}
    following.take(answer(hands, 0, Accepted("9"), 2), after(0.8))
    assert following.pressing == {LEADER_ORDER}, "Dhan cancels nothing in transit"
    mine = own(hands)
    following.take(Heard((OrderHeard(mine),)), after(0.9))
    assert steps(hands) == [Place, Cancel]
    assert following.pressing == set()


def test_a_change_presses_until_it_is_sent_and_one_that_changes_nothing_does_not() -> None:
    following, hands = follow(*READY, SEEN)
    following.take(changed(10_100, 1), after(1))
    assert following.pressing == {LEADER_ORDER}
    following.take(answer(hands, 0, Accepted("9"), 2), after(2))
    assert steps(hands) == [Place, Modify]
    assert following.pressing == set()
    following.take(answer(hands, 1, Accepted(), 3), after(3))
    assert following.pressing == set()
    following.take(changed(10_100, 4), after(4))
    assert following.pressing == set()


def test_an_exit_presses_while_what_it_leaves_is_to_trade_first() -> None:
    following, hands = follow(*READY, OrderSeen(filled(leader_order(), 200), NOON, 1))
    following.take(seen("8", side=Side.SELL), after(1))
    assert following.pressing == {"8"}
    mine = own(hands)
    following.take(Heard((OrderHeard(filled(mine, mine.terms.quantity)),)), after(2))
    assert steps(hands) == [Place, Place]
    assert following.pressing == set()
