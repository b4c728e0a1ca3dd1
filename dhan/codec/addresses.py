"""What Dhan says of the addresses that an account may send orders from (`/ip/getIP`)."""

import ipaddress
import json
from dataclasses import dataclass

from dhan.codec.values import Unreadable


@dataclass(frozen=True, slots=True)
class Addresses:
    """`allowed` is whether orders are taken from where the question came from, None where Dhan
    does not say (its documentation has no such field, its published schema has); `detected` is
    the address that it saw, `registered` are those that the account has registered."""

    allowed: bool | None
    detected: str
    registered: tuple[str, ...] = ()

    def used(self, own: str | None) -> str:
        """The address that the account's orders come from, as far as it is known: as Dhan saw it,
        else the account's `own` where that is what the world sees."""
        return self.detected or (own if own is not None and _public(own) else "")

    def admits(self, own: str | None) -> bool | None:
        """Whether orders are taken, also where Dhan tells only what is registered; None where
        that cannot be known."""
        used = _same(self.used(own))
        if self.allowed is not None or not used or not self.registered:
            return self.allowed
        return used in {_same(one) for one in self.registered}

    def remedy(self, own: str | None) -> str:
        """What the operator does where orders are not taken."""
        registered = ", ".join(self.registered) or "none"
        return (
            f"register {self.used(own) or 'the address'} with Dhan (registered: {registered}; each "
            "can be changed once in 7 days), or send from another by source_ip or proxy"
        )


def addresses(body: bytes) -> Addresses:
    """The answer's content. Raises Unreadable."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(fields, dict):
        raise Unreadable("not an object")
    allowed, detected = fields.get("ordersAllowed"), fields.get("detectedIP")
    registered = (fields.get("primaryIP"), fields.get("secondaryIP"))
    return Addresses(
        allowed=allowed if isinstance(allowed, bool) else None,
        detected=detected if isinstance(detected, str) else "",
        registered=tuple(one for one in registered if isinstance(one, str) and one),
    )


def _public(address: str) -> bool:
    """Whether the world sees this address, and not that of a router in between."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _same(address: str) -> str:
    """One spelling for each address."""
    try:
        return ipaddress.ip_address(address).compressed
    except ValueError:
        return address
