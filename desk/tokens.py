"""An account's secrets as the wire, the feed and a login ask for them."""

import stat
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from desk import redact
from desk.vault import Kept, Vault, VaultClosed, Version, mark, version
from dhan.tokens import TokenMissing, TokenSource, expiry

_NEVER_WRITTEN = (0, 0, 0)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_Versions = tuple[Version | None, Version | None]


@dataclass(frozen=True, slots=True)
class Token:
    """Gives the token at every request, and has it redacted from then on.

    A token that is kept in the vault stands in for the configured one that it was given or made
    in place of; once the configuration says another, that counts. Where none could be read when
    it was kept (another shell has other variables), the one that ends later counts. Two that read
    the same source are equal, so that a configuration that is read again does not look changed.
    Files are read again only when they were written again, for this is asked on the path of every
    order.
    """

    source: TokenSource
    client_id: str = field(default="", compare=False)
    vault: Vault | None = field(default=None, compare=False, repr=False)
    _read: dict[_Versions, str] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self) -> str:
        """The token as it is now. Raises dhan.tokens.TokenMissing."""
        versions = self._versions()
        token = self._read.get(versions)
        if token is None:
            token = self._now()
            redact.know(token)
            self._read.clear()
            if versions[0] is not None:
                self._read[versions] = token
        return token

    def keep(self, token: str) -> None:
        """Have this token from now on, over restarts, until the configuration says another one
        than it does now. Raises desk.vault.VaultClosed when it could not be written."""
        if self.vault is None:
            raise ValueError("a token without a vault cannot be kept")
        try:
            said = self.source.read()
        except TokenMissing:
            said = ""
        try:
            self.vault.keep(self.client_id, Kept(token, mark(said)))
        finally:
            self._read.clear()

    def _now(self) -> str:
        kept = self._kept()
        try:
            said = self.source.read()
        except TokenMissing:
            if kept is None or kept.instead_of:
                raise
            return kept.token
        redact.know(said)
        return kept.token if kept is not None and _stands_in(kept, said) else said

    def _kept(self) -> Kept | None:
        if self.vault is None:
            return None
        try:
            return self.vault.kept(self.client_id)
        except VaultClosed as closed:
            raise TokenMissing(str(closed)) from None

    def _versions(self) -> _Versions:
        path, vault = self.source.path, self.vault
        written = _NEVER_WRITTEN if path is None else version(path)
        return written, None if vault is None else version(vault.path(self.client_id))


def _stands_in(kept: Kept, said: str) -> bool:
    """Whether what is kept counts, rather than what the configuration says."""
    if kept.instead_of:
        return kept.instead_of == mark(said)
    return (expiry(kept.token) or _LONG_AGO) > (expiry(said) or _LONG_AGO)


@dataclass(frozen=True, slots=True)
class Secret:
    """What an account logs in with, read whenever it is needed and redacted from then on."""

    source: TokenSource

    def __call__(self) -> str:
        """The secret as it is now. Raises dhan.tokens.TokenMissing."""
        secret = self.source.read()
        redact.know(secret)
        return secret


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """The user and password of a proxy, also redacted in the one word that it is told them by."""

    user: str
    password: Secret

    def __call__(self) -> str:
        """The credentials of Basic authentication (RFC 7617). Raises dhan.tokens.TokenMissing."""
        credentials = b64encode(f"{self.user}:{self.password()}".encode()).decode("ascii")
        redact.know(credentials)
        return credentials


def read_by_others(path: Path, group: bool) -> bool:
    """Whether others than the file's owner may read it; its group counts only if `group`."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IROTH | (stat.S_IRGRP if group else 0)))
