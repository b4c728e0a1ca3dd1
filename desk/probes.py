"""Looking, without trading, whether everything that trading needs is there. Each probe tells
its findings; none raises for what it finds."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from actors import clock_watch
from actors.settings import Login
from desk.accounts import moved
from desk.config import Config
from desk.egress import shared
from desk.findings import dotted, error, note, warning
from desk.vault import VaultClosed, vault
from dhan.addresses import AccountAddress
from dhan.codec.addresses import addresses
from dhan.codec.rest import profile
from dhan.codec.values import Unreadable
from dhan.dates import offset
from dhan.master import MasterError, read
from dhan.outcomes import outcome_of
from dhan.requests import Kind, Requests
from dhan.tokens import TokenMissing, expiry
from dhan.trust import trust
from dhan.wire import Answer, Wire
from domain.messages import Alert
from domain.outcomes import Refusal, Refused
from domain.permits import DHAN_ORDERS
from ledger.instruments import MasterFile, NoMaster
from ledger.lock import running_pid
from ledger.opening import LedgerUnusable, LegacyFound, ours, present

_ANSWER_SECONDS = 5.0
_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the configuration, at `where`; a follower `trades`, the leader is read.
    `replaced` is whether its token is replaced in time by a running engine."""

    name: str
    where: str
    address: AccountAddress
    trades: bool
    replaced: bool

    @property
    def login(self) -> str:
        """How the operator gives it another token."""
        return f"python run.py login {self.name}"


def accounts(config: Config) -> list[Account]:
    """The leader and every follower."""
    engine = config.engine
    leader = Account(
        "leader", "leader", engine.leader, trades=False, replaced=_replaced(engine.leader_login)
    )
    followers = (
        Account(
            follower.name,
            dotted(("followers", index)),
            follower.address,
            trades=True,
            replaced=_replaced(follower.login),
        )
        for index, follower in enumerate(config.followers)
    )
    return [leader, *followers]


def _replaced(login: Login | None) -> bool:
    return login is not None and (login.renews or login.generates)


def vault_closed(config: Config) -> Iterator[Alert]:
    """Whether the key of the kept tokens is there for others too, or is none."""
    try:
        vault(config.engine.ledger.parent).look()
    except VaultClosed as closed:
        yield error(closed.why, str(closed.where), closed.fix)


def account(wire: Wire, one: Account, detected: dict[str, str]) -> Iterator[Alert]:
    """Whether the token is there and Dhan takes it as this account's, and its orders from
    here; the address that Dhan sees is `detected`."""
    token_at = f"{one.where}.token"
    try:
        ends = expiry(one.address.token())
    except TokenMissing as missing:
        yield error(str(missing), token_at, f"set the variable, write the file, or {one.login}")
        return
    if ends is not None and ends <= datetime.now(UTC):
        yield error(f"expired at {ends.isoformat()}", token_at, f"give another: {one.login}")
        return
    if one.address.proxy_login is not None:
        try:
            one.address.proxy_login()
        except TokenMissing as missing:
            fix = "set the variable, or write the file"
            yield error(str(missing), f"{one.where}.proxy_password", fix)
            return
    source = one.address.source_ip
    if source is not None and not _ours(source):
        yield error("is no address of this host", f"{one.where}.source_ip", "correct it")
        return
    line = wire.open(one.address)
    requests = Requests(one.address.client_id)
    answer = wire.call(line, requests.profile(), _ANSWER_SECONDS)
    if answer.status != 200:
        yield _refused(answer, one)
        return
    yield from _whose(one, answer)
    if one.trades:
        asked = wire.call(line, requests.addresses(), _ANSWER_SECONDS)
        yield from _sender(one, asked, detected)
    else:
        yield from _clock(answer)
    wire.close(line)


def _refused(answer: Answer, one: Account) -> Alert:
    """Why the profile could not be read."""
    token_at = f"{one.where}.token"
    if answer.status is None:
        where = "dhan.api_url" if one.address.proxy is None else f"{one.where}.proxy"
        return error(f"cannot be asked: {answer.error}", where, "check the address and the network")
    came = outcome_of(Kind.READ, answer)
    if isinstance(came, Refusal) and came.kind is Refused.TOKEN:
        fix = f"give another: {one.login}"
        return error(f"Dhan does not take it: {came.message}", token_at, fix)
    what = came.message if isinstance(came, Refusal) else f"HTTP {answer.status}"
    return error(f"Dhan does not tell whose it is: {what}", token_at, "try again later")


def _whose(one: Account, answer: Answer) -> Iterator[Alert]:
    token_at = f"{one.where}.token"
    try:
        owner = profile(answer.body)
    except Unreadable as trouble:
        yield error(f"whose it is cannot be read: {trouble}", token_at, "check dhan.api_url")
        return
    if owner.client_id != one.address.client_id:
        yield error(
            f"is of account {owner.client_id}, not of {one.address.client_id}",
            token_at,
            f"correct it, or {one.where}.client_id",
        )
    ends = owner.valid_until
    if ends is not None and ends <= datetime.now(UTC) + _SOON:
        by_itself = one.replaced and ends > datetime.now(UTC)
        fix = "a running engine replaces it" if by_itself else f"give another: {one.login}"
        yield warning(f"ends at {ends.isoformat()}", token_at, fix)


