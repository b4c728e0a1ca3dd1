"""How far an account was down on a day: kept apart from copies, as it stays when it recovers."""

from datetime import date

from domain.limits import DayLoss
from ledger.entries import Setting
from ledger.history import Rows

_KEY = "day_loss {}"
_LOSS = "SELECT value FROM settings WHERE key = ?"


def keeping(follower: str, loss: DayLoss) -> Setting:
    """What keeps it in the ledger, in place of what was kept before."""
    return Setting(_KEY.format(follower), f"{loss.day.isoformat()} {loss.loss}")


def loss_of(ledger: Rows, follower: str) -> DayLoss | None:
    """The last one that was kept of the follower. Raises what `rows` raises, and ValueError for
    one that this version cannot have written."""
    rows = ledger.rows(_LOSS, _KEY.format(follower))
    if not rows:
        return None
    day, _, loss = str(rows[0]["value"]).partition(" ")
    return DayLoss(date.fromisoformat(day), int(loss))
