"""A process that died and comes again finds everything out before it goes on (7.7)."""

from dataclasses import replace
from datetime import timedelta

from domain.copies import Withdrawal
from domain.messages import OrderSeen
from domain.orders import Status
from domain.outcomes import Refusal, Refused, Throttled
from domain.steps import Cancel, Hold, Modify, Place, Why
from tests.domain.builders import NOON, RULES, after, leader_order, terms
from tests.domain.pair import Pair

PATIENT = replace(RULES, max_age=timedelta(hours=9))


def test_s7_7_after_a_restart_what_was_in_flight_is_looked_for_however_old_it_is() -> None:
    """Parking counts from the restart too: else a copy would be given up unlooked for."""
    sent = Pair(rules=PATIENT)
    sent.send()
    for pair in (sent, Pair(rules=PATIENT).lose_answer()):
        pair.book.restore([pair.copy], after(3_600))
        assert pair.book.give_up(after(3_601)) == []
        assert pair.at(3_601).step() == Hold(Why.UNKNOWN_OUTCOME)
        pair.read()
        assert pair.step() == Hold(Why.UNKNOWN_OUTCOME)
        for seconds in (3_611, 3_614):
            pair.at(seconds).read()
        assert isinstance(pair.step(), Place)


def test_s7_7_a_cancel_that_a_crash_interrupted_still_makes_room_for_the_next_attempt() -> None:
    pair = Pair(rules=replace(PATIENT, modification_cap=1))
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.modify()
    pair.lead(terms=terms(price=10_100))
    assert pair.send() == Cancel("20000", Withdrawal.REPLACED)
    pair.book.restore([pair.copy], after(5))
    pair.at(5).hear(status=Status.CANCELLED)
    assert isinstance(pair.at(6).step(), Place), "the leader's order is open, the copy is not"


def test_s7_7_a_change_that_a_crash_interrupted_is_made_again() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.book.restore([pair.copy], after(5))
    assert isinstance(pair.at(5.25).step(), Modify)


def test_a_restart_counts_the_positions_that_its_copies_built() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    again = Pair(leader_order(order_id="77"))
    again.book.restore([pair.copy], after(60))
    assert again.book.position(pair.leader.instrument, pair.leader.product) == 0
    again.book.seen(OrderSeen(pair.leader, NOON, 1))
    assert again.book.position(pair.leader.instrument, pair.leader.product) == 100


def test_a_refusal_that_waits_still_waits_after_a_crash() -> None:
    """Else whatever crashes on an answer would ask again at once, as often as it crashes."""
    pair = Pair(rules=PATIENT)
    pair.send()
    pair.answer(Refusal(Refused.MARKET_CLOSED, "closed"))
    before = pair.step()
    assert before == Hold(Why.RETRY, after(30))
    for seconds in (1, 2, 29):
        pair.book.restore([pair.copy], after(seconds))
        assert pair.at(seconds).step() == before
    assert isinstance(pair.at(30).step(), Place)


def test_a_pause_by_a_clock_that_was_set_back_ends_all_the_same() -> None:
    pair = Pair(rules=PATIENT)
    pair.at(3_600).send()
    pair.answer(Throttled("too many requests"))
    pair.book.restore([pair.copy], after(1))
    held = pair.at(1).step()
    assert held == Hold(Why.RETRY, after(31))
    assert isinstance(pair.at(31).step(), Place)
