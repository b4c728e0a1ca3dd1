"""The keys of lockstep.toml: their types, their bounds, and in words what is allowed.

Only the shape of the file is said here; `desk.config` turns it into settings and `desk.findings`
turns what does not fit into findings. Numbers with a point arrive as exact decimals.
"""

import ipaddress
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NAME = r"[a-z0-9_-]{1,40}"
SECRETS = ("token", "pin", "totp_secret", "api_key", "api_secret", "proxy_password")

_TOKEN = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f]+|[\x21-\x39\x3b-\x7e]+")
_TOKEN_WORDS = '"env:NAME", "file:PATH", "login", or the token itself'
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f]+")
_REFERENCE_WORDS = '"env:NAME" or "file:PATH"'


def is_loopback(url: str) -> bool:
    """Whether an address can only be on this host."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_url(source: str) -> bool:
    """Whether the master is fetched rather than read from a file."""
    return "://" in source


def _exact(value: object) -> object:
    """A whole number is a number too; true and false are none."""
    return Decimal(value) if type(value) is int else value


def _parts(written: str) -> SplitResult:
    try:
        parts = urlsplit(written)
        _ = parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("carries a user or a password")
    return parts


def _address(value: object, plain: str, secure: str) -> object:
    if not isinstance(value, str):
        return value
    parts = _parts(value)
    if parts.scheme not in (plain, secure) or not parts.hostname:
        raise ValueError("is not an address of the right kind")
    if parts.query or parts.fragment or not value.isascii() or not value.isprintable():
        raise ValueError("carries more than a host, a port and a path")
    if parts.scheme == plain and not is_loopback(value):
        raise ValueError("is not encrypted, and not on this host")
    return value.rstrip("/")


def _web(value: object) -> object:
    return _address(value, "http", "https")


def _socket(value: object) -> object:
    return _address(value, "ws", "wss")


def _proxy(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = _parts(value)
    plain = f"http://{parts.netloc}"
    if (
        not parts.hostname
        or parts.port is None
        or value.rstrip("/") != plain
        or not value.isascii()
    ):
        raise ValueError("is not the address of a proxy")
    return plain.lower()


def _master(value: object) -> object:
    return _web(value) if isinstance(value, str) and is_url(value) else value


def _token(value: object) -> object:
    if isinstance(value, str) and not _TOKEN.fullmatch(value):
        raise ValueError("is not the source of a token")
    return value


def _reference(value: object) -> object:
    if isinstance(value, str) and not _REFERENCE.fullmatch(value):
        raise ValueError("stands in the file itself, or is no source")
    return value


def _ip(value: object) -> object:
    if isinstance(value, str):
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("is not an IP address") from None
    return value


Number = Annotated[Decimal, BeforeValidator(_exact)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$")]
WebAddress = Annotated[str, BeforeValidator(_web)]
SocketAddress = Annotated[str, BeforeValidator(_socket)]
ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,30}$")]
Secret = Annotated[str, BeforeValidator(_token)]
Reference = Annotated[str, BeforeValidator(_reference)]
SourceIp = Annotated[str, BeforeValidator(_ip)]
Proxy = Annotated[str, BeforeValidator(_proxy)]
ProxyUser = Annotated[str, StringConstraints(pattern=r"^[\x21-\x39\x3b-\x7e]{1,200}$")]
ProductName = Literal["CNC", "INTRADAY", "MARGIN", "MTF"]

SegmentName = Literal[
    "NSE_EQ",
    "NSE_FNO",
    "NSE_CURRENCY",
    "NSE_COMM",
    "BSE_EQ",
    "BSE_FNO",
    "BSE_CURRENCY",
    "MCX_COMM",
]

_PERCENT_WORDS = "a number above 0, at most 100"
_WEB_WORDS = 'an address such as "https://host/path"; http:// only on this host'
_SOCKET_WORDS = 'an address such as "wss://host"; ws:// only on this host'
_PROXY_WORDS = (
    'an address such as "http://host:port"; user and password go into proxy_user, proxy_password'
)
_CLIENT_WORDS = 'Dhan\'s client id in quotes, such as "1000000001"'
_MAX_AGE_WORDS = "seconds above 0, at most 86400"
_PRODUCT_WORDS = "CNC, INTRADAY, MARGIN or MTF in quotes"
_FAILED_LEG_WORDS = '"tell" or "flatten"'
_LIMIT_WORDS = "a whole number from 1 to 100000"


class Table(BaseModel):
    """A table of the file. `later` are keys that another release will know."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )
    later: ClassVar[frozenset[str]] = frozenset()


