"""`login`: an account gets another access token, pasted, or made from its PIN and TOTP secret.

A token is read from the terminal without an echo, or from standard input, never from the command
line. It is kept, encrypted, only after Dhan has said whose it is; a running engine takes it up
within a second.
"""

import getpass
import logging
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches

from actors.settings import Login
from desk import redact
from desk.config import Config
from desk.usage import Misused
from dhan.addresses import AccountAddress
from dhan.auth import NotGranted, generation, granted
from dhan.codec.rest import profile
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome
from dhan.requests import Kind, Request, Requests
from dhan.tokens import NotKept, TokenMissing, expiry
from dhan.totp import NoSecret, code
from dhan.wire import Answer, Wire
from domain.outcomes import Refusal
from domain.sessions import IST

logger = logging.getLogger(__name__)

_SECONDS = 10.0
_LONGEST = 10_000


class _Refused(Exception):
    """There is no token to keep; says why, without a secret."""


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    address: AccountAddress
    login: Login


def run(config: Config, wanted: Namespace) -> int:
    """Get a token and keep it; 0 when it is kept, 1 when not. Raises Misused."""
    account = _account(config, wanted.name)
    try:
        made = account.login.generates and not wanted.paste
        token = _made(account) if made else _pasted(account.name)
        ends = _proven(account, token)
        account.login.token.keep(token)
    except (_Refused, NotKept) as trouble:
        logger.error("%s: no token is kept: %s", account.name, trouble)
        return 1
    until = f", until {ends.astimezone(IST):%d %B %Y %H:%M} (IST)" if ends else ""
    logger.info("%s: the token is kept%s", account.name, until)
    return 0


def _account(config: Config, name: str) -> _Account:
    leader = config.engine.leader_login
    known = [] if leader is None else [_Account("leader", config.engine.leader, leader)]
    for one in config.followers:
        if one.login is not None:
            known.append(_Account(one.name, one.address, one.login))
    for account in known:
        if account.name == name:
            return account
    names = [account.name for account in known]
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    redact.know(name)  # perhaps a token that should not have stood there
    raise Misused(f"no account has that name{hint} (accounts: {', '.join(names)})")


def _pasted(name: str) -> str:
    """The token that the operator gives."""
    if sys.stdin.isatty():
        pasted = getpass.getpass(f"Access token of {name} (it is not shown): ")
    else:
        pasted = sys.stdin.readline(_LONGEST)
    token = pasted.strip()
    redact.know(token)
    if not token:
        raise _Refused("none was given")
    if " " in token or not (token.isascii() and token.isprintable()):
        raise _Refused("that is not one token on one line")
    return token


def _made(account: _Account) -> str:
    """A token that Dhan makes for the PIN and a one-time code."""
    login = account.login
    if login.pin is None or login.totp_secret is None:
        raise _Refused("it needs pin and totp_secret")
    try:
        pin, one_time = login.pin(), code(login.totp_secret(), datetime.now(UTC))
    except (TokenMissing, NoSecret) as trouble:
        raise _Refused(f"{trouble}") from None
    bare = replace(account.address, api_url=login.auth_url, token=str)
    answer = _asked(bare, generation(account.address.client_id, pin, one_time))
    came = granted(answer, (pin, one_time))
    if isinstance(came, NotGranted):
        raise _Refused(f"Dhan makes none: {came.why}")
    redact.know(came.token)
    return came.token


def _proven(account: _Account, token: str) -> datetime | None:
    """When the token ends, after Dhan has said that it is this account's."""
    ends = expiry(token)
    if ends is not None and ends <= datetime.now(UTC):
        raise _Refused(f"it has expired at {ends.astimezone(IST):%d %B %H:%M} (IST)")
    address = replace(account.address, token=lambda: token)
    answer = _asked(address, Requests(address.client_id).profile())
    came = outcome(Kind.READ, answer.status, answer.body, answer.error, answer.written_at)
    if isinstance(came, Refusal):
        raise _Refused(f"Dhan does not take it: {came.message}")
    if answer.status != 200:
        raise _Refused(f"Dhan does not say whose it is: {answer.error or answer.status}")
    try:
        owner = profile(answer.body)
    except Unreadable as trouble:
        raise _Refused(f"Dhan's word on whose it is cannot be read: {trouble}") from None
    if owner.client_id != address.client_id:
        raise _Refused(f"it is of account {owner.client_id}, not of {address.client_id}")
    return ends or owner.valid_until


def _asked(address: AccountAddress, request: Request) -> Answer:
    """The answer to one request, by the account's own way out."""
    with _wire() as wire:
        return wire.call(wire.open(replace(address, lines=1)), request, _SECONDS)


@contextmanager
def _wire() -> Iterator[Wire]:
    wire = Wire()
    wire.start()
    try:
        yield wire
    finally:
        wire.stop(0.0)
