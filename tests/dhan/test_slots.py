"""Calls that wait for their slots: the most urgent has the first, none goes before its time, and
what is called back is never written."""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dhan.calls import Answer, Call
from dhan.lines import Line
from dhan.slots import Slots
from dhan.wire import Wire
from tests.dhan.broker import Asked, Broker, answer
from tests.dhan.conftest import PLACE, READ, REQUESTS, Sent, account
from tests.waiting import eventually

_MS = 1_000_000
_LONG = 3600 * 1000 * _MS
_MOVES = st.one_of(
    st.tuples(st.just("hold"), st.integers(0, 2), st.integers(0, 50)),
    st.tuples(st.just("recall"), st.integers(0, 30), st.just(0)),
    st.tuples(st.just("pass"), st.integers(0, 20), st.just(0)),
)


def _call(line: Line, urgency: int, not_before: int, key: int) -> Call:
    return Call(line, PLACE, 5.0, lambda answer: None, urgency, not_before, key)


@given(st.lists(_MOVES, max_size=60))
def test_every_slot_takes_one_call_the_most_urgent_first(
    moves: list[tuple[str, int, int]],
) -> None:
    """At any time as many have gone as slots have come, but for those of what was called back,
    which took the last slot with it."""
    slots, now = Slots(), 100
    line: Any = object()
    waiting: dict[int, Call] = {}
    instants: list[int] = []
    for number, (what, which, ahead) in enumerate(moves):
        if what == "hold":
            call = _call(line, which, now + 1 + ahead, number)
            slots.hold(call)
            waiting[number] = call
            instants.append(call.not_before)
        elif what == "recall":
            found = slots.recall(which)
            assert found is waiting.pop(which, None)
            if found is not None:
                instants.remove(max(instants))
        else:
            now += which
            for call in slots.due(now):
                key = next(key for key, one in waiting.items() if one is call)
                first = min(waiting, key=lambda one: (waiting[one].urgency, one))
                assert key == first
                del waiting[key]
                instants.remove(min(instants))
            assert all(instant > now for instant in instants)
        assert len(instants) == len(waiting)
        assert slots.next == min(instants, default=None)
    assert slots.clear() == sorted(waiting.values(), key=lambda one: (one.urgency, one.key))
    assert slots.next is None


def _written(broker: Broker) -> list[str]:
    return [f"{one.method} {one.path.rsplit('/', 1)[-1]}" for one in broker.asked]


def test_nothing_is_written_before_its_slot(wire: Wire) -> None:
    came: list[int] = []

    def respond(asked: Asked) -> bytes:
        came.append(time.monotonic_ns())
        return answer()

    with Broker(respond) as broker:
        sent = Sent(wire, wire.open(account(broker)))
        eventually(lambda: len(broker.peers) == 2)
        begins = time.monotonic_ns()
        slots = [begins + one * _MS for one in (90, 30, 60, 120)]
        wire.dispatch([replace(sent.call(), not_before=slot) for slot in slots])
        sent.send(READ, name="no slot")
        eventually(lambda: len(sent.answers) == 5)
    assert sent.answers[0][0] == "no slot", "it waited for the slot of another"
    assert all(at >= slot for at, slot in zip(came[1:], sorted(slots), strict=True))
    assert all(one.written_at and one.written_at >= slots[1] for one in sent.named(""))


def test_what_is_urgent_has_the_first_slot_whichever_came_with_it(wire: Wire) -> None:
    with Broker(lambda asked: answer()) as broker:
        sent = Sent(wire, wire.open(account(broker, lines=1)))
        eventually(lambda: broker.peers)
        soon, late = time.monotonic_ns() + 100 * _MS, time.monotonic_ns() + 400 * _MS
        place = replace(sent.call(PLACE, urgency=2), not_before=soon)
        cancel = replace(sent.call(REQUESTS.cancel("11"), urgency=0), not_before=late)
        wire.dispatch([place, cancel])
        eventually(lambda: len(sent.answers) == 2)
        assert _written(broker) == ["DELETE 11", "POST orders"]
    first, last = sent.named("")
    assert first.written_at is not None
    assert last.written_at is not None
    assert soon <= first.written_at < late <= last.written_at


def test_what_is_called_back_is_answered_so_and_never_written(wire: Wire) -> None:
    with Broker(lambda asked: answer()) as broker:
        line = wire.open(account(broker))
        sent = Sent(wire, line)
        slot = time.monotonic_ns() + _LONG
        calls = [replace(sent.call(name=f"{key}"), not_before=slot, key=key) for key in range(3)]
        wire.dispatch(calls)
        wire.recall(line, 1)
        wire.recall(line, 1)
        wire.recall(line, "none of that name")
        eventually(lambda: sent.answers)
        (came,) = sent.named("1")
        assert (came.recalled, came.status, came.written_at) == (True, None, None)
        wire.close(line)
        eventually(lambda: len(sent.answers) == 3)
        assert Counter(name for name, _ in sent.answers) == {"0": 1, "1": 1, "2": 1}
        for (closed,) in (sent.named("0"), sent.named("2")):
            assert (closed.recalled, closed.written_at) == (True, None)
        assert broker.asked == []


def test_what_has_left_cannot_be_called_back(wire: Wire) -> None:
    with Broker(lambda asked: answer()) as broker:
        line = wire.open(account(broker))
        sent = Sent(wire, line)
        wire.dispatch([replace(sent.call(), not_before=time.monotonic_ns() + 20 * _MS, key=1)])
        eventually(lambda: sent.answers)
        wire.recall(line, 1)
        sent.send(READ, name="after")
        eventually(lambda: sent.named("after"))
    ((_, came), _) = sent.answers
    assert (came.status, came.recalled) == (200, False)


def test_what_waits_for_its_slot_is_answered_when_the_wire_stops() -> None:
    wire = Wire()
    wire.start()
    with Broker(lambda asked: answer()) as broker:
        sent = Sent(wire, wire.open(account(broker)))
        wire.dispatch([replace(sent.call(), not_before=time.monotonic_ns() + _LONG, key=1)])
        wire.stop(5.0)
        ((_, came),) = sent.answers
        assert isinstance(came, Answer)
        assert (came.written_at, came.recalled) == (None, True)
        assert broker.asked == []
