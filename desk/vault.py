"""The tokens that Lockstep was given or has made itself, kept encrypted beside the ledger.

The key comes from systemd where the unit has a credential `lockstep.key`, else from the file of
that name beside the ledger, which its owner alone may read; it is made when first needed. Each
account's token is a file of its own, replaced at one stroke.
"""

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from desk import redact
from desk.swap import swap
from dhan.tokens import NotKept

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

Version = tuple[int, int, int]

KEY = "lockstep.key"
FOLDER = "lockstep.tokens"
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class VaultClosed(NotKept):
    """What is kept cannot be read or written. `where` is the file at fault, `fix` what to do."""

    def __init__(self, why: str, where: Path, fix: str) -> None:
        self.why, self.where, self.fix = why, where, fix
        super().__init__(f"{where} {why}; {fix}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A token that is kept, and the mark of the configured one that it stands in for, empty where
    none could be read."""

    token: str = field(repr=False)
    instead_of: str


def mark(token: str) -> str:
    """What tells a token from another without showing it; of none, nothing."""
    return sha256(token.encode()).hexdigest() if token else ""


@dataclass(frozen=True, slots=True)
class Vault:
    """The kept tokens of one ledger. One that could not be written counts until the end of the
    process, or until somebody writes another."""

    folder: Path
    _unwritten: dict[str, tuple[Version | None, Kept]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def path(self, client_id: str) -> Path:
        """The file of an account's token."""
        return self.folder / FOLDER / f"{client_id}.token"

    @property
    def key_path(self) -> Path:
        """Where the key is, or would be made."""
        given = os.environ.get("CREDENTIALS_DIRECTORY")
        if given and (Path(given) / KEY).exists():
            return Path(given) / KEY
        return self.folder / KEY

    def kept(self, client_id: str) -> Kept | None:
        """The account's token, None when none is kept. Raises VaultClosed."""
        path = self.path(client_id)
        before, unwritten = self._unwritten.get(client_id, (None, None))
        if unwritten is not None and before == version(path):
            return unwritten
        try:
            sealed = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as trouble:
            fix = "see to its permissions, or delete it and log in again"
            raise VaultClosed(f"cannot be read ({trouble.strerror})", path, fix) from None
        return self._opened(sealed, path)

    def keep(self, client_id: str, kept: Kept) -> None:
        """Keep the account's token in place of the one before. Raises VaultClosed when it cannot
        be written; it counts all the same, until the process ends."""
        redact.know(kept.token)
        path = self.path(client_id)
        self._unwritten[client_id] = version(path), kept
        content = json.dumps({"token": kept.token, "instead_of": kept.instead_of}).encode()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            swap(path, self._cipher(make=True).encrypt(content))
        except OSError as trouble:
            fix = "see to the disk and the permissions; the token is lost at the next start"
            raise VaultClosed(f"cannot be written ({trouble.strerror})", path, fix) from None
        del self._unwritten[client_id]

    def look(self) -> None:
        """See whether a key that is there can be used. Raises VaultClosed."""
        if self.key_path.exists():
            self._cipher(make=False)

    def _opened(self, sealed: bytes, path: Path) -> Kept:
        from cryptography.fernet import InvalidToken

        try:
            content = json.loads(self._cipher(make=False).decrypt(sealed))
            kept = Kept(str(content["token"]), str(content["instead_of"]))
        except (InvalidToken, ValueError, KeyError, TypeError):
            fix = f"bring back the {KEY} that it was written with, or delete it and log in again"
            raise VaultClosed("cannot be decrypted", path, fix) from None
        redact.know(kept.token)
        return kept

    def _cipher(self, *, make: bool) -> "Fernet":
        from cryptography.fernet import Fernet

        path = self.key_path
        if make and not path.exists():
            _make(path, Fernet.generate_key())
        try:
            if path.parent == self.folder and os.name == "posix":
                _refuse_openness(path)
            key = path.read_bytes().strip()
        except OSError as trouble:
            fix = f"bring back the {KEY} that the tokens were kept with, or log in again"
            raise VaultClosed(f"cannot be read ({trouble.strerror})", path, fix) from None
        redact.know(key.decode("latin-1"))
        try:
            return Fernet(key)
        except ValueError:
            fix = "make one with: openssl rand -base64 32 | tr '+/' '-_'"
            raise VaultClosed("is no key", path, fix) from None


@cache
def vault(folder: Path) -> Vault:
    """The one vault of a folder, for all who read its tokens in this process."""
    return Vault(folder)


def version(path: Path) -> Version | None:
    """What changes when a file is written or replaced; None when it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _refuse_openness(path: Path) -> None:
    """systemd guards its own credentials, whose mode does not tell who may read them."""
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        raise VaultClosed("can be read by other users", path, f"chmod 600 {path}")


def _make(path: Path, key: bytes) -> None:
    """A new key, unless somebody else was quicker."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key + b"\n")
            file.flush()
            os.fsync(file.fileno())
