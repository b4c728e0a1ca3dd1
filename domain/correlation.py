"""Correlation ids: the name under which one request of a copy is found again at the broker.

Deterministic, so that a restarted process asks for the same name it gave before the crash, and
unique per leader order, slice and attempt. At most 25 characters of `[A-Za-z0-9 _-]`: Dhan's
documentation says 30, its sandbox refuses 26.
"""

import re
from functools import lru_cache
from hashlib import sha256

MOST_CHARACTERS = 25
PREFIX = "LS"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CANONICAL = re.compile(r"[1-9][0-9]{0,17}")
_OURS = re.compile(
    r"LS(?:h[0-9a-z]{14}|n([1-9a-z][0-9a-z]{0,11}))"
    r"-(?:0|[1-9a-z][0-9a-z]?)-(?:0|[1-9a-z][0-9a-z]{0,2})"
)
_MOST_CANONICAL = 10**18
_REMEMBERED = 4096
_MOST_SLICES = 36**2
_MOST_ATTEMPTS = 36**3


@lru_cache(maxsize=_REMEMBERED)
def correlation_id(leader_order_id: str, slice_number: int, attempt: int) -> str:
    """The id of one attempt to place one slice of the copy of a leader order.

    The same in every account, so that the last ones are remembered.

    Raises ValueError for a slice above 1295 or an attempt above 46655.
    """
    if not (0 <= slice_number < _MOST_SLICES and 0 <= attempt < _MOST_ATTEMPTS):
        raise ValueError(f"slice {slice_number} or attempt {attempt} of a copy is out of range")
    return f"{PREFIX}{_name(leader_order_id)}-{_base36(slice_number)}-{_base36(attempt)}"


def ours(correlation: str | None) -> bool:
    """Whether an order was placed by Lockstep, so that it is never copied again."""
    found = _OURS.fullmatch(correlation) if correlation else None
    if found is None:
        return False
    number: str | None = found[1]
    return number is None or int(number, 36) < _MOST_CANONICAL


def _name(order_id: str) -> str:
    if _CANONICAL.fullmatch(order_id):
        return "n" + _base36(int(order_id))
    digest = int.from_bytes(sha256(order_id.encode()).digest()[:12], "big") % 36**14
    return "h" + _base36(digest).rjust(14, "0")


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
