"""An account's access token as the wire and the feed ask for it."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from desk import redact
from dhan.tokens import TokenSource

_Version = tuple[int, int, int]

_NEVER_WRITTEN = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Token:
    """Gives the token at every request, and has it redacted from then on.

    Two that read the same source are equal, so that a configuration that is read again does not
    look changed. A file is read again only when it was written again, for this is asked on the
    path of every order.
    """

    source: TokenSource
    _kept: dict[_Version, str] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self) -> str:
        """The token as it is now. Raises dhan.tokens.TokenMissing."""
        version = _version(self.source.path)
        kept = None if version is None else self._kept.get(version)
        if kept is not None:
            return kept
        token = self.source.read()
        redact.know(token)
        self._kept.clear()
        if version is not None:
            self._kept[version] = token
        return token


def _version(path: Path | None) -> _Version | None:
    """What changes when the file is written or replaced; None when it cannot be looked at."""
    if path is None:
        return _NEVER_WRITTEN
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def read_by_others(path: Path, group: bool) -> bool:
    """Whether others than the file's owner may read it; its group counts only if `group`."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IROTH | (stat.S_IRGRP if group else 0)))
