"""What an account can pay for: margins, claims and shortfalls (5.3, 8.4, 8.5)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.copies import Copy, Skipped
from domain.copybook import CopyBook
from domain.funds import FreeCash, MarginTold, Room, Trade, affordable
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.limits import Limits
from domain.messages import Answered, OrderSeen
from domain.orders import Product, Side, Source, Stamp, Status
from domain.outcomes import Accepted, Outcome, Refusal, Refused, Unknown
from domain.rules import Mood, Rules
from domain.steps import Done, Hold, Place, Skip, Step, Why
from tests.domain.builders import NOON, after, filled, intent, leader_order, terms

NIFTY_CE = Instrument(
    InstrumentKey(Segment.NSE_FNO, "43512"), 65, 5, "NIFTY-Nov2026-25000-CE", "NIFTY", "OPTIDX"
)
NIFTY_FUT = Instrument(
    InstrumentKey(Segment.NSE_FNO, "43000"), 65, 10, "NIFTY-Nov2026-FUT", "NIFTY", "FUTIDX"
)
CRUDE_CE = Instrument(
    InstrumentKey(Segment.MCX_COMM, "500001"), 100, 10, "CRUDEOIL-CE", "CRUDEOIL", "OPTFUT"
)
GOLD_FUT = Instrument(
    InstrumentKey(Segment.MCX_COMM, "500002"), 100, 100, "GOLDM-FUT", "GOLDM", "FUTCOM"
)
TCS = Instrument(InstrumentKey(Segment.NSE_EQ, "11536"), 1, 10, "TCS", "TCS", "EQUITY")
BUY, SELL = Side.BUY, Side.SELL
CNC, INTRADAY, MARGIN = Product.CNC, Product.INTRADAY, Product.MARGIN
FUNDS = Hold(Why.FUNDS, after(2))


def rate(trade: Trade, quantity: int, price: int, paise: int, seconds: float = 0) -> MarginTold:
    return MarginTold(trade, quantity, price, paise, after(seconds))


@pytest.mark.parametrize(
    ("instrument", "product", "side", "quantity", "price", "told", "needed"),
    [
        # Paid in full, whatever the calculator says: delivery and bought options.
        (TCS, CNC, BUY, 10, 340_000, None, 3_400_000),
        (NIFTY_CE, MARGIN, BUY, 130, 12_000, None, 1_560_000),
        (NIFTY_CE, INTRADAY, BUY, 65, 12_005, (65, 12_000, 1), 780_325),
        # By the calculator: a share's goes with its price, a contract's with its quantity.
        (TCS, INTRADAY, BUY, 20, 350_000, (10, 340_000, 680_000), 1_400_000),
        (TCS, INTRADAY, SELL, 1, 340_000, (3, 340_000, 204_001), 68_001),
        (TCS, INTRADAY, BUY, 20, 350_000, (10, 0, 680_000), 1_360_000),
        (NIFTY_FUT, MARGIN, BUY, 130, 2_510_000, (65, 2_500_000, 19_500_000), 39_000_000),
        (NIFTY_CE, MARGIN, SELL, 195, 6_000, (65, 12_000, 15_000_000), 45_000_000),
        (CRUDE_CE, MARGIN, BUY, 200, 15_000, (100, 15_000, 1_500_000), 3_000_000),
        (GOLD_FUT, MARGIN, SELL, 100, 720_000_0, (100, 720_000_0, 65_000_00), 65_000_00),
    ],
)
def test_the_margin_of_an_entry(
    instrument: Instrument,
    product: Product,
    side: Side,
    quantity: int,
    price: int,
    told: tuple[int, int, int] | None,
    needed: int,
) -> None:
    trade = Trade(instrument.key, product, side)
    known = None if told is None else rate(trade, *told)
    for cash, verdict in (
        (needed, None),
        (
            needed - 1,
            Skip(
                Skipped.FUNDS,
                f"needs about {needed / 100:.2f}, free {(needed - 1) / 100:.2f}",
            ),
        ),
    ):
        room = Room(FreeCash(cash, after(1)), rate=known, since=NOON)
        assert affordable(trade, instrument, quantity, price, room, after(1)) == verdict


def test_a_sale_of_shares_that_are_held_needs_nothing() -> None:
    trade = Trade(TCS.key, CNC, SELL)
    assert affordable(trade, TCS, 10, 340_000, Room(), NOON) is None


CALL = Trade(NIFTY_CE.key, MARGIN, BUY)
SHORT = Trade(NIFTY_CE.key, MARGIN, SELL)
SHARES = Trade(TCS.key, INTRADAY, BUY)
CASH = FreeCash(2_000_000, after(1))
CLAIMED = "needs about 15600.00, free 20000.00, of which 10000.00 is claimed by other copies"


@pytest.mark.parametrize(
    ("room", "seconds", "verdict"),
    [
        # Cash that is not known is waited for, and then done without.
        (Room(), 0, FUNDS),
        (Room(since=NOON), 1.9, FUNDS),
        (Room(since=NOON), 2, None),
        # What is there is believed at once.
        (Room(CASH), 5, None),
        (Room(CASH, claimed=440_000), 5, None),
        # A shortfall is only by cash asked for since, or once that took too long.
        (Room(CASH, claimed=1_000_000), 0, FUNDS),
        (Room(replace(CASH, asked_at=after(-1)), claimed=1_000_000, since=NOON), 1, FUNDS),
        (
            Room(replace(CASH, asked_at=after(-1)), claimed=1_000_000, since=NOON),
            2,
            Skip(Skipped.FUNDS, CLAIMED),
        ),
        (Room(CASH, claimed=1_000_000, since=NOON), 1, Skip(Skipped.FUNDS, CLAIMED)),
        # What the cash may be less by already is not held against the entry before the time is up.
        (Room(CASH, claimed=1_000_000, doubtful=1_000_000, since=NOON), 1, FUNDS),
        (
            Room(CASH, claimed=1_000_000, doubtful=1_000_000, since=NOON),
            2,
            Skip(Skipped.FUNDS, CLAIMED),
        ),
    ],
)
def test_a_shortfall_is_believed_by_fresh_cash(
    room: Room, seconds: float, verdict: Hold | Skip | None
) -> None:
    assert affordable(CALL, NIFTY_CE, 130, 12_000, room, after(seconds)) == verdict


@pytest.mark.parametrize(
    ("trade", "instrument", "cash", "seconds", "verdict"),
    [
        (SHARES, TCS, 3_400_000, 0, None),  # the value, and a margin is at most that
        (SHARES, TCS, 3_399_999, 0, FUNDS),
        (SHARES, TCS, 3_399_999, 2, None),  # the broker will say
        (SHORT, NIFTY_CE, 10**12, 0, FUNDS),  # worth little, but that says nothing
        (SHORT, NIFTY_CE, 0, 2, None),
    ],
)
def test_a_margin_that_nobody_tells_is_not_waited_for_long(
    trade: Trade, instrument: Instrument, cash: int, seconds: float, verdict: Hold | None
) -> None:
    room = Room(FreeCash(cash, after(1)), since=NOON)
    assert affordable(trade, instrument, 10, 340_000, room, after(seconds)) == verdict


CHECKED = Rules("asha", limits=Limits(margin_check=True))


class Desk:
    """A book that checks what it can pay, and several leader orders of it."""

    def __init__(self, *instruments: Instrument) -> None:
        self.book = CopyBook(CHECKED)
        self.book.listings.learn(instruments or (NIFTY_CE, NIFTY_FUT, TCS))

    def see(self, order_id: str, instrument: Instrument = TCS, **said: Any) -> None:
        said.setdefault("terms", terms(quantity=10, price=340_000))
        order = leader_order(order_id=order_id, instrument=instrument.key, **said)
        self.book.seen(OrderSeen(order, NOON, 0))

    def cash(self, paise: int, seconds: float) -> None:
        self.book.funds.told(FreeCash(paise, after(seconds)), self.book.copies)

    def step(self, order_id: str, seconds: float) -> Step:
        return self.book.step(order_id, Mood.ACTIVE, True, after(seconds))

    def copy(self, order_id: str) -> Copy:
        return self.book.copies[order_id]

    def send(self, order_id: str, seconds: float, outcome: Outcome | None = None) -> None:
        """Place the copy, and have it answered."""
        step, now = self.step(order_id, seconds), after(seconds)
        assert isinstance(step, Place), step
        sent = intent(self.copy(order_id), step, now)
        self.book.intended(order_id, step, now)
        if outcome is not None:
            self.book.answered(Answered(sent, outcome, 1, 2, 3), now)

    def hear(self, order_id: str, status: Status, traded: int = 0) -> None:
        """The broker tells of the copy's order."""
        attempt = self.copy(order_id).attempts[-1]
        order = leader_order(
            order_id=attempt.order_id,
            instrument=attempt.ticket.instrument,
            product=attempt.ticket.product,
            correlation_id=attempt.ticket.correlation_id,
            terms=attempt.ticket.terms,
            stamp=Stamp(after(1), Source.FEED, 1),
        )
        self.book.heard(filled(order, traded, 340_000, status=status))


