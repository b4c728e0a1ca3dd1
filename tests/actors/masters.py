"""Instrument masters to load: written to files, or served over HTTP as a test wants it."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from threading import Event

import pytest

from domain.instruments import InstrumentKey, Segment
from simulator.instruments import Listing, built_in, many, master
from tests.dhan.broker import Asked, Broker, answer

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")

SBIN = InstrumentKey(Segment.NSE_EQ, "3045")
CALL = InstrumentKey(Segment.NSE_FNO, "40001")
NOWHERE = InstrumentKey(Segment.NSE_FNO, "99999999")


def listed(*without: InstrumentKey, more: int = 0) -> list[Listing]:
    """What the simulator lists, but for these, and so many options more."""
    keys = {(str(key.segment), key.security_id) for key in without}
    return [one for one in chain(built_in(), many(more)) if one.key not in keys]


def written(path: Path, listings: Iterable[Listing]) -> str:
    """A master in a file, put in place as a whole; its name."""
    draft = path.with_suffix(".draft")
    draft.write_text("".join(master(listings)))
    draft.replace(path)
    return str(path)


class Source(Broker):
    """Serves a master, or whatever `content` is, and then ends the connection; nothing at all
    while it is `held`."""

    def __init__(self) -> None:
        self.content = answer("".join(master(built_in())))
        self.go_on = Event()
        self.go_on.set()
        super().__init__(self._serve_master)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"{self.url}/master.csv"

    def hold(self) -> None:
        """Answer nobody from now on."""
        self.go_on.clear()

    def stop(self) -> None:
        self.go_on.set()
        super().stop()

    def _serve_master(self, asked: Asked) -> None:
        self.go_on.wait(30)
        asked.peer.send(self.content)
        asked.peer.close()


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has waited for yet counts as well."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def children_of(parent: int) -> list[int]:
    """The processes that load a master for that one."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            starter = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words = (place / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if starter == parent and "actors.master_process" in words:
            found.append(int(place.name))
    return found
