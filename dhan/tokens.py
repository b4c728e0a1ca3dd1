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


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a token is read: `env:NAME`, `file:PATH`, or the token itself.

    Relative paths are relative to `folder`.
    """

    written: str = field(repr=False)
    folder: Path = Path()

    @property
    def literal(self) -> bool:
        """Whether the configuration holds the token itself."""
        return not self.written.startswith(("env:", "file:"))

    @property
    def name(self) -> str:
        """The source in words that show no secret."""
        return "the token in the configuration" if self.literal else self.written

    @property
    def path(self) -> Path | None:
        """The file of a `file:` source."""
        if not self.written.startswith("file:"):
            return None
        return self.folder / self.written.removeprefix("file:")

    def read(self) -> str:
        """The token as it is now. Raises TokenMissing."""
        if self.written.startswith("env:"):
            token = os.environ.get(self.written.removeprefix("env:"), "")
        elif self.path is not None:
            token = _read(self.path, self.name)
        else:
            token = self.written
        token = token.strip()
        if not token:
            raise TokenMissing(f"{self.name} is empty or not set")
        if any(character.isspace() or not character.isprintable() for character in token):
            raise TokenMissing(f"{self.name} is not one token on one line")
        return token

    def __str__(self) -> str:
        return self.name


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
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
