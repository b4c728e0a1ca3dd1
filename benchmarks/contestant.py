"""A contestant's process: `python -m benchmarks.contestant NAME CONTEST`.

Says a line when it is warm and listens, runs until its standard input ends, and may leave a
last line of JSON about itself.
"""

import json
import resource
import sys
import threading

from benchmarks.contest import Contest

NAMES = ("lockstep", "loop", "threads", "tasks", "prebuilt")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _ready() -> None:
    _say("ready")


def main(name: str, contest: Contest) -> None:
    """Run the contestant until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if name == "lockstep":
        from benchmarks import lockstep

        _say(json.dumps(lockstep.run(contest, _ready, sys.stdin)))
        return
    from benchmarks import rivals

    rival = {
        "loop": rivals.loop,
        "threads": rivals.threads,
        "tasks": rivals.tasks,
        "prebuilt": rivals.prebuilt,
    }[name]
    threading.Thread(target=rival, args=(contest, _ready), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], Contest.of(sys.argv[2]))
