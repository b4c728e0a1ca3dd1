"""How an account asks Dhan for another access token, and what the answers say.

generateAccessToken wants the PIN and the one-time code in the address: they are kept out of every
repr here, and out of what Dhan's words are repeated by. So is what an app with an API key sends:
it asks for a consent, the account's owner gives that in a browser, and the address that the
browser is led to has the id that buys a token.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from dhan.codec.values import instant, text
from dhan.outcomes import outcome_of
from dhan.requests import Kind, Request
from dhan.tokens import expiry
from dhan.wire import Answer
from domain.outcomes import Refusal

_HIDDEN = "[hidden]"
_ID = re.compile(r"[A-Za-z0-9._~+/=-]{1,2000}")


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


def consent(client_id: str, api_key: str, api_secret: str) -> Request:
    """A consent to be given by the account's owner; Dhan allows 25 a day."""
    query = urlencode({"client_id": client_id})
    path, app = "/app/generate-consent", _app(api_key, api_secret)
    return Request(Kind.READ, "POST", path, query=f"?{query}", headers=app)


def consent_link(answer: Answer, auth_url: str, secrets: Iterable[str] = ()) -> str | NotGranted:
    """Where the owner gives the consent that was asked for."""
    fields = _fields(answer.body) if answer.status == 200 else {}
    consent_id = text(fields.get("consentAppId"))
    if not _ID.fullmatch(consent_id):
        return _not_granted(answer, fields, secrets)
    return f"{auth_url}/login/consentApp-login?{urlencode({'consentAppId': consent_id})}"


def token_id(address: str) -> str | None:
    """What buys a token, out of the address that the browser was led to, or by itself; None where
    it is in neither."""
    address = address.strip()
    if "tokenId=" not in address:
        return address if _ID.fullmatch(address) and "/" not in address else None
    try:
        found = parse_qs(urlsplit(address).query or address.lstrip("?")).get("tokenId", [])
    except ValueError:
        return None
    only = found[0].replace(" ", "+") if len(found) == 1 else ""
    return only if _ID.fullmatch(only) else None


def consumption(token_id: str, api_key: str, api_secret: str) -> Request:
    """A token for a consent that was given, once. Dhan's documentation and SDK use GET."""
    query, app = urlencode({"tokenId": token_id}), _app(api_key, api_secret)
    return Request(Kind.READ, "GET", "/app/consumeApp-consent", query=f"?{query}", headers=app)


def granted(answer: Answer, secrets: Iterable[str] = ()) -> Granted | NotGranted:
    """What came of a request for a token. The `secrets` that it was made with are hidden in what
    Dhan is quoted by."""
    fields = _fields(answer.body) if answer.status == 200 else {}
    token = text(fields.get("accessToken")) or text(fields.get("token"))
    if token and token.isascii() and token.isprintable() and " " not in token:
        return Granted(token, expiry(token) or instant(fields.get("expiryTime")))
    return _not_granted(answer, fields, secrets)


def _app(api_key: str, api_secret: str) -> tuple[tuple[str, str], ...]:
    return ("app_id", api_key), ("app_secret", api_secret)


def _not_granted(
    answer: Answer, fields: Mapping[str, object], secrets: Iterable[str]
) -> NotGranted:
    came = outcome_of(Kind.READ, answer)
    if isinstance(came, Refusal):
        return NotGranted(_without(came.message, secrets), refused=True)
    said = text(fields.get("message")) or text(fields.get("errorMessage"))
    if answer.status == 200:
        return NotGranted(_without(said, secrets) or "an answer without one", refused=True)
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
