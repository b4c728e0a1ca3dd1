"""An account's funds, as Dhan's `/fundlimit` tells them."""

import json

from dhan.codec.values import Unreadable, paise


def capital(body: bytes) -> int:
    """The account's own cash in paise, what its orders and positions use of it included.

    Dhan's balance (`availabelBalance`, so spelt) has pledged collateral in it, which no other
    account has because this one does; it is taken off. Raises Unreadable.
    """
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(row, dict) or "availabelBalance" not in row:
        raise Unreadable("no availabelBalance in it")
    free, used, pledged = (
        paise(row.get(name) or 0)
        for name in ("availabelBalance", "utilizedAmount", "collateralAmount")
    )
    return free + used - pledged
