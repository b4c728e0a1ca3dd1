"""The process that loads the instrument master: `python -m actors.master_process`.

One line of JSON on its standard input says what to load and where to put it; one line on its
standard output says what came of it. It ends when whoever started it does, however that came.
"""

import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from dhan.master import MasterError, read
from ledger.instruments import MasterFile, NoMaster
from ledger.lock import Held

BUSY = "another process is loading it"

_ANSWER_SECONDS = 30.0
_NICE = 10


def main() -> int:
    """Load; exit code 0 when there is a new edition, else 1."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever started it
    if sys.platform != "win32":
        os.nice(_NICE)
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    trouble = _load(MasterFile(Path(asked["path"]), asked["source"]))
    sys.stdout.write(json.dumps({"trouble": trouble}) + "\n")
    return 1 if trouble else 0


def _load(file: MasterFile) -> str:
    """What kept it from being loaded, in plain words; empty when nothing did."""
    try:
        file.write(read(file.source, _ANSWER_SECONDS), datetime.now(UTC))
    except Held:
        return BUSY
    except (MasterError, NoMaster) as trouble:
        return str(trouble)
    except Exception as trouble:
        return f"{type(trouble).__name__}: {trouble}"
    return ""


def _end_with_the_caller() -> None:
    """Wait for the end of the standard input, past Python's own buffer, whose lock would be
    missed at the end."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