def _sender(one: Account, answer: Answer, detected: dict[str, str]) -> Iterator[Alert]:
    """Whether Dhan takes the account's orders from the address that it saw."""
    own = one.address.source_ip
    try:
        if answer.status != 200:
            raise Unreadable(answer.error or f"HTTP {answer.status}")
        said = addresses(answer.body)
    except Unreadable as trouble:
        what = f"whether Dhan takes orders from here is not known: {trouble}"
        yield warning(what, one.where, "try again later")
        return
    detected[one.name] = said.detected
    if said.admits(own) is False:
        what = f"Dhan takes no orders from {said.used(own) or 'here'}"
        yield error(what, one.where, said.remedy(own))


def _clock(answer: Answer) -> Iterator[Alert]:
    """Whether this host's clock is for certain too far from Dhan's."""
    found = offset(answer, datetime.now(UTC), time.monotonic_ns())
    if found is not None and found.words:
        yield warning(f"this host's clock is {found.words}", "clock", clock_watch.FIX)


def ledger(config: Config) -> Iterator[Alert]:
    """Whether the ledger can be used, and for these followers, and who uses it."""
    path, where = config.engine.ledger, "ledger.path"
    try:
        if present(path):
            if path.stat().st_size:
                ours(path)
                yield from moved(config)
        elif not path.parent.is_dir():
            yield error(f"there is no directory {path.parent}", where, "make it or correct this")
            return
        else:
            yield note("is made at the first start", where, "")
    except LegacyFound as found:
        yield note(
            f"{found.why}; the next start takes it over, after a backup beside it", where, ""
        )
    except LedgerUnusable as unusable:
        yield error(unusable.why, where, unusable.fix)
        return
    pid = running_pid(path)
    if pid is not None:
        yield note(f"an engine is running on it (process {pid or 'unknown'})", where, "")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        yield error("cannot be written", where, "run as its owner, or correct its permissions")


def hosts(config: Config) -> Iterator[Alert]:
    """Whether the order feed and the login can be reached."""
    trouble = _unreachable(config.engine.leader_feed.url)
    if trouble:
        yield error(f"cannot be reached: {trouble}", "dhan.feed_url", "check address and network")
    trouble = _unreachable(config.auth_url)
    if trouble:
        yield warning(f"cannot be reached: {trouble}", "dhan.auth_url", "check it and the network")


def master(config: Config) -> Iterator[Alert]:
    """Whether the instrument master can be had, and how old the one in place is; without any,
    lots and ticks come from events."""
    where, trouble, lack = "dhan.master_url", _unread(config.engine.master), _lack(config)
    if trouble:
        what = f"cannot be used: {trouble}"
        fix = "check the address and the network"
        yield warning(f"{what}; {lack}" if lack else what, where, fix)
    elif lack:
        running = running_pid(config.engine.ledger) is not None
        fix = "it is loaded at every start, and by: python run.py instruments --refresh"
        yield (warning if running else note)(lack, where, fix)


def _unread(source: str) -> str:
    """Why not even the beginning of a master can be read; empty when it can."""
    try:
        with closing(read(source, _ANSWER_SECONDS)) as rows:
            if any(row is not None for row in rows):
                return ""
    except MasterError as trouble:
        return str(trouble)
    return "no instrument in it"


def _lack(config: Config) -> str:
    """What the master in place lacks to be one of today; empty when it is."""
    try:
        edition = MasterFile.beside(config.engine.ledger, config.engine.master).edition()
    except NoMaster as none:
        return f"no instrument master is in place ({none})"
    now = datetime.now(UTC)
    if edition.fresh(now):
        return ""
    hours = (now - edition.loaded_at) / timedelta(hours=1)
    return f"the instrument master in place is {hours:.0f} h old"


def roster(config: Config) -> Iterator[Alert]:
    """What is allowed, but hardly meant."""
    if not config.followers:
        yield warning("nobody follows", "followers", "add one: python run.py followers add")
    if config.always_open:
        yield note("every segment counts as open at any time", "clock.sessions", "")
    yield from shared(config)
    for index, follower in enumerate(config.followers):
        for own, dhans in zip(follower.windows, DHAN_ORDERS, strict=True):
            if own.limit > dhans.limit:
                yield warning(
                    f"{own.limit} in {own.seconds:.0f} s is more than Dhan's {dhans.limit}",
                    dotted(("followers", index, "limits")),
                    "Dhan refuses what is above its own limits",
                )


def _ours(address: str) -> bool:
    """Whether the host has the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _unreachable(url: str) -> str:
    """Why nobody answers at an address; empty when somebody does."""
    parts = urlsplit(url)
    secure, host = parts.scheme in ("https", "wss"), parts.hostname or ""
    try:
        with socket.create_connection(
            (host, parts.port or (443 if secure else 80)), _ANSWER_SECONDS
        ) as plain:
            if secure:
                trust().wrap_socket(plain, server_hostname=host).close()
    except OSError as trouble:
        return trouble.strerror or type(trouble).__name__
    return ""
