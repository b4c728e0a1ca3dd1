"""Followers think one at a time, and none waits for one that hangs."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from actors.following import Following
from actors.turns import Turns
from domain.inputs import Input
from domain.messages import Answered, OrderSeen
from tests.actors.shop import LEADER, NAMES, ONE, TWO, Shop
from tests.waiting import eventually

_LONG = 60.0


def test_only_one_thinks_at_a_time() -> None:
    turns, inside, most = Turns(_LONG), list[int](), list[int]()

    def think(number: int) -> int:
        inside.append(number)
        most.append(len(inside))
        threading.Event().wait(0.001)  # lets the others in, if they may
        inside.remove(number)
        return number

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda number: turns.take(think, number), range(80)))
    assert done == list(range(80))
    assert set(most) == {1}


def test_a_turn_that_does_not_end_is_waited_for_once() -> None:
    turns, hangs, go_on = Turns(0.01), threading.Event(), threading.Event()

    def hang(_: object) -> bool:
        hangs.set()
        return go_on.wait(_LONG)

    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(turns.take, hang, None)
        assert hangs.wait(_LONG)
        assert turns.taken
        assert turns.take(lambda told: told, "went on") == "went on"
        assert not turns.taken
        assert turns.take(lambda _: turns.taken, None)  # the others take turns as before
        go_on.set()
        assert hanging.result(_LONG)
    assert not turns.taken


def test_a_crash_ends_the_turn() -> None:
    turns = Turns(_LONG)

    def crash(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        turns.take(crash, None)
    assert not turns.taken


def test_requests_on_their_way_go_first() -> None:
    turns, waits, order = Turns(_LONG, _LONG), threading.Event(), list[str]()

    def read_an_event() -> None:
        waits.set()
        turns.give_way()
        order.append("read an event")

    turns.sent()
    turns.sent()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_an_event)
        assert waits.wait(_LONG)
        turns.passed(1)
        assert not reading.done()
        order.append("sent")
        turns.passed(1)
        reading.result(_LONG)
    assert order == ["sent", "read an event"]
    turns.give_way()  # at once: nothing is on its way


def test_what_is_urgent_is_thought_about_before_what_is_not() -> None:
    turns, thinks, go_on, order = Turns(_LONG, _LONG), threading.Event(), threading.Event(), []

    def think(told: str) -> None:
        if told == "first urgent":
            thinks.set()
            assert go_on.wait(_LONG)
        order.append(told)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(turns.urgent, think, "first urgent")
        assert thinks.wait(_LONG)
        idle = threads.submit(turns.at_leisure, think, "not urgent")
        second = threads.submit(turns.urgent, think, "second urgent")
        eventually(lambda: turns.under_way == 2)
        go_on.set()
        for one in (first, second, idle):
            one.result(_LONG)
    assert order == ["first urgent", "second urgent", "not urgent"]
    assert turns.under_way == 0
    assert not turns.taken


def test_an_urgent_thought_that_fails_is_over() -> None:
    turns = Turns(_LONG, _LONG)

    def crash(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        turns.urgent(crash, None)
    assert turns.under_way == 0
    assert turns.at_leisure(lambda told: told, 1) == 1


def test_a_request_that_does_not_pass_is_waited_for_once() -> None:
    turns = Turns(_LONG, 0.01)
    turns.sent()
    assert turns.under_way == 1
    turns.give_way()
    assert turns.under_way == 0
    turns.passed(1)  # after all
    turns.sent()
    assert turns.under_way == 1
    turns.passed(3)
    assert turns.under_way == 0


def test_many_that_send_and_pass_at_once_leave_nothing_under_way() -> None:
    turns = Turns(_LONG, 0.001)

    def send(_: int) -> None:
        for _ in range(200):
            turns.sent()
            turns.give_way()
            turns.passed(1)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(send, range(6)))
    turns.passed(6 * 200)
    assert turns.under_way == 0


def test_a_follower_that_hangs_in_its_turn_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, go_on = threading.Event(), threading.Event()
    take = Following.take

    def hanging(self: Following, told: Input, now: datetime) -> None:
        if self._name == NAMES[ONE] and isinstance(told, OrderSeen):
            hangs.set()
            go_on.wait(_LONG)
        take(self, told, now)

    shop = Shop(tmp_path)
    try:
        shop.start()
        assert sys.getswitchinterval() == 0.001
        monkeypatch.setattr(Following, "take", hanging)
        order_id = shop.buys(2400)
        assert hangs.wait(_LONG)
        shop.waits(order_id, TWO, quantity=20, orderStatus="PENDING")
        assert shop.orders(order_id, ONE) == []
        go_on.set()
        shop.waits(order_id, ONE, quantity=10, orderStatus="PENDING")
    finally:
        go_on.set()
        shop.close()


def test_what_a_cancel_waits_for_is_not_read_at_leisure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to one follower's placement, of which neither its socket nor its order book tells
    anything, is long on its way when the leader cancels."""
    read: dict[str, list[str]] = {"urgent": [], "at_leisure": []}
    for kind, log in read.items():
        thinks = getattr(Turns, kind)

        def think(self: Turns, act: Any, told: Any, thinks: Any = thinks, log: Any = log) -> Any:
            if isinstance(told, Answered) and told.intent.change is None:
                log.append(told.intent.follower)
            return thinks(self, act, told)

        monkeypatch.setattr(Turns, kind, think)
    shop = Shop(tmp_path)
    try:
        shop.control.fault(ONE, "place", "delay", ms=500)
        shop.control.fault(ONE, "feed", "drop", times=-1)
        shop.control.fault(ONE, "read", "hang", times=-1)
        shop.start()
        order_id = shop.buys(2400)
        for account in (ONE, TWO):
            shop.waits(order_id, account, orderStatus="PENDING")
        shop.control.cancel(LEADER, order_id)
        for account in (ONE, TWO):
            shop.waits(order_id, account, orderStatus="CANCELLED")
    finally:
        shop.close()
    assert read == {"urgent": [NAMES[ONE]], "at_leisure": [NAMES[TWO]]}
