"""The interpreter that all threads of this process share, set up so that none waits long for it."""

import gc
import sys
from functools import cache

_SWITCH_SECONDS = 0.001
_YOUNG, _MIDDLING, _OLD = 50_000, 20, 20


@cache
def share() -> None:
    """Have whoever computes let others in after a millisecond, five times as soon as Python would
    by itself, and everybody stopped more rarely, and for less, by a look for garbage: what is there
    by now stays, and is not looked through again and again."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLING, _OLD)