def delivery(desk: Desk, *order_ids: str) -> None:
    for order_id in order_ids:
        desk.see(order_id, product=CNC)


def test_s8_4_two_at_once_on_funds_for_one() -> None:
    desk = Desk()
    desk.cash(5_000_000, 0)
    delivery(desk, "1", "2")
    desk.send("1", 1)
    assert desk.step("2", 1) == Hold(Why.FUNDS, after(3))
    assert list(desk.book.funds.waiting) == ["2"]
    # The cash does not show the first one yet.
    desk.book.answered(_answer(desk, "1"), after(1.1))
    desk.cash(5_000_000, 1.2)
    assert desk.step("2", 1.3) == Hold(Why.FUNDS, after(3))
    desk.cash(1_600_000, 1.5)
    assert desk.step("2", 1.6) == Skip(Skipped.FUNDS, "needs about 34000.00, free 16000.00")
    assert desk.book.funds.waiting == {}


def _answer(desk: Desk, order_id: str) -> Answered:
    attempt = desk.copy(order_id).attempts[-1]
    step = Place(attempt.ticket, attempt.number)
    return Answered(intent(desk.copy(order_id), step, attempt.sent_at), Accepted("9"), 1, 2, 3)


def test_s8_5_who_waits_too_long_is_told_what_others_claim() -> None:
    desk = Desk()
    desk.cash(5_000_000, 0)
    delivery(desk, "1", "2")
    desk.send("1", 1, Unknown("lost"))
    assert desk.step("2", 1) == Hold(Why.FUNDS, after(3))
    assert desk.step("2", 3) == Skip(
        Skipped.FUNDS,
        "needs about 34000.00, free 50000.00, of which 34000.00 is claimed by other copies",
    )


