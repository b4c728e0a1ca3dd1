"""The wire of a command; what it asks of Dhan goes into the audit, like what the engine asks."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from actors.read_tally import ReadTally
from desk.config import Config
from dhan.calls import ReadDone
from dhan.wire import Wire
from ledger.asked import leave_asked
from ledger.opening import LedgerUnusable

logger = logging.getLogger(__name__)


@contextmanager
def asking(config: Config, patience: float) -> Iterator[Wire]:
    """A wire for a while; at the end, what is in flight may take `patience` seconds more."""
    tally = ReadTally()

    def noted(done: ReadDone) -> None:
        tally.add(done, datetime.now(UTC), time.monotonic_ns())

    wire = Wire(noted)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop(patience)
        try:
            leave_asked(config.engine.ledger, tally.all(), datetime.now(UTC))
        except LedgerUnusable as unusable:
            logger.warning("What was asked of Dhan is not in the audit: %s", unusable)
