"""A call of the REST API as the endpoints see it, and how they read its body."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from simulator.accounts import Account
from simulator.ask import MISSING, Refused
from simulator.box import Box

Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A call by `account`; `about` is the order or correlation id in its path, `peer` the
    address that it comes from."""

    box: Box
    account: Account
    method: str
    body: Body
    query: Mapping[str, str]
    about: str
    peer: str


def one_of(body: Body, key: str, allowed: tuple[str, ...]) -> str:
    """A word. Raises Refused."""
    value = body.get(key)
    if not isinstance(value, str) or value not in allowed:
        raise Refused(MISSING, "DH-905")
    return value


def whole(body: Body, key: str) -> int:
    """A whole number, 0 when there is none. Raises Refused."""
    return _whole(_number(body, key))


def paise(body: Body, key: str) -> int:
    """An amount of rupees in paise, 0 when there is none. Raises Refused."""
    return _whole(_number(body, key) * 100)


def _whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise Refused(MISSING, "DH-905")
    return int(number)


def _number(body: Body, key: str) -> Fraction:
    value = body.get(key)
    if value is None:
        return Fraction(0)
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise Refused(MISSING, "DH-905") from None
