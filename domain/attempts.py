"""An attempt: one order that a copy tried to place, and how far it got."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.orders import Order, Status, Terms
from domain.outcomes import Refusal, Refused
from domain.shut import says_shut
from domain.tickets import Ticket


class Stage(StrEnum):
    """How far an attempt got.

    SENT: its intent is recorded and the request may have left. UNKNOWN: the answer was unclear.
    LIVE: the broker gave it an order id. REFUSED: clearly refused. TURNED_BACK: provably not
    carried out, and worth another attempt. ABSENT: proven never to have arrived. PARKED: neither
    its presence nor its absence could be proven.
    """

    SENT = "sent"
    UNKNOWN = "unknown"
    LIVE = "live"
    REFUSED = "refused"
    TURNED_BACK = "turned back"
    ABSENT = "absent"
    PARKED = "parked"


class Withdrawal(StrEnum):
    """Why Lockstep cancelled an order of its own."""

    LEADER = "the leader's order is closed"
    REDUCED = "the leader's quantity leaves nothing open"
    REPLACED = "it cannot be modified any more"
    HALTED = "the follower is flattened"
    LONE_LEG = "another leg of its strategy failed"
    OVERTAKEN = "the leader has left what it was to enter"


class Change(StrEnum):
    MODIFY = "modify"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Pending:
    """A change of a live order that is on its way since `asked_at`: `terms` for a modification,
    `why` for a cancel."""

    change: Change
    asked_at: datetime
    terms: Terms | None = None
    why: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order that the copy tried to place.

    `terms` are those the broker last took, None while an unclear modification leaves them in
    doubt; `verify_at` is when the order book is believed after a modification, and
    `contradictions` counts how often in a row it showed other terms than had been taken.
    `declined` are terms that the broker refused, for the reason in `refusal`. `reference` is the
    price (paise) that the limit of a leader's MARKET was made from, and `chased_from` when that
    began; both None for any other order. `withdrawn` says why the broker was told to cancel it,
    `withdrawn_at` when it last agreed. `failed` is the change that last came to nothing,
    `failures` times in a row, so that it is not asked for again before `retry_at`. An unknown
    outcome is looked for since `doubted_at`; `absences` counts the complete order books, asked for
    after the settling time, that did not show it.
    """

    ticket: Ticket
    number: int
    stage: Stage
    sent_at: datetime
    terms: Terms | None
    slice_number: int = 0
    reference: int | None = None
    chased_from: datetime | None = None
    order_id: str = ""
    order: Order | None = None
    pending: Pending | None = None
    withdrawn: Withdrawal | None = None
    withdrawn_at: datetime | None = None
    modifications: int = 0
    refusal: Refusal | None = None
    declined: Terms | None = None
    retry_at: datetime | None = None
    failed: Change | None = None
    failures: int = 0
    verify_at: datetime | None = None
    contradictions: int = 0
    doubted_at: datetime | None = None
    absences: int = 0

    @property
    def filled(self) -> int:
        """Shares traded by this attempt."""
        return self.order.filled if self.order else 0

    @property
    def asked(self) -> Terms:
        """The terms that the broker last took, as far as is known."""
        return self.terms or self.ticket.terms

    @property
    def rest(self) -> int:
        """Shares that it asks for and has not traded."""
        return self.asked.quantity - self.filled

    @property
    def traded_value(self) -> int:
        """What its fills cost, in paise."""
        return self.order.traded_value if self.order else 0

    @property
    def status(self) -> Status | None:
        """Where its order stands at the broker, None while nothing was heard of it."""
        return self.order.status if self.order else None

    @property
    def ended(self) -> bool:
        """Whether nothing of it can trade (any more), by the broker's own word.

        Quantities say nothing: the total and the fills that are known may be of different
        instants, while a modification is in the making.
        """
        if self.stage in (Stage.REFUSED, Stage.TURNED_BACK, Stage.ABSENT):
            return True
        return self.order is not None and self.order.status.terminal

    @property
    def shut_out(self) -> bool:
        """Whether its market took nothing when it came, so that another may follow it."""
        if self.stage is Stage.REFUSED:
            return self.refusal is not None and self.refusal.kind is Refused.MARKET_CLOSED
        if self.order is None or self.order.filled or self.withdrawn:
            return False
        return self.order.status is Status.REJECTED and says_shut(self.order.reason)

    @property
    def balks(self) -> bool:
        """Whether it is open with other terms than were last wanted, because they were refused."""
        return self.declined is not None and not self.ended

    @property
    def recalled(self) -> bool:
        """Whether it was called back before it was sent: no trouble of the broker's."""
        return self.stage is Stage.TURNED_BACK and self.retry_at is None

    @property
    def in_flight(self) -> bool:
        """Whether an answer is awaited."""
        return self.pending is not None or self.stage is Stage.SENT
