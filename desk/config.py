"""lockstep.toml as frozen settings for the engine and its followers.

All problems of a file are told at once, by the path of the key; no value is ever shown, for any
may be a secret. Relative paths are relative to the file.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from actors.settings import EngineSettings, FollowerSettings, KeptFor, Login
from desk import redact, rules, schema
from desk.findings import ConfigError, dotted, doubles, error, misshapen, warning
from desk.tokens import ProxyLogin, Secret, Token, read_by_others
from desk.vault import vault
from dhan.addresses import AccountAddress, FeedAddress
from dhan.tokens import TokenSource
from domain.hours import always, exchange_hours
from domain.messages import Alert
from domain.orders import Product
from domain.permits import DHAN_ORDERS, RESERVE, Window
from domain.protection import Protection
from domain.rules import FailedLeg, Rules, WhenClosed

__all__ = ["Config", "ConfigError", "document", "load", "parse", "read"]

_CALENDAR = "calendar.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """What the file at `path` says.

    `loopback` is whether nothing of it can leave this host, `calendar` the file of special
    sessions, which need not be there. `warnings` do not keep it from being used.
    """

    path: Path
    engine: EngineSettings
    followers: tuple[FollowerSettings, ...]
    auth_url: str
    calendar: Path
    loopback: bool
    warnings: tuple[Alert, ...] = ()

    @property
    def always_open(self) -> bool:
        """Whether every segment counts as open at any time."""
        return self.engine.sessions is always


def load(path: Path) -> Config:
    """The configuration in the file. Raises ConfigError."""
    return parse(path, read(path))


def read(path: Path) -> bytes:
    """The bytes of the file. Raises ConfigError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fix = "write one, or name another with --config"
        raise ConfigError(path, (error("there is no such file", str(path), fix),)) from None
    except OSError as trouble:
        fix = "see to its permissions, or name another with --config"
        what = f"cannot be read ({trouble.strerror})"
        raise ConfigError(path, (error(what, str(path), fix),)) from None


def parse(path: Path, content: bytes) -> Config:
    """The configuration that the file's content says. Raises ConfigError."""
    said = document(path, content)
    _know_secrets(said)
    problems = [*doubles(said), *_open_to_the_world(said)]
    try:
        tables = schema.Lockstep.model_validate(said)
    except ValidationError as wrong:
        problems = [*misshapen(wrong), *problems]
    else:
        problems += rules.troubles(tables)
    if problems:
        raise ConfigError(path, tuple(problems))
    return _settings(path.absolute(), tables)


def document(path: Path, content: bytes) -> Mapping[str, Any]:
    """What a file in TOML says. Raises ConfigError."""
    try:
        return tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except UnicodeDecodeError:
        problem = error("is not text in UTF-8", str(path), "save it as UTF-8")
    except (ValueError, ArithmeticError, RecursionError) as wrong:
        problem = error(f"is not TOML: {wrong}", str(path), "put this line right")
    raise ConfigError(path, (problem,))


def _know_secrets(document: Mapping[str, object]) -> None:
    """Have secrets that stand in the file redacted, before anything is said of it."""
    followers = document.get("followers")
    accounts = [document.get("leader"), *(followers if isinstance(followers, list) else ())]
    for account in accounts:
        for key in schema.SECRETS:
            secret = account.get(key) if isinstance(account, Mapping) else None
            if isinstance(secret, str) and TokenSource(secret).literal:
                redact.know(secret)


def _open_to_the_world(document: Mapping[str, object]) -> Iterator[Alert]:
    """Markets that count as always open are for the simulator only."""
    clock = document.get("clock")
    if not isinstance(clock, Mapping) or clock.get("sessions") != "always":
        return
    try:
        dhan = schema.Dhan.model_validate(document.get("dhan", {}))
    except ValidationError:
        return
    if not dhan.loopback:
        yield error(
            "is allowed only while every address is on this host",
            "clock.sessions",
            'write "exchange", or loopback addresses under [dhan] (api_url, auth_url, feed_url, '
            "master_url)",
        )


def _settings(path: Path, tables: schema.Lockstep) -> Config:
    folder, dhan = path.parent, tables.dhan
    token = _token(folder, tables, tables.leader)
    master = dhan.master_url if schema.is_url(dhan.master_url) else str(folder / dhan.master_url)
    engine = EngineSettings(
        ledger=folder / tables.ledger.path,
        kept=KeptFor(
            timedelta(days=tables.ledger.journal_days), timedelta(days=tables.ledger.audit_days)
        ),
        leader=_address(folder, dhan, tables.leader, token),
        leader_feed=_feed(folder, dhan, tables.leader, token),
        master=master,
        sweep_seconds=float(tables.recovery.sweep_seconds),
        sessions=always if tables.clock.sessions == "always" else exchange_hours,
        leader_login=_login(folder, dhan, tables.leader, token),
    )
    return Config(
        path=path,
        engine=engine,
        followers=tuple(_follower(folder, tables, follower) for follower in tables.followers),
        auth_url=dhan.auth_url,
        calendar=folder / (tables.clock.calendar or _CALENDAR),
        loopback=dhan.loopback,
        warnings=(*_readable_secrets(path, tables), *_calendar_gone(folder, tables.clock.calendar)),
    )


