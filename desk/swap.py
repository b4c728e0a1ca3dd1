"""Writing a small file so that a reader, or a crash, finds the old one or the new one, whole."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def _as_it_is(temporary: str) -> None:
    """Nothing more is to be done to a file that only its owner can read."""


def swap(path: Path, content: bytes, prepare: Callable[[str], None] = _as_it_is) -> None:
    """Put a new file with this content in the place of `path`, readable for its owner only unless
    `prepare`, which gets its temporary name, changes that. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            prepare(temporary)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the new name on disk too, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
