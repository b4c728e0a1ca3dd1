"""What a follower's owner asked for, and what is true around it when a copy is planned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from domain.funds import Room
from domain.instruments import Listing, Segment
from domain.limits import Filter, Limits, Standing
from domain.orders import Product, Side, Terms, Validity
from domain.protection import Protection
from domain.sessions import Phase
from domain.sizes import Bounds, CapitalShare, Entry, Override, RiskShare, Share, sized
from domain.sizing import Multiplier, Sizing


class Mood(StrEnum):
    """Whether a follower takes new orders.

    ACTIVE copies everything. PAUSED takes no new orders but still follows the leader in what is
    open. By a word on it (`domain.halts`) HALTED takes nothing that makes a position larger, and
    FLATTENED leaves all that its copies hold and follows nothing. PARKED sends nothing until
    somebody looks. STOPPED does not run.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    HALTED = "halted"
    FLATTENED = "flattened"
    PARKED = "parked"
    STOPPED = "stopped"


class WhenClosed(StrEnum):
    """What becomes of a copy whose market does not take it now (scenarios 5.5 and 6.1 to 6.6).

    Of an entry: HOLD keeps it until the market takes it, or until it is too old (`domain.ages`).
    AMO sends it as an after-market order for the open, at once where Dhan takes such, and holds it
    until then in the minutes between two phases of a day. SKIP lets it be.

    An exit is never skipped and never too old: it is held, or sent as an after-market order where
    the policy is AMO. A cancel goes at once whatever the phase, and a change too where the copy is
    an after-market order; other changes wait for the market. What the leader placed as an
    after-market order is one for every follower, with the same timing, as long as the market is
    closed.
    """

    HOLD = "hold"
    AMO = "amo"
    SKIP = "skip"


class FailedLeg(StrEnum):
    """What becomes of legs that stand alone because another leg of their strategy failed in the
    follower: the operator is told, or they are left as well."""

    TELL = "tell"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one follower.

    `inverse`: it takes the other side of the leader, where its copies hold nothing that was built
    on the leader's (`domain.mirror`).
    `sizing` and `bounds` count for whatever no override covers; the first that does counts.
    `max_age`: an entry older than this is not chased. `settle`: how long an unknown outcome is
    looked for, from when it became unknown, before its absence counts as proven (Dhan shows
    nothing by correlation id for an order in transit, so at least 10 s); `park_after`: how long
    looking may go on. `modification_cap`: Dhan's limit of modifications per order (its
    documentation: 25). `lag_after`: how long a copy may be behind a leader's order that has
    traded in full before the operator is told (scenario 4.5). `legs_window`: how far apart orders
    of one underlying are placed that belong together, 0 for never; `hold_sold_legs`: how long an
    option that is sold to open waits for a bought leg; `failed_leg`: what becomes of the others
    (scenario 1.4.5).
    """

    follower: str
    sizing: Share = field(default_factory=lambda: Multiplier(Fraction(1)))
    bounds: Bounds = field(default_factory=Bounds)
    overrides: tuple[Override, ...] = ()
    filter: Filter = field(default_factory=Filter)
    limits: Limits = field(default_factory=Limits)
    protection: Protection = field(default_factory=Protection)
    products: tuple[tuple[Product, Product], ...] = ()
    when_closed: WhenClosed = WhenClosed.HOLD
    max_age: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(seconds=10)
    park_after: timedelta = timedelta(seconds=120)
    modification_cap: int = 25
    lag_after: timedelta = timedelta(seconds=5)
    legs_window: timedelta = timedelta(seconds=2)
    hold_sold_legs: timedelta = timedelta(0)
    failed_leg: FailedLeg = FailedLeg.TELL
    inverse: bool = False

    def sized(self, entry: Entry, segment: Segment, names: Sequence[str]) -> Sizing:
        """The sizing of an order that opens a position in an instrument of the segment, which
        goes by these names."""
        for override in self.overrides:
            if override.covers(segment, names):
                return sized(override.share, override.bounds, entry)
        return sized(self.sizing, self.bounds, entry)

    @property
    def needs_capital(self) -> bool:
        """Whether some size depends on the capital of accounts."""
        own = [(self.sizing, self.bounds), *((one.share, one.bounds) for one in self.overrides)]
        return any(
            isinstance(share, CapitalShare | RiskShare) or bounds.ceiling is not None
            for share, bounds in own
        )

    @property
    def by_symbol(self) -> bool:
        """Whether some size or filter goes by symbols."""
        filtered = self.filter.symbols or self.filter.denied_symbols
        return bool(filtered) or any(one.symbols for one in self.overrides)

    def product(self, leaders: Product) -> Product:
        """The product a copy gets for the leader's (scenario 1.2)."""
        for theirs, mine in self.products:
            if theirs is leaders:
                return mine
        return leaders


@dataclass(frozen=True, slots=True)
class Market:
    """The market of one instrument as a plan sees it.

    `open` is whether it takes limit orders. `reference` is the last price known, in paise, None
    when nobody told one. `listing` is what the instrument master says of it. `phase` is that of
    its session, `since` when by the follower's clock; None where that is not known, and what is
    always open was never closed.
    """

    open: bool
    reference: int | None = None
    listing: Listing = Listing.PRESUMED
    phase: Phase | None = None
    since: datetime | None = None

    def takes(self, terms: Terms) -> bool:
        """Whether it takes an order with these terms now: an auction does not take every one."""
        if self.phase is None or not self.phase.auction or not self.open:
            return self.open
        day = terms.validity is Validity.DAY
        return day and not terms.order_type.has_trigger and not terms.disclosed

    @property
    def after_market(self) -> bool:
        """Whether Dhan takes after-market orders."""
        return not self.open if self.phase is None else self.phase.after_market

    @property
    def opened(self) -> datetime | None:
        """When it began to take orders that it had not taken before. Whatever the closing auction
        takes was taken before it."""
        return self.since if self.phase in (Phase.PRE_OPEN, Phase.OPEN) else None


@dataclass(frozen=True, slots=True)
class Account:
    """The follower's account as a plan sees it: its mood, the net position (shares, signed) that
    the copies built in the instrument and product of the order, how it stands by its limits,
    what it has for an entry, None where that does not matter, whether the copy was `overtaken`: it
    stands in the market, though the leader has left again what it is to enter; and the `most`
    (shares) that it may come to, None where nothing limits that."""

    mood: Mood = Mood.ACTIVE
    position: int = 0
    standing: Standing = field(default_factory=Standing)
    room: Room | None = None
    overtaken: bool = False
    most: int | None = None

    def exits(self, side: Side) -> bool:
        """Whether an order on that side makes the position smaller."""
        return self.position * side.sign < 0
