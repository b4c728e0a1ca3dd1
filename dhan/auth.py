"""How an account asks Dhan for another access token, and what the answers say.

generateAccessToken wants the PIN and the one-time code in the address: they are kept out of every
repr here, and out of what Dhan's words are repeated by.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from dhan.codec.values import instant, text
from dhan.outcomes import outcome
from dhan.requests import Kind, Request
from dhan.tokens import expiry
from dhan.wire import Answer
from domain.outcomes import Refusal

_HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True)
class Granted:
    """A new token. `ends` by its own word, else by Dhan's (IST without saying so)."""

    token: str = field(repr=False)
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class NotGranted:
    """There is no new token. `refused` is whether Dhan clearly said no; what is not clear, or
    did not arrive, may be asked again."""

    why: str
    refused: bool


def renewal(client_id: str) -> Request:
    """Another token for the one that it is sent with. Dhan's documentation and SDK use GET, and a
    header of this name."""
    return Request(Kind.READ, "GET", "/RenewToken", headers=(("dhanClientId", client_id),))


def generation(client_id: str, pin: str, code: str) -> Request:
    """A token for the PIN and a one-time code, to be sent to Dhan's host for logins."""
    query = urlencode({"dhanClientId": client_id, "pin": pin, "totp": code})
    return Request(Kind.READ, "POST", "/app/generateAccessToken", query=f"?{query}")


def granted(answer: Answer, secrets: Iterable[str] = ()) -> Granted | NotGranted:
    """What came of either request. The `secrets` that it was made with are hidden in what Dhan
    is quoted by."""
    fields = _fields(answer.body) if answer.status == 200 else {}
    token = text(fields.get("accessToken")) or text(fields.get("token"))
    if token and token.isascii() and token.isprintable() and " " not in token:
        return Granted(token, expiry(token) or instant(fields.get("expiryTime")))
    came = outcome(Kind.READ, answer.status, answer.body, answer.error, answer.written_at)
    if isinstance(came, Refusal):
        return NotGranted(_without(came.message, secrets), refused=True)
    said = text(fields.get("message")) or text(fields.get("errorMessage"))
    if answer.status == 200:
        return NotGranted(_without(said, secrets) or "an answer without a token", refused=True)
    return NotGranted(answer.error or f"HTTP {answer.status}", refused=False)


def _fields(body: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _without(words: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret:
            words = words.replace(secret, _HIDDEN)
    return words
