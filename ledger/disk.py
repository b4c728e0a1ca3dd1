"""Having files outlive a power cut."""

import os
import sys
from pathlib import Path


def to_disk(path: Path) -> None:
    """Have the file, or the directory's entries, outlive a power cut. Raises OSError."""
    folder = path.is_dir()
    if folder and sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
