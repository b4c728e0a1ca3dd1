"""An account's funds and the margin of orders, as Dhan's `/fundlimit` and `/margincalculator` tell
them."""

import json

from dhan.codec.values import Unreadable, paise
from domain.statements import FundsShown


def capital(body: bytes) -> int:
    """The account's own cash in paise, what its orders and positions use of it included.

    Dhan's balance (`availabelBalance`, so spelt) has pledged collateral in it, which no other
    account has because this one does; it is taken off. Raises Unreadable.
    """
    row = _row(body, "availabelBalance")
    free, used, pledged = (
        paise(row.get(name) or 0)
        for name in ("availabelBalance", "utilizedAmount", "collateralAmount")
    )
    return free + used - pledged


def statement(body: bytes) -> FundsShown:
    """The funds as they are shown, pledged collateral in what is available. Raises Unreadable."""
    row = _row(body, "availabelBalance")
    names = ("availabelBalance", "collateralAmount", "utilizedAmount")
    return FundsShown(*(paise(row.get(name) or 0) for name in names))


def margin(body: bytes) -> int:
    """What an order blocks of the funds, in paise. Raises Unreadable."""
    return paise(_row(body, "totalMargin")["totalMargin"])


def _row(body: bytes, needed: str) -> dict[str, object]:
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(row, dict) or row.get(needed) is None:
        raise Unreadable(f"no {needed} in it")
    return row
