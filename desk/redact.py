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
_QUERY = r"(?i:(?:totp|pin|token_?id|access_?token|app_?secret)=)[^\s&\"'<>]+"
_IN_QUERY = rf"(?<![A-Za-z]){_QUERY}"
_NAMES = r"totp|pin|token_?id|access-?_?token|token|secret|app_?secret"
_IN_JSON = rf"(?i:[\"'](?:{_NAMES})[\"']\s*:\s*)[\"'][^\"']*"
_SHAPES = re.compile(f"{_JWT}|{_IN_QUERY}|{_IN_JSON}")
_ESCAPED = r"(?i:(?:totp|pin|token|token_?id|secret)\\*[\"'][\s\\a-z0-9]*:)"
_SUSPECT = re.compile(f"{_JWT}|{_QUERY}|{_ESCAPED}")
_IN_SHAPES = ("eyj", "totp", "pin", "token", "secret")
_NAMED = re.compile(r"^(?P<name>[^=:]{1,20}(?:=|\s*:\s*[\"']))")


class _Known:
    """The secrets told so far, in every spelling, longest first. Each is looked for by itself,
    which is much quicker than one expression for many tokens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.spellings: tuple[str, ...] = ()

    def add(self, secret: str) -> None:
        with self._lock:
            spelt = {*self.spellings, *_spellings(secret)}
            self.spellings = tuple(sorted(spelt, key=len, reverse=True))


_known = _Known()


def know(secret: str) -> None:
    """Hide this value from now on, everywhere."""
    secret = secret.strip()
    if secret and scrub(secret) != HIDDEN:
        _known.add(secret)


def scrub(text: str) -> str:
    """The text without secrets."""
    for spelling in _known.spellings:
        if spelling in text:
            text = _without(text, spelling)
    return _SHAPES.sub(_hidden, text) if _may_hold(text) else text


def suspect(line: str) -> bool:
    """Whether there may be secrets in a line of JSON. Where an escaped character stands before a
    word, `scrub` itself does not see that one begins."""
    if any(spelling in line for spelling in _known.spellings):
        return True
    return _may_hold(line) and bool(_SUSPECT.search(line))


def _may_hold(text: str) -> bool:
    """Whether it has a word without which there is no secret of a known shape: a look that costs
    a thirtieth of an expression's. Beyond ASCII there are letters that only an expression knows
    to be the same as others."""
    if not text.isascii():
        return True
    lowered = text.lower()
    return any(word in lowered for word in _IN_SHAPES)


def _without(text: str, spelling: str) -> str:
    """A short secret (a PIN) counts as a whole word only: its digits are part of many numbers."""
    if len(spelling) >= _SHORT:
        return text.replace(spelling, HIDDEN)
    return re.sub(rf"(?<![A-Za-z0-9_]){re.escape(spelling)}(?![A-Za-z0-9_])", HIDDEN, text)


def _hidden(found: re.Match[str]) -> str:
    """What stands for a secret of a known shape: its name is kept, if it has one."""
    named = _NAMED.match(found[0])
    return f"{named['name'] if named else ''}{HIDDEN}"


def _spellings(secret: str) -> Iterator[str]:
    """The secret as it may stand in a text, an address, JSON or a traceback."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
