"""Loading the instrument master in a process of its own, seen from the one that has it done.

Reading some 200,000 rows is seconds of computing, which would hold up everything else here.
"""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from ledger.instruments import MasterFile

_HOUSE = Path(__file__).parents[1]
_MOST_SECONDS = 180.0


class MasterLoad:
    """A process that writes the next edition, from when this is made until `ended` or `stop`.

    `trouble` is what kept it from writing one, in plain words, empty when nothing did. Raises
    OSError when the process cannot be started.
    """

    def __init__(self, file: MasterFile, most_seconds: float = _MOST_SECONDS) -> None:
        self.trouble = ""
        self._most_seconds = most_seconds
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "actors.master_process"],
            cwd=_HOUSE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        asked = json.dumps({"path": str(file.path.absolute()), "source": file.source})
        with suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.write(asked + "\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ended(self) -> bool:
        """Whether it is over by now; one that takes too long is ended. Never waits."""
        code = self._process.poll()
        if code is None and time.monotonic() - self._began <= self._most_seconds:
            return False
        told = self.stop()
        if code is None:
            self.trouble = f"it was not done after {self._most_seconds:.0f} s"
        else:
            self.trouble = _trouble(told, code)
        return True

    def stop(self) -> str:
        """End it, if it has not; the edition before stays. What it said."""
        self._process.kill()
        return self._process.communicate()[0]


def _trouble(told: str, code: int) -> str:
    try:
        return str(json.loads(told)["trouble"])
    except (ValueError, LookupError):
        return f"the process that loads it ended ({code})"
