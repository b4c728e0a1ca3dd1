"""What Dhan says of the addresses that an account may send orders from (`/ip/getIP`)."""

import json
from dataclasses import dataclass

from dhan.codec.values import Unreadable


@dataclass(frozen=True, slots=True)
class Addresses:
    """`allowed` is whether orders are taken from where the question came from, None where Dhan
    does not say (its documentation has no such field, its published schema has); `detected` is
    the address that it saw."""

    allowed: bool | None
    detected: str


def addresses(body: bytes) -> Addresses:
    """The answer's content. Raises Unreadable."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(fields, dict):
        raise Unreadable("not an object")
    allowed, detected = fields.get("ordersAllowed"), fields.get("detectedIP")
    return Addresses(
        allowed=allowed if isinstance(allowed, bool) else None,
        detected=detected if isinstance(detected, str) else "",
    )
