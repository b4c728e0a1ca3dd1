"""Access tokens: where they come from, and how long they live. Their values never show."""

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


class TokenMissing(Exception):
    """A token's source gives none; the message names the source, never a value."""


class NotKept(Exception):
    """A token counts until the process ends, but not over the next start; says why and shows no
    value."""


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a token is read: `env:NAME`, `file:PATH`, `login` (what was given or made by a login,
    and is kept elsewhere), or the token itself.

    Relative paths are relative to `folder`. `path` is the file of a `file:` source.
    """

    written: str = field(repr=False)
    folder: Path = Path()
    path: Path | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kind, _, rest = self.written.partition(":")
        object.__setattr__(self, "path", self.folder / rest if kind == "file" else None)

    @property
    def literal(self) -> bool:
        """Whether the configuration holds the token itself."""
        return not self.by_login and not self.written.startswith(("env:", "file:"))

    @property
    def by_login(self) -> bool:
        """Whether there is no other token than the one that a login gave."""
        return self.written == "login"

    @property
    def name(self) -> str:
        """The source in words that show no secret."""
        if self.by_login:
            return "the token of a login"
        return "the token in the configuration" if self.literal else self.written

    def read(self) -> str:
        """The token as it is now. Raises TokenMissing."""
        if self.path is not None:
            token = _read(self.path, self.name).strip()
        elif self.by_login:
            raise TokenMissing(f"{self.name} is not there yet (python run.py login NAME)")
        elif self.literal:
            token = self.written.strip()
        else:
            token = os.environ.get(self.written.removeprefix("env:"), "").strip()
        if not token:
            raise TokenMissing(f"{self.name} is empty or not set")
        if " " in token or not (token.isascii() and token.isprintable()):
            raise TokenMissing(f"{self.name} is not one token on one line")
        return token

    def __str__(self) -> str:
        return self.name


def _read(path: Path, name: str) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise TokenMissing(f"{name} cannot be read: {type(trouble).__name__}") from None


def expiry(token: str) -> datetime | None:
    """When the token ends by its own word (the JWT's `exp`, not verified), None when it does
    not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(padded))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
