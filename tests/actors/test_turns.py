"""Followers think one at a time, and none waits for one that hangs."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors.turns import Turns

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


def test_whoever_waits_for_too_long_goes_on_without_a_turn() -> None:
    turns, hangs, go_on = Turns(0.01), threading.Event(), threading.Event()

    def hang(_: object) -> bool:
        hangs.set()
        return go_on.wait(_LONG)

    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(turns.take, hang, None)
        assert hangs.wait(_LONG)
        assert turns.take(lambda told: told, "went on") == "went on"
        assert not hanging.done()
        go_on.set()
        assert hanging.result(_LONG)
    assert Turns(_LONG).take(lambda told: told, 1) == 1


def test_who_goes_on_without_a_turn_ends_nobody_elses() -> None:
    turns, hangs, go_on = Turns(0.01), threading.Event(), threading.Event()

    def hang(_: object) -> bool:
        hangs.set()
        return go_on.wait(_LONG)

    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(turns.take, hang, None)
        assert hangs.wait(_LONG)
        for _ in range(3):
            turns.take(lambda told: told, None)
        assert turns.taken
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
