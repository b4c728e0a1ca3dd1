"""Disks that fail as real ones do."""

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_BALLAST = "ballast"
_MOUNT = 'mount -t tmpfs -o size=2m lockstep "$0" && exec "$@"'


class SmallDisk:
    """A file system of two megabytes at `folder`, for one process only: of a namespace of its
    own, so that it is gone with the process. Skips the test where that may not be had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-rm"]
        self.before = (*unshare, "sh", "-c", _MOUNT, str(folder))
        if (
            shutil.which("unshare") is None
            or subprocess.run([*self.before, "true"], capture_output=True, check=False).returncode
        ):
            pytest.skip("this user may not mount a file system of its own")

    def fill(self, pid: int) -> None:
        """Leave the process no byte free."""
        with (self._inside(pid) / _BALLAST).open("wb", buffering=0) as ballast:
            with suppress(OSError):
                while True:
                    ballast.write(b"\0" * 4096)
            assert os.statvfs(ballast.fileno()).f_bavail == 0

    def clean(self, pid: int) -> None:
        """Free what was filled."""
        (self._inside(pid) / _BALLAST).unlink()

    def copied(self, pid: int, ledger: str, to: Path) -> Path:
        """A copy of the ledger as it is now: SQLite cannot look into the namespace."""
        to.mkdir(exist_ok=True)
        for suffix in ("", "-wal"):
            shutil.copy(self._inside(pid) / f"{ledger}{suffix}", to)
        return to / ledger

    def _inside(self, pid: int) -> Path:
        return Path(f"/proc/{pid}/root{self.folder}")


@contextmanager
def no_file_grows(pid: int, beyond: int = 4096) -> Iterator[None]:
    """Let the process write no file `beyond` so many bytes, as on a full disk."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (beyond, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def read_only(*paths: Path) -> Iterator[None]:
    """Let nobody write to these files any more, not even who has them open, as on a file system
    that went read-only. Skips the test where that may not be done."""
    if shutil.which("chattr") is None:
        pytest.skip("there is no chattr to make a file unchangeable with")
    names = [str(path) for path in paths]
    done = subprocess.run(["chattr", "+i", *names], capture_output=True, text=True, check=False)
    try:
        if done.returncode or _writable(paths[0]):
            pytest.skip("only root may make a file unchangeable, on a file system that knows that")
        yield
    finally:
        subprocess.run(["chattr", "-i", *names], capture_output=True, check=False)


def _writable(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.EROFS)
    return True


def bound_by_permissions() -> tuple[str, ...]:
    """A command that runs another with no more rights than the owner of its files: root would
    write whatever the permissions say. Skips the test where that cannot be had."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("permissions do not bind root, and there is no setpriv to give that up")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps=-all")
