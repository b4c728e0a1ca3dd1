"""Tokens that a command gets from Dhan, and Dhan's word on whose a token is.

Every question goes by the account's own way out. The official SDK's login is not used: it knows
neither source addresses nor proxies, and writes addresses with secrets into the log.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from actors.settings import Login
from desk import redact
from dhan import auth
from dhan.addresses import AccountAddress
from dhan.auth import NotGranted
from dhan.codec.rest import profile
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome_of
from dhan.requests import Kind, Request, Requests
from dhan.tokens import TokenMissing, expiry
from dhan.totp import NoSecret, code
from dhan.wire import Answer, Wire
from domain.outcomes import Refusal
from domain.sessions import IST

_SECONDS = 10.0


class NoToken(Exception):
    """There is no token to keep; says why, without a secret."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """An account that wants a token, by the name that the operator knows it by."""

    name: str
    address: AccountAddress
    login: Login


def made(wire: Wire, one: Applicant) -> str:
    """A token for the PIN and a one-time code. Raises NoToken."""
    login = one.login
    try:
        pin = _read(login.pin, "pin")
        one_time = code(_read(login.totp_secret, "totp_secret"), datetime.now(UTC))
    except NoSecret as trouble:
        raise NoToken(f"{trouble}") from None
    request = auth.generation(one.address.client_id, pin, one_time)
    return _granted(wire, one, request, (pin, one_time))


def consent_link(wire: Wire, one: Applicant) -> str:
    """Where the account's owner consents to a token. Raises NoToken."""
    key, secret = _app(one)
    request = auth.consent(one.address.client_id, key, secret)
    link = auth.consent_link(_asked(wire, _bare(one), request), one.login.auth_url, (key, secret))
    if isinstance(link, NotGranted):
        raise NoToken(f"Dhan asks for no consent: {link.why} (it allows 25 a day)")
    return link


def consented(wire: Wire, one: Applicant, address: str) -> str:
    """A token for the consent that led the owner's browser to an address. Raises NoToken."""
    token_id = auth.token_id(address)
    if token_id is None:
        raise NoToken("there is no tokenId in that; it wants the whole address")
    redact.know(token_id)
    key, secret = _app(one)
    return _granted(wire, one, auth.consumption(token_id, key, secret), (token_id, key, secret))


def proven(wire: Wire, one: Applicant, token: str) -> datetime | None:
    """When a token ends, after Dhan has said that it is this account's. Raises NoToken."""
    ends = expiry(token)
    if ends is not None and ends <= datetime.now(UTC):
        raise NoToken(f"it has expired at {ends.astimezone(IST):%d %B %H:%M} (IST)")
    address = replace(one.address, token=lambda: token)
    answer = _asked(wire, address, Requests(address.client_id).profile())
    came = outcome_of(Kind.READ, answer)
    if isinstance(came, Refusal):
        raise NoToken(f"Dhan does not take it: {came.message}")
    if answer.status != 200:
        raise NoToken(f"Dhan does not say whose it is: {answer.error or answer.status}")
    try:
        owner = profile(answer.body)
    except Unreadable as trouble:
        raise NoToken(f"Dhan's word on whose it is cannot be read: {trouble}") from None
    if owner.client_id != address.client_id:
        raise NoToken(f"it is of account {owner.client_id}, not of {address.client_id}")
    return ends or owner.valid_until


def _app(one: Applicant) -> tuple[str, str]:
    return _read(one.login.api_key, "api_key"), _read(one.login.api_secret, "api_secret")


def _read(secret: Callable[[], str] | None, key: str) -> str:
    if secret is None:
        raise NoToken(f"it needs {key}")
    try:
        return secret()
    except TokenMissing as missing:
        raise NoToken(f"{missing}") from None


def _granted(wire: Wire, one: Applicant, request: Request, secrets: tuple[str, ...]) -> str:
    came = auth.granted(_asked(wire, _bare(one), request), secrets)
    if isinstance(came, NotGranted):
        raise NoToken(f"Dhan makes none: {came.why}")
    redact.know(came.token)
    return came.token


def _bare(one: Applicant) -> AccountAddress:
    """Dhan's host for logins, without a token."""
    return replace(one.address, api_url=one.login.auth_url, token=str)


def _asked(wire: Wire, address: AccountAddress, request: Request) -> Answer:
    line = wire.open(replace(address, lines=1))
    try:
        return wire.call(line, request, _SECONDS)
    finally:
        wire.close(line)
