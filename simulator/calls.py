"""A call of the REST API as the endpoints see it, and how they read its body."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from aiohttp import web

from simulator.accounts import Account
from simulator.ask import MISSING, Refused
from simulator.box import Box

Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A call by `account`; `about` is the order or correlation id in its path."""

    box: Box
    account: Account
    request: web.BaseRequest
    body: Body
    about: str

    @property
    def peer(self) -> str:
        """The address that it comes from."""
        return self.request.remote or ""

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.request.query


def one_of(body: Body, key: str, allowed: tuple[str, ...]) -> str:
    """A word. Raises Refused."""
    value = body.get(key)
    if not isinstance(value, str) or value not in allowed:
        raise Refused(MISSING, "DH-905")
    return value


def whole(body: Body, key: str) -> int:
    """A whole number, 0 when there is none. Raises Refused."""
    return _scaled(body.get(key), 1)


def paise(body: Body, key: str) -> int:
    """An amount of rupees in paise, 0 when there is none. Raises Refused."""
    return _scaled(body.get(key), 100)


def _scaled(value: object, by: int) -> int:
    """So many times a number; it has to be whole then. Raises Refused."""
    if value is None:
        return 0
    try:
        scaled = Decimal(str(value)) * by
        whole_number = int(scaled)
    except (ArithmeticError, ValueError):
        raise Refused(MISSING, "DH-905") from None
    if scaled != whole_number:
        raise Refused(MISSING, "DH-905")
    return whole_number
