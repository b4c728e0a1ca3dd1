"""Entries that came too late to be taken: what the operator may still want to do by hand."""

from dataclasses import dataclass
from datetime import timedelta

from domain.instruments import Price
from domain.orders import Order


@dataclass(frozen=True, slots=True)
class Missed:
    """An entry that came too late.

    `age` is how old it was when it could have been taken, `allowed` how old it might have been;
    `quantity` is how many shares the follower would have asked for, 0 where that is not known,
    and `price` the last one that had been told by then.
    """

    quantity: int
    age: timedelta
    allowed: timedelta
    price: Price | None = None

    @property
    def aged(self) -> str:
        """How old it was and might have been, in whole seconds."""
        age, allowed = (int(one.total_seconds()) for one in (self.age, self.allowed))
        return f"{age} s old, {allowed} s allowed"


def words(order: Order, missed: Missed) -> str:
    """What was missed of a leader's order, in plain words."""
    quantity = missed.quantity or "some"
    limit = f"at {order.terms.price / 100:.2f}" if order.terms.price else "at the market price"
    told = missed.price
    last = f", last price {told.paise / 100:.2f} at {told.at:%H:%M:%S}" if told else ""
    return f"{order.side} {quantity} {order.symbol} {limit} ({missed.aged}{last})"