def _follower(folder: Path, tables: schema.Lockstep, follower: schema.Follower) -> FollowerSettings:
    dhan, token = tables.dhan, _token(folder, tables, follower)
    orders = tables.limits.orders.model_dump(exclude_none=True)
    orders |= follower.limits.orders.model_dump(exclude_none=True)
    reserve = orders.get("reserve_percent")
    return FollowerSettings(
        name=follower.name,
        address=_address(folder, dhan, follower, token),
        feed=_feed(folder, dhan, follower, token),
        rules=_rules(tables, follower),
        windows=_windows(orders),
        reserve=RESERVE if reserve is None else Fraction(reserve) / 100,
        paused=follower.paused,
        sweep_seconds=float(tables.recovery.sweep_seconds),
        login=_login(folder, dhan, follower, token),
        family=follower.family,
    )


def _token(folder: Path, tables: schema.Lockstep, account: schema.Account) -> Token:
    ledger = folder / tables.ledger.path
    return Token(TokenSource(account.token, folder), account.client_id, vault(ledger.parent))


def _address(
    folder: Path, dhan: schema.Dhan, account: schema.Account, token: Token
) -> AccountAddress:
    return AccountAddress(
        account.client_id,
        dhan.api_url,
        token,
        account.source_ip,
        proxy=account.proxy,
        proxy_login=_proxy_login(folder, account),
    )


def _feed(folder: Path, dhan: schema.Dhan, account: schema.Account, token: Token) -> FeedAddress:
    return FeedAddress(
        account.client_id,
        dhan.feed_url,
        token,
        account.source_ip,
        account.proxy,
        _proxy_login(folder, account),
    )


def _proxy_login(folder: Path, account: schema.Account) -> ProxyLogin | None:
    password = _secret(folder, account.proxy_password)
    if account.proxy_user is None or password is None:
        return None
    return ProxyLogin(account.proxy_user, password)


def _login(folder: Path, dhan: schema.Dhan, account: schema.Account, token: Token) -> Login:
    return Login(
        token=token,
        auth_url=dhan.auth_url,
        renews=account.renew_token,
        pin=_secret(folder, account.pin),
        totp_secret=_secret(folder, account.totp_secret),
        api_key=_secret(folder, account.api_key),
        api_secret=_secret(folder, account.api_secret),
    )


def _secret(folder: Path, written: str | None) -> Secret | None:
    return None if written is None else Secret(TokenSource(written, folder))


def _rules(tables: schema.Lockstep, follower: schema.Follower) -> Rules:
    recovery = tables.recovery
    max_age = follower.max_age_seconds or recovery.max_age_seconds
    return Rules(
        follower=follower.name,
        sizing=rules.share(follower.sizing),
        bounds=rules.bounds(follower.sizing),
        overrides=rules.overrides(follower),
        filter=rules.only(follower.only),
        limits=rules.limits(follower.limits, tables.limits),
        protection=_protection(follower.protection, tables.protection),
        products=tuple(
            (Product(leaders), Product(mine))
            for leaders, mine in follower.products.model_dump().items()
            if mine is not None
        ),
        when_closed=WhenClosed(follower.when_closed),
        max_age=timedelta(seconds=float(max_age)),
        settle=timedelta(seconds=float(recovery.settle_seconds)),
        park_after=timedelta(seconds=float(recovery.settle_seconds + recovery.park_seconds)),
        legs_window=timedelta(seconds=float(tables.legs.window_seconds)),
        hold_sold_legs=timedelta(milliseconds=follower.hold_sold_legs_ms),
        failed_leg=FailedLeg(follower.failed_leg or tables.legs.failed_leg),
        inverse=follower.inverse,
    )


def _protection(own: schema.Protection, common: schema.Protection) -> Protection:
    """The follower's own words first, then those for all, then the defaults."""
    said = common.model_dump(exclude_none=True) | own.model_dump(exclude_none=True)
    default = Protection()
    band = said.get("band_percent")
    return Protection(
        band=default.band if band is None else Fraction(band) / 100,
        chase_seconds=float(said.get("chase_seconds", default.chase_seconds)),
        chase_times=said.get("chase_times", default.chase_times),
    )


def _windows(said: Mapping[str, Any]) -> tuple[Window, ...]:
    names = ("second", "minute", "hour", "day")
    return tuple(
        Window(window.seconds, said.get(name, window.limit))
        for name, window in zip(names, DHAN_ORDERS, strict=True)
    )


def _readable_secrets(path: Path, tables: schema.Lockstep) -> Iterator[Alert]:
    """Secrets that other users of this host can read."""
    secrets = [
        (dotted((*place, key)), written)
        for place, account in tables.accounts()
        for key in schema.SECRETS
        if (written := getattr(account, key)) is not None
    ]
    for where, written in secrets:
        source = TokenSource(written, path.parent)
        if source.literal and read_by_others(path, group=True):
            yield warning(
                "stands in a file that other users can read",
                where,
                f"chmod 600 {path.name}, or keep it elsewhere: env:NAME or file:PATH",
            )
        elif source.path is not None and read_by_others(source.path, group=False):
            yield warning(
                "is read from a file that everybody can read", where, f"chmod 600 {source.path}"
            )


def _calendar_gone(folder: Path, calendar: str | None) -> Iterator[Alert]:
    if calendar is not None and not (folder / calendar).exists():
        what = "there is no such file: the exchanges' own hours and holidays count"
        yield warning(what, "clock.calendar", "write it when a special session is announced")
