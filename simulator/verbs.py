"""What the control API's verbs have in common: where they look things up, how they read rupees."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BeforeValidator

from simulator.accounts import Account
from simulator.box import Box, paise
from simulator.orders import BrokerOrder

Paise = Annotated[int, BeforeValidator(paise)]
Share = Annotated[Fraction, BeforeValidator(lambda share: Fraction(str(share)))]
OrderType = Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"]
Validity = Literal["DAY", "IOC"]
Json = object


class Unknown(Exception):
    """There is no such account, order or instrument."""


class Verbs:
    """Verbs of one kind: every public method is one."""

    def __init__(self, box: Box) -> None:
        self._box, self._exchange = box, box.exchange

    def _account(self, client_id: str) -> Account:
        account = self._exchange.accounts.get(client_id)
        if account is None:
            raise Unknown(f"there is no account {client_id}")
        return account

    def _order(self, client_id: str, order_id: str) -> tuple[Account, BrokerOrder]:
        account = self._account(client_id)
        order = account.orders.get(order_id)
        if order is None:
            raise Unknown(f"account {client_id} has no order {order_id}")
        return account, order

    def _instrument(self, segment: str, security_id: str) -> tuple[str, str]:
        if (segment, security_id) not in self._exchange.listings:
            raise Unknown(f"nothing is listed as {segment} {security_id}")
        return (segment, security_id)


def rupees(amount: int) -> str:
    """Paise as rupees."""
    return f"{amount / 100:.2f}"
