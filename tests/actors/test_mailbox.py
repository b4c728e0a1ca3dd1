"""A follower reads what the leader does and what the operator says before its own account's."""

import threading
from typing import Any

import pykka
from hypothesis import given
from hypothesis import strategies as st
from pykka import ThreadingActor

from actors.follower import FollowerActor
from actors.mailbox import Mailbox
from domain.messages import FrameHeard, OrderSeen, PermitsGranted, Tick
from domain.orders import Status
from tests.domain.builders import after, leader_order

_LONG = 60.0
_FIRST = st.builds(PermitsGranted, st.tuples(st.integers()), st.integers())
_OTHERS = st.one_of(st.builds(FrameHeard, st.just("{}"), st.integers()), st.builds(Tick, st.text()))


class _Letter:
    """An envelope as far as a mailbox is concerned."""

    def __init__(self, message: object) -> None:
        self.message = message


@given(st.lists(st.one_of(_FIRST, _OTHERS, st.none())))
def test_all_is_read_once_the_leaders_first_and_each_kind_in_its_order(told: list[object]) -> None:
    """None stands for a look at the mailbox."""
    mailbox, waiting, read = Mailbox(), list[_Letter](), list[_Letter]()

    def look() -> None:
        assert mailbox.empty() == (not waiting)
        if waiting:
            first = [one for one in waiting if isinstance(one.message, PermitsGranted)]
            read.append(mailbox.get())
            assert read[-1] is (first or waiting)[0]
            waiting.remove(read[-1])

    letters = [_Letter(message) for message in told if message is not None]
    coming = iter(letters)
    for message in told:
        if message is None:
            look()
        else:
            letter = next(coming)
            mailbox.put(letter)
            waiting.append(letter)
    while waiting:
        look()
    assert mailbox.empty()
    assert {id(one) for one in read} == {id(one) for one in letters}


def test_an_order_on_its_way_to_the_exchange_goes_before_nothing() -> None:
    """There is nothing to be done about it yet; once it is there, it is urgent."""
    mailbox, event = Mailbox(), FrameHeard("{}", 1)
    transit, pending = (
        OrderSeen(leader_order(status=status), after(0), 1)
        for status in (Status.TRANSIT, Status.PENDING)
    )
    for message in (event, transit, pending):
        mailbox.put(_Letter(message))
    assert [mailbox.get().message for _ in range(3)] == [pending, event, transit]


def test_many_may_write_at_once_and_nothing_is_lost() -> None:
    mailbox = Mailbox()

    def write(sender: int) -> None:
        for number in range(500):
            kind = (
                PermitsGranted((number,), sender) if number % 3 else FrameHeard(f"{sender}", number)
            )
            mailbox.put(_Letter(kind))

    writers = [threading.Thread(target=write, args=(sender,)) for sender in range(4)]
    for writer in writers:
        writer.start()
    read: list[Any] = [mailbox.get().message for _ in range(4 * 500)]
    for writer in writers:
        writer.join(_LONG)
    assert mailbox.empty()
    for sender in range(4):
        granted = [one.slots[0] for one in read if getattr(one, "serial", None) == sender]
        heard = [one.heard_ns for one in read if getattr(one, "frame", None) == f"{sender}"]
        assert granted == [number for number in range(500) if number % 3]
        assert heard == [number for number in range(500) if not number % 3]


class _Reader(ThreadingActor):
    """Reads nothing more until it is let go on."""

    use_daemon_thread = True

    def __init__(self, go_on: threading.Event, read: list[object]) -> None:
        super().__init__()
        self._go_on, self._read = go_on, read

    @staticmethod
    def _create_actor_inbox() -> Any:
        return FollowerActor._create_actor_inbox()

    def on_receive(self, message: object) -> None:
        assert self._go_on.wait(_LONG)
        self._read.append(message)


def test_a_follower_that_is_stopped_has_read_what_was_told_before() -> None:
    go_on, read = threading.Event(), list[object]()
    reader = _Reader.start(go_on, read)
    event, ring, grant = FrameHeard("{}", 1), Tick("late"), PermitsGranted((1,), 1)
    for message in (event, ring, grant):
        reader.tell(message)
    stopped = reader.stop(block=False)
    go_on.set()
    assert stopped.get(timeout=_LONG)
    assert sorted(read, key=repr) == sorted((event, ring, grant), key=repr)
    assert read.index(event) < read.index(ring)
    assert not pykka.ActorRegistry.get_by_class(_Reader)
