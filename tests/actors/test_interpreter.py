"""What a process that copies sets of its interpreter, in a process of its own."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SHARED = """
import gc, sys, weakref
from actors import interpreter

class Ring:
    def __init__(self):
        self.self = self

interpreter.share()
stays, began = gc.get_freeze_count(), weakref.ref(Ring())
assert began() is not None
gc.collect()
interpreter.share()
print(sys.getswitchinterval(), stays > 1000, gc.get_freeze_count() == stays, began() is None)
"""


def test_others_are_let_in_sooner_and_only_new_garbage_is_looked_for() -> None:
    command = [sys.executable, "-c", _SHARED]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.001", "True", "True", "True"]
