"""Waiting for something to become true, with a deadline instead of a hopeful sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")

_LOOK_SECONDS = 0.005


def eventually(
    condition: Callable[[], _Value | None],
    timeout: float = 10.0,
    why: str = "it never came true",
    every: float = _LOOK_SECONDS,
) -> _Value:
    """The first truthy value of `condition`, asked again and again for `timeout` seconds.

    Raises AssertionError with `why` and the last value when there is none.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{why} (last: {value!r})")
        time.sleep(every)
    return value
