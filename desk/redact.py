"""Secrets stay inside: whatever is known as one, or looks like one, is hidden in every text.

Known are the values that the program itself reads (tokens, PINs, TOTP seeds), told by `know`.
Hidden unasked are JSON web tokens, as Dhan's access tokens are, also when cut short, and what
stands where Dhan's requests carry a secret.
"""

import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote

HIDDEN = "[hidden]"

_SHORT = 8
_JWT = r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,2}"
_IN_QUERY = r"(?i:(?<![A-Za-z])(?:totp|pin|access_?token|app_?secret)=)[^\s&\"'<>]+"
_IN_JSON = (
    r"(?i:[\"'](?:totp|pin|access-?_?token|token|secret|app_?secret)[\"']\s*:\s*)[\"'][^\"']*"
)
_SHAPES = re.compile(f"{_JWT}|{_IN_QUERY}|{_IN_JSON}")
_NAMED = re.compile(r"^(?P<name>[^=:]{1,20}(?:=|\s*:\s*[\"']))")


class _Known:
    """The secrets told so far, as one expression that finds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self.expression: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        with self._lock:
            if secret in self._secrets:
                return
            self._secrets |= {secret}
            spelt = {form for known in self._secrets for form in _spellings(known)}
            longest_first = sorted(spelt, key=len, reverse=True)
            self.expression = re.compile("|".join(map(_found_by, longest_first)))


_known = _Known()


def know(secret: str) -> None:
    """Hide this value from now on, everywhere."""
    secret = secret.strip()
    if secret:
        _known.add(secret)


def scrub(text: str) -> str:
    """The text without secrets."""
    expression = _known.expression
    if expression is not None:
        text = expression.sub(HIDDEN, text)
    return _SHAPES.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    """What stands for a secret of a known shape: its name is kept, if it has one."""
    named = _NAMED.match(found[0])
    return f"{named['name'] if named else ''}{HIDDEN}"


def _spellings(secret: str) -> Iterator[str]:
    """The secret as it may stand in a text, an address, JSON or a traceback."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]


def _found_by(spelling: str) -> str:
    """A short secret (a PIN) counts as a whole word only: its digits are part of many numbers."""
    if len(spelling) >= _SHORT:
        return re.escape(spelling)
    return rf"(?<![A-Za-z0-9_]){re.escape(spelling)}(?![A-Za-z0-9_])"