@pytest.mark.parametrize(
    ("outcome", "status", "traded", "goes"),
    [
        (Refusal(Refused.MARGIN, "Insufficient funds", "DH-906", 400), None, 0, True),
        (Accepted("9"), Status.REJECTED, 0, True),
        (Accepted("9"), Status.CANCELLED, 0, True),
        (Accepted("9"), Status.CANCELLED, 4, True),  # 4 of them are 13,600
        (Accepted("9"), Status.CANCELLED, 5, False),
        (Accepted("9"), Status.PENDING, 0, False),
        (Accepted("9"), None, 0, False),
        (Unknown("lost"), None, 0, False),
    ],
)
def test_only_what_may_trade_is_claimed(
    outcome: Outcome, status: Status | None, traded: int, goes: bool
) -> None:
    desk = Desk()
    desk.cash(5_000_000, 0)
    delivery(desk, "1", "2")
    desk.send("1", 1, outcome)
    if status is not None:
        desk.hear("1", status, traded)
    assert isinstance(desk.step("2", 1.5), Place if goes else Hold)


def test_what_the_cash_shows_is_not_claimed_twice() -> None:
    desk = Desk()
    desk.cash(10_000_000, 0)
    delivery(desk, "1", "2")
    desk.send("1", 1, Accepted("9"))
    desk.cash(6_600_000, 1.5)  # it may be in it, or not
    assert isinstance(desk.step("2", 1.5), Hold)
    desk.cash(6_600_000, 2)
    assert isinstance(desk.step("2", 2.1), Place)
    desk.cash(10_000_000, 1.9)  # an answer that comes late
    assert isinstance(desk.step("2", 2.1), Place)


