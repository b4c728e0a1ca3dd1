"""What waits at the wire for its slot, and is called back from there."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from actors.dispatcher import Dispatcher
from actors.floor import Floor
from actors.hands import Timing
from actors.ledger import Dispatch, Recall
from actors.master import Master
from dhan.wire import Wire
from domain.messages import Intent
from domain.outcomes import Accepted
from ledger.instruments import MasterFile
from tests.actors.test_following_pace import Told
from tests.actors.troupe import HandClock, HandTimer
from tests.domain.builders import NOON, leader_order, terms
from tests.domain.pair import Pair

_NS = 1_000_000_000
_LINE: Any = object()


class Sending:
    """A dispatcher and what it told."""

    def __init__(self) -> None:
        self.clock, self.post = HandClock(), Told()
        master = Master(MasterFile(Path(), ""))
        floor = Floor(self.clock, self.post, HandTimer(self.clock), Wire(), master)
        address = SimpleNamespace(client_id="1000000002")
        settings: Any = SimpleNamespace(name="asha", address=address, timeout=5.0)
        account: Any = SimpleNamespace(line=_LINE, request=lambda step: step)
        self.dispatcher = Dispatcher(floor, settings, account, lambda seconds, message: None)

    def slot(self, seconds: float) -> int:
        return self.clock.ns() + round(seconds * _NS)

    def send(self, pair: Pair, slot: int) -> Intent:
        """Send what is to be done for the pair now."""
        step = pair.send()
        self.dispatcher.send(pair.copy, step, NOON, Timing(slot=slot))
        sent = self.post.told[-1]
        assert isinstance(sent, Dispatch)
        assert sent.slot == slot
        return sent.intent

    def place(self, order_id: str, slot: int) -> Intent:
        return self.send(Pair(leader_order(order_id=order_id)), slot)

    def called_back(self) -> list[Intent]:
        told, self.post.told[:] = list(self.post.told), []
        recalls = [one for one in told if isinstance(one, Recall)]
        assert all(one.line is _LINE for one in recalls)
        return [one.intent for one in recalls]


def _none(leader_id: str) -> bool:
    return False


def test_what_waits_for_its_slot_is_called_back_once_and_only_until_then() -> None:
    sending = Sending()
    first, second = sending.place("1", sending.slot(0.1)), sending.place("2", sending.slot(0.2))
    gone, settled = sending.place("3", sending.slot(0)), sending.place("4", sending.slot(0.3))
    sending.dispatcher.settled(settled)
    sending.dispatcher.recall("none of that name")
    assert sending.called_back() == []
    sending.dispatcher.recall("2")
    assert sending.called_back() == [second]
    sending.dispatcher.recall()
    assert sending.called_back() == [first]
    sending.dispatcher.recall()
    assert sending.called_back() == []
    last = sending.place("5", sending.slot(0.1))
    sending.clock.seconds += 0.1
    sending.dispatcher.recall()
    assert sending.called_back() == []
    assert gone is not last


def test_the_wait_for_the_slot_is_a_wait_for_a_permit() -> None:
    sending = Sending()
    assert sending.place("1", sending.slot(0.1)).waited == timedelta(milliseconds=100)
    assert sending.place("2", sending.slot(-0.1)).waited == timedelta(0)


def test_the_newest_entries_make_way_and_exits_last() -> None:
    sending = Sending()
    held = [sending.place(f"{number}", sending.slot(0.1)) for number in range(4)]
    sending.dispatcher.make_way(1, lambda leader_id: leader_id == "3")
    assert sending.called_back() == [held[2]]
    sending.dispatcher.make_way(1, _none)
    assert sending.called_back() == [], "it is on its way back already"
    sending.dispatcher.make_way(3, lambda leader_id: leader_id == "3")
    assert set(sending.called_back()) == {held[0], held[1]}
    sending.dispatcher.settled(held[2])
    sending.dispatcher.make_way(9, lambda leader_id: leader_id == "3")
    assert sending.called_back() == [held[3]]
    sending.dispatcher.make_way(9, _none)
    assert sending.called_back() == []


def test_changes_and_cancels_make_way_for_nothing() -> None:
    sending = Sending()
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(200, price=10_100))
    change = sending.send(pair, sending.slot(0.1))
    sending.dispatcher.make_way(5, _none)
    assert sending.called_back() == []
    pair.answer(Accepted())
    sending.dispatcher.recall(pair.leader.order_id)
    assert sending.called_back() == [change]