class Dhan(Table):
    api_url: WebAddress = Field(default="https://api.dhan.co/v2", description=_WEB_WORDS)
    auth_url: WebAddress = Field(default="https://auth.dhan.co", description=_WEB_WORDS)
    feed_url: SocketAddress = Field(
        default="wss://api-order-update.dhan.co", description=_SOCKET_WORDS
    )
    master_url: Annotated[Text, BeforeValidator(_master)] = Field(
        default="https://images.dhan.co/api-data/api-scrip-master-detailed.csv",
        description=f"{_WEB_WORDS}; or the path of a file",
    )

    @property
    def loopback(self) -> bool:
        """Whether nothing of it can leave this host."""
        addresses = [self.api_url, self.auth_url, self.feed_url]
        if is_url(self.master_url):
            addresses.append(self.master_url)
        return all(is_loopback(address) for address in addresses)


class Ledger(Table):
    path: Text = Field(default="copy_trading.db", description="the path of a file")
    journal_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="whole days from 1 to 3650, for which `replay` is possible"
    )
    audit_days: Annotated[int, Field(ge=31, le=36500)] = Field(
        default=1827, description="whole days from 31 to 36500, for which requests are kept"
    )


class Clock(Table):
    sessions: Literal["exchange", "always"] = Field(
        default="exchange",
        description='"exchange"; or "always", while every address is on this host',
    )
    calendar: Text | None = Field(
        default=None, description='the path of a file, "calendar.toml" unless given'
    )


class Recovery(Table):
    sweep_seconds: Annotated[Number, Field(ge=Decimal("0.2"), le=60)] = Field(
        default=Decimal(3), description="seconds from 0.2 to 60; 2 to 5 are recommended"
    )
    max_age_seconds: Annotated[Number, Field(gt=0, le=86400)] = Field(
        default=Decimal(30), description=_MAX_AGE_WORDS
    )
    settle_seconds: Annotated[Number, Field(ge=1, le=120)] = Field(
        default=Decimal(10), description="seconds from 1 to 120; less than 10 only off Dhan"
    )
    park_seconds: Annotated[Number, Field(ge=1, le=3600)] = Field(
        default=Decimal(120), description="seconds from 1 to 3600"
    )


class OrderLimits(Table):
    """Requests about orders in each length of time, and how much of them entries leave to cancels
    and exits."""

    second: int | None = Field(default=None, ge=1, le=100_000, description=_LIMIT_WORDS)
    minute: int | None = Field(default=None, ge=1, le=100_000, description=_LIMIT_WORDS)
    hour: int | None = Field(default=None, ge=1, le=100_000, description=_LIMIT_WORDS)
    day: int | None = Field(default=None, ge=1, le=100_000, description=_LIMIT_WORDS)
    reserve_percent: Annotated[Number, Field(ge=0, le=90)] | None = Field(
        default=None, description="a number from 0 to 90"
    )


