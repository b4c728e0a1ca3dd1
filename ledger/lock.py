"""One running instance per ledger, by a lock that the operating system drops at death.

The lock file stays behind; only the lock on it says that somebody runs.
"""

import os
import sys
import time
from pathlib import Path

_TRIES = 25
_PAUSE_SECONDS = 0.01


class Held(Exception):
    """Another instance holds the lock; `pid` is 0 where it cannot be read."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid


def lock_path(path: Path) -> Path:
    """The lock file of the ledger at `path`."""
    return path.with_name(path.name + ".lock")


class Lock:
    """The right to write one ledger, from `take` to `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> "Lock":
        """Take the lock of the ledger at `path`. Raises `Held` or OSError.

        Tries for a quarter of a second: whoever asks `running_pid` holds it for an instant.
        """
        descriptor = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _insist(descriptor):
                raise Held(_pid(descriptor))
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, b"%d\n" % os.getpid())
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let another instance have it; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def running_pid(path: Path) -> int | None:
    """The process that holds the ledger at `path`, None when nobody does, 0 when somebody does
    whose pid cannot be read."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDWR)
    except FileNotFoundError:
        return None
    except OSError:
        return 0
    try:
        return None if _try_lock(descriptor) else _pid(descriptor)
    finally:
        os.close(descriptor)


def _insist(descriptor: int) -> bool:
    for _ in range(_TRIES):
        if _try_lock(descriptor):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _pid(descriptor: int) -> int:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).strip()
    return int(text) if text.isdigit() else 0


if sys.platform == "win32":
    import msvcrt

    _FAR_BEHIND_THE_PID = 1 << 20

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR_BEHIND_THE_PID, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
