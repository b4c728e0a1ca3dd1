"""Access tokens and one-time codes as Dhan grants and asks them."""

import base64
import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Mapping
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=24)
_TOTP_STEP = 30


def new_token(client_id: str, expires: datetime) -> str:
    """A token in the shape of a JWT, signed by nobody; no two are alike."""

    def part(content: Mapping[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    claims = {"iss": "dhan", "dhanClientId": client_id, "exp": int(expires.timestamp())}
    header = {"typ": "JWT", "alg": "HS512"}
    return f"{part(header)}.{part(claims)}.{secrets.token_urlsafe(32)}"


def totp(secret: str, at: float) -> str:
    """The six digits of RFC 6238 for a base32 secret at a unix time."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // _TOTP_STEP), hashlib.sha1).digest()
    offset = digest[-1] & 15
    code: int = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{code % 1_000_000:06d}"


def good_totp(secret: str, code: str, at: float) -> bool:
    """Whether a code is the present or the last one. Without a secret no code is good."""
    return bool(secret) and code in (totp(secret, at), totp(secret, at - _TOTP_STEP))