class Limits(Table):
    """What one account sends at most; all but `orders` are of entries only, exits are free."""

    order_value: Annotated[Number, Field(gt=0, le=10**10)] | None = Field(
        default=None, description="rupees above 0, of one order"
    )
    quantity: Annotated[int, Field(ge=1, le=10**8)] | None = Field(
        default=None, description="whole shares from 1, of one order"
    )
    open_positions: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="a whole number from 1 to 10000"
    )
    orders_a_day: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description=_LIMIT_WORDS
    )
    moved_percent: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        default=None, description=_PERCENT_WORDS
    )
    moved_ticks: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description=_LIMIT_WORDS
    )
    max_day_loss: Annotated[Number, Field(gt=0, le=10**10)] | None = Field(
        default=None, description="rupees above 0, of all that the account trades on a day"
    )
    square_off_on_day_loss: bool | None = Field(default=None, description="true or false")
    margin_check: bool | None = Field(default=None, description="true or false")
    intraday_cutoff_minutes: Annotated[int, Field(ge=0, le=360)] | None = Field(
        default=None, description="whole minutes from 0 to 360, before intraday square-off"
    )
    orders: OrderLimits = Field(
        default=OrderLimits(), description="{ second = 10, minute = 250, hour = 1000, day = 7000 }"
    )


class Protection(Table):
    band_percent: Annotated[Number, Field(gt=0, le=20)] | None = Field(
        default=None, description="a number above 0, at most 20"
    )
    chase_seconds: Annotated[Number, Field(ge=Decimal("0.5"), le=3600)] | None = Field(
        default=None, description="seconds from 0.5 to 3600"
    )
    chase_times: Annotated[int, Field(ge=0, le=20)] | None = Field(
        default=None, description="a whole number from 0 to 20"
    )


class Legs(Table):
    window_seconds: Annotated[Number, Field(ge=0, le=60)] = Field(
        default=Decimal(2), description="seconds from 0 to 60; 0 sees no groups"
    )
    failed_leg: Literal["tell", "flatten"] = Field(default="tell", description=_FAILED_LEG_WORDS)


class Account(Table):
    """Who an account is, how it logs in, and which way it goes out."""

    client_id: ClientId = Field(description=_CLIENT_WORDS)
    token: Secret = Field(description=_TOKEN_WORDS, repr=False)
    pin: Reference | None = Field(default=None, description=_REFERENCE_WORDS, repr=False)
    totp_secret: Reference | None = Field(default=None, description=_REFERENCE_WORDS, repr=False)
    api_key: Reference | None = Field(default=None, description=_REFERENCE_WORDS, repr=False)
    api_secret: Reference | None = Field(default=None, description=_REFERENCE_WORDS, repr=False)
    renew_token: bool = Field(default=True, description="true or false")
    source_ip: SourceIp | None = Field(
        default=None, description="an IP address of this host, in quotes"
    )
    proxy: Proxy | None = Field(default=None, description=_PROXY_WORDS)
    proxy_user: ProxyUser | None = Field(
        default=None, description="the name that the proxy knows the account by, without a colon"
    )
    proxy_password: Reference | None = Field(default=None, description=_REFERENCE_WORDS, repr=False)


class Leader(Account):
    pass


class Sizing(Table):
    """One of the first five says how much; what follows bounds it."""

    multiplier: Annotated[Number, Field(ge=Decimal("0.0001"), le=1000)] | None = Field(
        default=None, description="a number from 0.0001 to 1000"
    )
    quantity: Annotated[int, Field(ge=1, le=10**7)] | None = Field(
        default=None, description="whole shares from 1 to 10000000"
    )
    lots: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="whole lots from 1 to 10000"
    )
    capital: Literal[True] | None = Field(default=None, description="true")
    risk_percent: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        default=None, description=_PERCENT_WORDS
    )
    stop_percent: Annotated[Number, Field(gt=0, le=100)] = Field(
        default=Decimal(1), description=_PERCENT_WORDS
    )
    rounding: Literal["down", "nearest", "one_lot"] = Field(
        default="down", description='"down", "nearest" or "one_lot"'
    )
    least: Annotated[int, Field(ge=1, le=10**7)] | None = Field(
        default=None, description="whole shares from 1 to 10000000"
    )
    most: Annotated[int, Field(ge=1, le=10**7)] | None = Field(
        default=None, description="whole shares from 1 to 10000000"
    )
    ceiling_percent: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        default=None, description=_PERCENT_WORDS
    )


