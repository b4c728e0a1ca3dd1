"""Steers a running simulator from Python: `Control(sim.control_url)`.

Prices and amounts are rupees (Decimal, int, str or float), quantities shares. Whatever the
simulator refuses is raised as ControlError. May be used from any thread.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypedDict, cast

from simulator.control_line import ControlError, ControlLine

__all__ = ["Control", "ControlError"]

Rupees = Decimal | int | str | float
Row = dict[str, object]


class AccountShown(TypedDict):
    """An account, with its present token; `killed` is whether its kill switch is set."""

    client_id: str
    token: str
    funds: str
    sockets: int
    killed: bool


class RequestSeen(TypedDict):
    """A request as it arrived: `at` is monotonic nanoseconds, `status` 0 while unanswered."""

    client_id: str
    method: str
    path: str
    at: int
    peer: str
    correlation_id: str
    status: int


class QuoteShown(TypedDict):
    """The last price in rupees and the shares that can still trade at it (None: any number)."""

    price: str
    volume: int | None


class Control(ControlLine):
    """The control API of the simulator at `url`."""

    # Accounts

    def add_account(
        self,
        client_id: str,
        *,
        funds: Rupees = 1_000_000,
        token: str | None = None,
        allowed_ips: Sequence[str] = (),
        pin: str = "123456",
        totp_secret: str = "",
        slow_ms: int = 0,
        collateral: Rupees = 0,
        api_key: str = "",
        api_secret: str = "",
    ) -> str:
        """Open an account; returns its token. A given token is taken literally."""
        made = self._ask(
            "add_account", client_id=client_id, funds=funds, token=token, pin=pin,
            allowed_ips=list(allowed_ips), totp_secret=totp_secret, slow_ms=slow_ms,
            collateral=collateral, api_key=api_key, api_secret=api_secret,
        )  # fmt: skip
        return str(made)

    def accounts(self) -> list[AccountShown]:
        """All accounts."""
        return cast("list[AccountShown]", self._ask("accounts"))

    def set_account(
        self,
        client_id: str,
        *,
        funds: Rupees | None = None,
        collateral: Rupees | None = None,
        allowed_ips: Sequence[str] | None = None,
        slow_ms: int | None = None,
        pascal: bool | None = None,
        unpriced: bool | None = None,
        quotes: bool | None = None,
        newest_first: bool | None = None,
        frames: str | None = None,
        pin: str | None = None,
        totp_secret: str | None = None,
        killed: bool | None = None,
        token_seconds: float | None = None,
    ) -> None:
        """Change what is given. `frames`: "single", "joined" (several objects back to back in one
        frame) or "lines" (on lines of their own); `pascal`: event keys in PascalCase;
        `unpriced`: the book and events show fills without their price, only trades have it;
        `quotes`: whether market quotes are answered, as for those who pay for them;
        `newest_first`: the book begins with the newest order; `token_seconds`: how long the tokens
        live that are granted from now on."""
        self._ask(
            "set_account", client_id=client_id, funds=funds, collateral=collateral,
            allowed_ips=None if allowed_ips is None else list(allowed_ips), slow_ms=slow_ms,
            pascal=pascal, unpriced=unpriced, quotes=quotes, frames=frames, pin=pin,
            totp_secret=totp_secret, killed=killed, newest_first=newest_first,
            token_seconds=token_seconds,
        )  # fmt: skip

    def limits(
        self,
        client_id: str,
        *,
        orders: Mapping[str, int] | None = None,
        reads: Mapping[str, int] | None = None,
    ) -> None:
        """Set the rate limits that are given, by second, minute, hour and day, as in
        {"second": 10, "minute": 250}; {} is no limit. Their counts start anew."""
        self._ask("limits", client_id=client_id, orders=orders, reads=reads)

    def expire_token(self, client_id: str) -> None:
        """End an account's token."""
        self._ask("expire_token", client_id=client_id)

    def rotate_token(self, client_id: str) -> str:
        """Give an account a new token and return it; the old one and its sockets die at once."""
        return str(self._ask("rotate_token", client_id=client_id))

    def hold(
        self, client_id: str, *, segment: str, security_id: str, quantity: int, average: Rupees
    ) -> None:
        """Let an account hold so many shares from earlier days, bought for `average` each."""
        self._ask(
            "hold", client_id=client_id, segment=segment, security_id=security_id,
            quantity=quantity, average=average,
        )  # fmt: skip

    # The market

    def price(
        self,
        segment: str,
        security_id: str,
        price: Rupees,
        *,
        volume: int | None = None,
        part: Rupees | None = None,
    ) -> None:
        """Set the last price and trade what it makes marketable: at most `volume` shares in all,
        and of each order at most the `part` (0 to 1) of its quantity, in whole lots."""
        self._ask(
            "price", segment=segment, security_id=security_id, price=price, volume=volume, part=part
        )

    def quote(self, segment: str, security_id: str) -> QuoteShown:
        """The last price."""
        shown = self._ask("quote", segment=segment, security_id=security_id)
        return cast("QuoteShown", shown)

    def market(self, phase: str) -> None:
        """Enter a phase of the market: "open" (after-market orders go to the exchange), "closed",
        "end_day" (open orders expire too), "next_day" (and the book is empty, CNC is delivered)."""
        self._ask("market", phase=phase)

    def clock(self, *, offset_seconds: float) -> None:
        """Let the simulator's clock, and so the Date of its answers, be so far ahead of the real
        one."""
        self._ask("clock", offset_seconds=offset_seconds)

    def listings(self) -> list[Row]:
        """What is listed."""
        return cast("list[Row]", self._ask("listings"))

    def list_many(self, count: int) -> None:
        """List so many options more, to enlarge the master."""
        self._ask("list_many", count=count)

    def tune(self, *, transit_ms: int | None = None, rtt_ms: int | None = None) -> None:
        """Change an order's way to the exchange and the time that an answer takes."""
        self._ask("tune", transit_ms=transit_ms, rtt_ms=rtt_ms)

    # Orders by hand, as in the Dhan app

    def place(
        self,
        client_id: str,
        *,
        segment: str,
        security_id: str,
        side: str,
        quantity: int,
        order_type: str = "LIMIT",
        product: str = "INTRADAY",
        price: Rupees = 0,
        trigger: Rupees = 0,
        validity: str = "DAY",
        disclosed: int = 0,
        amo: str = "",
    ) -> str:
        """Place an order by hand and return its id. MARKET and STOP_LOSS_MARKET are executed at
        the market; `amo` is PRE_OPEN, OPEN, OPEN_30, OPEN_60 or empty."""
        made = self._ask(
            "place", client_id=client_id, segment=segment, security_id=security_id, side=side,
            quantity=quantity, order_type=order_type, product=product, price=price,
            trigger=trigger, validity=validity, disclosed=disclosed, amo=amo,
        )  # fmt: skip
        return str(made)

    def modify(
        self,
        client_id: str,
        order_id: str,
        *,
        quantity: int | None = None,
        price: Rupees | None = None,
        trigger: Rupees | None = None,
        order_type: str | None = None,
        validity: str | None = None,
        disclosed: int | None = None,
    ) -> None:
        """Change what is given of an order; `quantity` is the total."""
        self._ask(
            "modify", client_id=client_id, order_id=order_id, quantity=quantity, price=price,
            trigger=trigger, order_type=order_type, validity=validity, disclosed=disclosed,
        )  # fmt: skip

    def cancel(self, client_id: str, order_id: str) -> None:
        """Cancel what is open of an order."""
        self._ask("cancel", client_id=client_id, order_id=order_id)

    def reject(self, client_id: str, order_id: str, reason: str) -> None:
        """Let the exchange reject an order late."""
        self._ask("reject", client_id=client_id, order_id=order_id, reason=reason)

    def expire(self, client_id: str, order_id: str) -> None:
        """Let an order expire."""
        self._ask("expire", client_id=client_id, order_id=order_id)

    # What there is to see

    def book(self, client_id: str) -> list[Row]:
        """The order book: REST rows, each with `modifications` and `fills`
        [{trade_id, quantity, price}]."""
        return cast("list[Row]", self._ask("book", client_id=client_id))

    def positions(self, client_id: str) -> list[Row]:
        """The net positions, as by REST."""
        return cast("list[Row]", self._ask("positions", client_id=client_id))

    def requests(self, client_id: str | None = None, *, since: int = 0) -> list[RequestSeen]:
        """The requests seen since an instant (monotonic ns), in the order of arrival."""
        return cast("list[RequestSeen]", self._ask("requests", client_id=client_id, since=since))

    def throttled(self, client_id: str) -> int:
        """How many requests of the account were over its rate limits."""
        return cast("int", self._ask("throttled", client_id=client_id))

    # Faults

    def fault(
        self,
        client_id: str,
        operation: str,
        kind: str,
        *,
        times: int = 1,
        rate: float = 1.0,
        ms: int = 0,
        status: int = 500,
        after: bool = True,
    ) -> None:
        """Switch a fault on, for an account or "*" (see simulator/faults.py): `times` strikes
        (-1: until cleared), each with the chance `rate`; `after`: the request acts first."""
        self._ask(
            "fault", client_id=client_id, operation=operation, kind=kind, times=times, rate=rate,
            ms=ms, status=status, after=after,
        )  # fmt: skip

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._ask("clear_faults")

    def struck(self) -> dict[str, int]:
        """How often each fault struck, by "operation:kind:before|after"."""
        return cast("dict[str, int]", self._ask("struck"))

    # The order-update socket

    def cut(self, client_id: str, *, with_close: bool = False) -> None:
        """End the account's sockets, without a close frame unless asked."""
        self._ask("cut", client_id=client_id, with_close=with_close)

    def silence(self, client_id: str, *, on: bool = True) -> None:
        """Let the account's present sockets stay open and say nothing, not even to a ping; a new
        one speaks."""
        self._ask("silence", client_id=client_id, on=on)

    def send(self, client_id: str, frame: str | bytes) -> None:
        """Send any frame to the account's sockets."""
        if isinstance(frame, bytes):
            self._ask("send_bytes", client_id=client_id, frame=frame.hex())
        else:
            self._ask("send", client_id=client_id, frame=frame)

    def events(self, client_id: str, order_id: str) -> list[str]:
        """All frames that told of an order so far, oldest first, also those nobody heard."""
        return cast("list[str]", self._ask("events", client_id=client_id, order_id=order_id))

    def resend(
        self, client_id: str, order_id: str, *, times: int = 1, stale: int | None = None
    ) -> None:
        """Tell the order's newest event again, or with `stale` the one so many before it."""
        self._ask("resend", client_id=client_id, order_id=order_id, times=times, stale=stale)

    def sockets(self, client_id: str) -> int:
        """How many sockets of the account are open and logged in."""
        return cast("int", self._ask("sockets", client_id=client_id))