def test_s5_3_a_refusal_for_margin_is_not_tried_again() -> None:
    desk = Desk()
    desk.cash(5_000_000, 0)
    delivery(desk, "1")
    refusal = Refusal(Refused.MARGIN, "RMS: margin exceeds", "DH-906", 400)
    desk.send("1", 1, refusal)
    assert desk.step("1", 60) == Done()


def test_a_margin_is_asked_for_once_it_is_wanted() -> None:
    desk = Desk()
    funds = desk.book.funds
    desk.see("1", NIFTY_FUT, product=MARGIN, terms=terms(quantity=65, price=2_500_000))
    desk.cash(20_000_000, 0)
    assert isinstance(desk.step("1", 0), Hold)
    trade = Trade(NIFTY_FUT.key, MARGIN, BUY)
    assert funds.wanted.pop(trade) == (65, 2_500_000)
    funds.margin(rate(trade, 65, 2_500_000, 19_500_000))
    assert isinstance(desk.step("1", 0.1), Place)
    assert funds.wanted == {}
    # It is asked for again after a while, or when the price has moved by a twentieth.
    desk.step("1", 901)
    assert funds.wanted.pop(trade) == (65, 2_500_000)
    funds.margin(rate(trade, 65, 2_380_000, 19_500_000, 901))
    desk.step("1", 902)
    assert funds.wanted.pop(trade) == (65, 2_500_000)


def test_exits_and_unchecked_followers_are_asked_for_nothing() -> None:
    desk = Desk()
    delivery(desk, "1")
    desk.cash(5_000_000, 0)
    desk.send("1", 1, Accepted("9"))
    desk.hear("1", Status.TRADED, 10)
    bought = leader_order(
        order_id="1", instrument=TCS.key, product=CNC, terms=terms(quantity=10, price=340_000)
    )
    bought = filled(bought, 10, stamp=Stamp(after(2), Source.FEED, 2))
    desk.book.seen(OrderSeen(bought, NOON, 0))
    desk.cash(0, 2)
    desk.see("2", product=CNC, side=SELL)
    assert isinstance(desk.step("2", 3), Place)
    desk.book.resize(Rules("asha"))
    desk.see("3", NIFTY_CE, product=MARGIN, side=SELL, terms=terms(quantity=65, price=12_000))
    assert isinstance(desk.step("3", 3), Place)
    assert desk.book.funds.wanted == {}


@settings(deadline=None, max_examples=150)
@given(
    cash=st.integers(0, 6_000_000),
    moments=st.lists(
        st.tuples(
            st.sampled_from(["order", "order", "read", "reject", "wait"]),
            st.integers(1, 40),
            st.integers(1, 12),
        ),
        max_size=40,
    ),
)
def test_what_is_accepted_is_never_above_the_cash(
    cash: int, moments: list[tuple[str, int, int]]
) -> None:
    """Whatever is sent and read when, and although Dhan's funds show an order only a while after
    it was sent: the margins of all that was placed are within the cash."""
    desk, now, number = Desk(), 0.0, 0
    margins: dict[str, tuple[int, float]] = {}
    desk.book.funds.margin(rate(SHARES, 1, 340_000, 68_000))
    desk.cash(cash, 0)
    for what, quantity, tenths in moments:
        now += tenths / 10
        if what == "order":
            number += 1
            desk.see(str(number), terms=terms(quantity=quantity, price=340_000))
        elif what == "read":
            shown = sum(margin for margin, sent in margins.values() if sent + 0.9 <= now)
            desk.cash(cash - shown, now)
        elif what == "reject" and margins:
            rejected = next(iter(margins))
            desk.hear(rejected, Status.REJECTED)
            del margins[rejected]
        for order_id, copy in list(desk.book.copies.items()):
            if not copy.attempts and isinstance(desk.step(order_id, now), Place):
                desk.send(order_id, now, Accepted(f"9{order_id}"))
                terms_ = desk.copy(order_id).attempts[-1].ticket.terms
                margins[order_id] = terms_.quantity * 68_000, now
        assert sum(margin for margin, _ in margins.values()) <= cash
