"""Waiting for something to become true, with a deadline instead of a hopeful sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")

_LOOK_SECONDS = 0.005
_RARELY_SECONDS = 0.03


def eventually(
    condition: Callable[[], _Value | None],
    timeout: float = 10.0,
    why: str = "it never came true",
    every: float = _LOOK_SECONDS,
) -> _Value:
    """The first truthy value of `condition`, asked again and again for `timeout` seconds: `every`
    few at first, then less often, as asking takes the processor from what is waited for.

    Raises AssertionError with `why` and the last value when there is none.
    """
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited > timeout:
            raise AssertionError(f"{why} (last: {value!r})")
        time.sleep(max(every, min(waited / 10, _RARELY_SECONDS)))
    return value
