"""What commands leave for the ledger, which only the engine writes: files beside it.

Each is on disk and whole before anybody is told so, and the engine takes it in: at once while it
runs, else at its next start.
"""

import logging
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ledger.entries import Entry
from ledger.instants import micros
from ledger.ledger import Ledger, LedgerFailure
from ledger.opening import not_writable

logger = logging.getLogger(__name__)

_WHOLE, _SET_ASIDE = ".json", ".unreadable"


def new_key(at: datetime) -> str:
    """A name for what is left at an instant; what was left later sorts later."""
    return f"{micros(at)}-{secrets.token_hex(4)}"


def leave(folder: Path, key: str, text: str) -> None:
    """Leave a file with that text, on disk when this returns. Raises `LedgerUnusable`."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / key, text)
    except OSError as error:
        raise not_writable(folder, error) from error


def left(folder: Path) -> Iterator[Path]:
    """The whole files, the oldest first."""
    if folder.is_dir():
        yield from sorted(file for file in folder.iterdir() if file.suffix == _WHOLE)


def take_in(ledger: Ledger, folder: Path, read: Callable[[Path], Sequence[Entry]]) -> None:
    """Keep what was left, as `read` finds it in each file; it raises ValueError, KeyError or
    TypeError for one that is none. Raises `LedgerFailure`, with everything left as it is that is
    not kept."""
    for file in left(folder):
        try:
            ledger.commit(read(file))
        except (ValueError, KeyError, TypeError) as error:
            _set_aside(file, error)
        except LedgerFailure as failure:
            if failure.passing:
                raise
            _set_aside(file, failure)
        else:
            file.unlink()


def _write(place: Path, text: str) -> None:
    """A file with that text at `place`, under its whole name once it is on disk."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    place.rename(place.with_suffix(_WHOLE))
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _set_aside(file: Path, why: Exception) -> None:
    logger.error("%s cannot be taken in and is set aside: %s", file, why)
    file.rename(file.with_suffix(_SET_ASIDE))