class Override(Table):
    """Other sizes for some segments or symbols."""

    segments: list[SegmentName] = Field(default=[], description='such as ["NSE_FNO"]')
    symbols: list[Text] = Field(default=[], description='such as ["NIFTY*", "RELIANCE"]')
    sizing: Sizing = Field(description="{ multiplier = 0.5 }")


class Filter(Table):
    """What is copied at all; what is not named is."""

    segments: list[SegmentName] = Field(default=[], description='such as ["NSE_FNO"]')
    products: list[ProductName] = Field(default=[], description='such as ["INTRADAY"]')
    symbols: list[Text] = Field(default=[], description='such as ["NIFTY*", "RELIANCE"]')
    denied_symbols: list[Text] = Field(default=[], description='such as ["*-PE"]')
    side: Literal["BUY", "SELL"] | None = Field(default=None, description='"BUY" or "SELL"')
    options_only: bool = Field(default=False, description="true or false")


class Products(Table):
    CNC: ProductName | None = Field(default=None, description=_PRODUCT_WORDS)
    INTRADAY: ProductName | None = Field(default=None, description=_PRODUCT_WORDS)
    MARGIN: ProductName | None = Field(default=None, description=_PRODUCT_WORDS)
    MTF: ProductName | None = Field(default=None, description=_PRODUCT_WORDS)


class Named(Table):
    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$")] = Field(
        description="up to 40 of a-z, 0-9, _ and -, in quotes"
    )


class Follower(Account, Named):
    sizing: Sizing = Field(
        default=Sizing(multiplier=Decimal(1)), description="{ multiplier = 0.5 }"
    )
    overrides: list[Override] = Field(
        default=[], description="one [[followers.overrides]] for each"
    )
    when_closed: Literal["hold", "amo", "skip"] = Field(
        default="hold", description='"hold", "amo" or "skip"'
    )
    paused: bool = Field(default=False, description="true or false")
    max_age_seconds: Annotated[Number, Field(gt=0, le=86400)] | None = Field(
        default=None, description=_MAX_AGE_WORDS
    )
    limits: Limits = Field(default=Limits(), description="{ orders = { second = 10 } }")
    only: Filter = Field(default=Filter(), description='{ segments = ["NSE_FNO"] }')
    protection: Protection = Field(default=Protection(), description="{ band_percent = 1.0 }")
    products: Products = Field(default=Products(), description='{ MARGIN = "INTRADAY" }')
    inverse: bool = Field(default=False, description="true or false")
    hold_sold_legs_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="milliseconds from 0 to 10000"
    )
    failed_leg: Literal["tell", "flatten"] | None = Field(
        default=None, description=_FAILED_LEG_WORDS
    )
    family: Text | None = Field(default=None, description="the name of a family, in quotes")


class Lockstep(Table):
    """The whole file."""

    dhan: Dhan = Field(default=Dhan(), description="a table [dhan]")
    ledger: Ledger = Field(default=Ledger(), description="a table [ledger]")
    clock: Clock = Field(default=Clock(), description="a table [clock]")
    recovery: Recovery = Field(default=Recovery(), description="a table [recovery]")
    limits: Limits = Field(default=Limits(), description="a table [limits]")
    protection: Protection = Field(default=Protection(), description="a table [protection]")
    legs: Legs = Field(default=Legs(), description="a table [legs]")
    leader: Leader = Field(description="a table [leader] with client_id and token")
    followers: list[Follower] = Field(default=[], description="one [[followers]] for each account")

    def accounts(self) -> Iterator[tuple[tuple[str | int, ...], Account]]:
        """Every account, with its place in the file."""
        yield ("leader",), self.leader
        for index, follower in enumerate(self.followers):
            yield ("followers", index), follower
