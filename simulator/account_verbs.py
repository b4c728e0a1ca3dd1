"""Control verbs about accounts: what they have, what they asked, what goes wrong for them."""

from dataclasses import asdict
from typing import Literal, Unpack

from pydantic import with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from simulator.box import Opening, Rupees
from simulator.faults import Fault
from simulator.limits import Windows
from simulator.positions import Holding
from simulator.verbs import Json, Paise, Verbs, rupees

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


@with_config(extra="forbid")
class Changes(TypedDict, total=False):
    """What can be changed of an account."""

    funds: Paise
    collateral: Paise
    allowed_ips: tuple[str, ...]
    slow_ms: int
    pascal: bool
    unpriced: bool
    quotes: bool
    newest_first: bool
    frames: Literal["single", "joined", "lines"]
    pin: str
    totp_secret: str
    killed: bool
    token_seconds: float


class AccountVerbs(Verbs):
    """Accounts and what they are given."""

    def add_account(
        self,
        client_id: str,
        funds: Rupees = 1_000_000,
        token: str | None = None,
        allowed_ips: tuple[str, ...] = (),
        pin: str = "123456",
        totp_secret: str = "",
        slow_ms: int = 0,
        collateral: Rupees = 0,
        api_key: str = "",
        api_secret: str = "",
    ) -> Json:
        """Open an account; answers its token."""
        opening = Opening(
            client_id, funds, token, allowed_ips, pin, totp_secret, slow_ms, collateral,
            api_key, api_secret,
        )  # fmt: skip
        return self._box.open(opening).token

    def accounts(self) -> Json:
        """All accounts."""
        return [
            {
                "client_id": account.client_id,
                "token": account.token,
                "funds": rupees(account.funds),
                "sockets": len(account.links),
                "killed": account.killed,
            }
            for account in self._exchange.accounts.values()
        ]

    def set_account(self, client_id: str, **changes: Unpack[Changes]) -> None:
        """Change what is given of an account."""
        account = self._account(client_id)
        for name, value in changes.items():
            setattr(account, name, value)

    def hold(
        self, client_id: str, segment: str, security_id: str, quantity: int, average: Paise
    ) -> None:
        """Let an account hold so many shares from earlier days, bought for `average` each."""
        listing = self._exchange.listings[self._instrument(segment, security_id)]
        self._account(client_id).hold(Holding(listing, quantity, average))

    def limits(
        self,
        client_id: str,
        orders: dict[str, int] | None = None,
        reads: dict[str, int] | None = None,
    ) -> None:
        """Set the rate limits that are given, as in {"second": 10, "minute": 250}; {} is none.
        Their counts start anew."""
        account = self._account(client_id)
        if orders is not None:
            account.order_window = _windows(orders)
        if reads is not None:
            account.read_window = _windows(reads)

    def throttled(self, client_id: str) -> Json:
        """How many requests of the account were over its rate limits."""
        return self._account(client_id).throttled

    def expire_token(self, client_id: str) -> None:
        """End an account's token."""
        self._box.expire(self._account(client_id))

    def rotate_token(self, client_id: str) -> Json:
        """Give an account a new token and answer it; the old one and its sockets die at once."""
        account = self._account(client_id)
        self._box.grant(account)
        return account.token

    def positions(self, client_id: str) -> Json:
        """The net positions, as by REST."""
        last = self._exchange.last_price
        return [
            position.row(client_id, last(position.listing))
            for position in self._account(client_id).held.values()
        ]

    def requests(self, client_id: str | None = None, since: int = 0) -> Json:
        """The requests seen since an instant; `at` is monotonic nanoseconds like it, `status` 0
        while unanswered."""
        return [
            asdict(sighting)
            for sighting in self._box.sightings
            if sighting.at >= since and client_id in (None, sighting.client_id)
        ]


class FaultVerbs(Verbs):
    """What goes wrong."""

    def fault(
        self,
        client_id: str,
        operation: str,
        kind: str,
        times: int = 1,
        rate: float = 1.0,
        ms: int = 0,
        status: int = 500,
        after: bool = True,
    ) -> None:
        """Switch a fault on, for an account or "*"."""
        if client_id != "*":
            self._account(client_id)
        self._box.faults.add(Fault(client_id, operation, kind, times, rate, ms, status, after))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._box.faults.clear()

    def struck(self) -> Json:
        """How often each fault struck."""
        return self._box.faults.struck


class SocketVerbs(Verbs):
    """The order-update sockets of an account."""

    def sockets(self, client_id: str) -> Json:
        """How many are open and logged in."""
        return len(self._account(client_id).links)

    def cut(self, client_id: str, with_close: bool = False) -> None:
        """End them, without a close frame unless asked."""
        self._box.feed.cut(self._account(client_id), with_close)

    def silence(self, client_id: str, on: bool = True) -> None:
        """Let those that are open now stay open and say nothing, not even to a ping."""
        for link in self._account(client_id).links:
            link.silent = on

    def send(self, client_id: str, frame: str) -> None:
        """Send any text frame."""
        self._box.feed.raw(self._account(client_id), frame)

    def send_bytes(self, client_id: str, frame: str) -> None:
        """Send a binary frame, given in hexadecimal."""
        self._box.feed.raw(self._account(client_id), bytes.fromhex(frame))

    def events(self, client_id: str, order_id: str) -> Json:
        """All frames that told of an order so far, oldest first, also those nobody heard."""
        return self._order(client_id, order_id)[1].told

    def resend(self, client_id: str, order_id: str, times: int = 1, stale: int = 0) -> None:
        """Tell the order's newest event again, or with `stale` the one so many before it."""
        account, order = self._order(client_id, order_id)
        if not 0 <= stale < len(order.told):
            raise ValueError(f"only {len(order.told)} events of order {order_id} were told")
        for _ in range(times):
            self._box.feed.raw(account, order.told[-1 - stale])


def _windows(limits: dict[str, int]) -> Windows:
    unknown = set(limits) - set(_SECONDS)
    if unknown:
        raise ValueError(f"a limit is for a second, minute, hour or day, not for {min(unknown)}")
    return Windows(tuple((_SECONDS[name], limit) for name, limit in limits.items()))
