"""One-time codes by RFC 6238, as Dhan asks for them: SHA-1, six digits, 30 seconds."""

import base64
import binascii
import hmac
import struct
from datetime import datetime

_STEP_SECONDS = 30
_DIGITS = 6


class NoSecret(ValueError):
    """The text is no TOTP secret; the message never shows it."""


def code(secret: str, at: datetime, digits: int = _DIGITS) -> str:
    """The code of a base32 secret at an instant; blanks and small letters are as apps show it.
    Raises NoSecret."""
    compact = secret.replace(" ", "").upper().rstrip("=")
    try:
        key = base64.b32decode(compact + "=" * (-len(compact) % 8))
    except (binascii.Error, ValueError):
        raise NoSecret("is no base32 text") from None
    if not key:
        raise NoSecret("is empty")
    count = struct.pack(">Q", int(at.timestamp()) // _STEP_SECONDS)
    digest = hmac.digest(key, count, "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"
