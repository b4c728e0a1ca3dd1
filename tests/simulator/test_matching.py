"""Matching: what a price makes of orders, and what no order of events may break."""

import asyncio
import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.accounts import Account
from simulator.ask import Ask, Refused, Terms
from simulator.exchange import Exchange
from simulator.instruments import built_in
from simulator.matching import protected_price
from simulator.orders import BrokerOrder
from simulator.server import Simulator
from tests.simulator.clients import ASHA, LEADER, Rest, reliance

_STATUSES = {"TRANSIT", "PENDING", "PART_TRADED", "TRADED", "CANCELLED", "REJECTED", "EXPIRED"}
_ENDS = {"TRADED", "CANCELLED", "REJECTED", "EXPIRED"}


@pytest.mark.parametrize(("side", "price"), [("BUY", 2490), ("SELL", 2510)])
def test_a_limit_trades_at_the_market_when_the_market_comes_to_it(
    broker: Simulator, rest: Rest, side: str, price: int
) -> None:
    order_id = rest.placed(transactionType=side, price=float(price))
    away, beyond = (1, -1) if side == "BUY" else (-1, 1)
    reliance(broker, price + away)
    assert rest.row(order_id)["orderStatus"] == "PENDING"
    reliance(broker, price + beyond)
    row = rest.row(order_id)
    assert (row["orderStatus"], row["averageTradedPrice"]) == ("TRADED", price + beyond)


@pytest.mark.parametrize(("side", "away", "price"), [("BUY", 1, 2512.0), ("SELL", -1, 2488.0)])
def test_a_stop_waits_for_its_trigger_and_then_is_a_limit(
    broker: Simulator, rest: Rest, side: str, away: int, price: float
) -> None:
    trigger = 2500 + 10 * away
    order_id = rest.placed(
        orderType="STOP_LOSS", transactionType=side, triggerPrice=float(trigger), price=price
    )
    reliance(broker, trigger - away)
    assert rest.row(order_id)["orderStatus"] == "PENDING"
    reliance(broker, trigger + 5 * away)
    assert rest.row(order_id)["orderStatus"] == "PENDING"
    reliance(broker, trigger)
    assert rest.row(order_id)["averageTradedPrice"] == float(trigger)


def test_orders_by_hand_may_be_market_and_stop_loss_market(broker: Simulator) -> None:
    control = broker.control
    control.tune(transit_ms=0)
    market = control.place(
        LEADER, segment="NSE_EQ", security_id="2885", side="BUY", quantity=5, order_type="MARKET"
    )
    stop = control.place(
        LEADER, segment="NSE_EQ", security_id="2885", side="SELL", quantity=5,
        order_type="STOP_LOSS_MARKET", trigger="2450",
    )  # fmt: skip
    reliance(broker, 2449.5)
    bought, sold = control.book(LEADER)
    assert (bought["orderId"], bought["orderType"], bought["averageTradedPrice"]) == (
        market,
        "MARKET",
        2500.0,
    )
    assert (sold["orderId"], sold["orderType"], sold["averageTradedPrice"]) == (
        stop,
        "STOP_LOSS_MARKET",
        2449.5,
    )
    assert {row["algoId"] for row in (bought, sold)} == {"0"}


def test_volume_is_shared_oldest_first(broker: Simulator, rest: Rest) -> None:
    first, second = rest.placed(), rest.placed()
    reliance(broker, 2490, volume=13)
    assert [rest.row(order_id)["filledQty"] for order_id in (first, second)] == [10, 3]
    assert broker.control.quote("NSE_EQ", "2885") == {"price": "2490.00", "volume": 0}


def test_a_part_is_filled_once_for_each_price(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed()
    reliance(broker, 2490, part=0.3)
    assert rest.modify(order_id, price=2491.0).status_code == 200
    row = rest.row(order_id)
    assert (row["orderStatus"], row["filledQty"], row["remainingQuantity"]) == ("PART_TRADED", 3, 7)
    reliance(broker, 2490, part=0.3)
    reliance(broker, 2489)
    (row,) = broker.control.book(ASHA)
    fills = row["fills"]
    assert isinstance(fills, list)
    assert [(fill["quantity"], fill["price"]) for fill in fills] == [
        (3, "2490.00"),
        (3, "2490.00"),
        (4, "2489.00"),
    ]


def test_only_whole_lots_trade(broker: Simulator, rest: Rest) -> None:
    order_id = rest.placed(
        exchangeSegment="NSE_FNO", securityId="40001", quantity=130, price=119.0,
        productType="MARGIN",
    )  # fmt: skip
    broker.control.price("NSE_FNO", "40001", 119, part=0.9)
    assert rest.row(order_id)["filledQty"] == 65
    broker.control.price("NSE_FNO", "40001", 119, volume=64)
    assert rest.row(order_id)["filledQty"] == 65


def test_what_an_ioc_does_not_get_at_once_is_cancelled(broker: Simulator, rest: Rest) -> None:
    assert rest.settled(rest.place(validity="IOC"), "CANCELLED")["filledQty"] == 0
    reliance(broker, 2480, volume=4)
    row = rest.settled(rest.place(validity="IOC"), "CANCELLED")
    assert (row["filledQty"], row["remainingQuantity"]) == (4, 0)


def test_a_late_rejection_and_an_expiry_by_hand(broker: Simulator, rest: Rest) -> None:
    first, second = rest.placed(), rest.placed()
    broker.control.reject(ASHA, first, "16283 : not allowed to trade")
    broker.control.expire(ASHA, second)
    assert rest.row(first)["omsErrorDescription"] == "16283 : not allowed to trade"
    assert [rest.row(each)["orderStatus"] for each in (first, second)] == ["REJECTED", "EXPIRED"]


# What holds whatever happens

_PRICES = st.integers(49_900, 50_100).map(lambda steps: steps * 5)
_STEPS = st.one_of(
    st.tuples(
        st.just("price"), _PRICES, st.none() | st.integers(0, 9), st.none() | st.fractions(0, 1)
    ),
    st.tuples(
        st.just("place"), st.sampled_from(["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"]),
        st.sampled_from(["BUY", "SELL"]), st.integers(1, 20), _PRICES,
        st.sampled_from(["DAY", "IOC"]), st.booleans(),
    ),
    st.tuples(st.just("modify"), st.integers(0, 9), st.integers(1, 25), _PRICES),
    st.tuples(st.sampled_from(["cancel", "reject", "expire"]), st.integers(0, 9)),
    st.tuples(st.just("market"), st.sampled_from(["open", "closed", "end_day"])),
)  # fmt: skip


class _Watched:
    """An exchange without delay, and what it told of each order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.told: dict[str, list[tuple[str, int, int]]] = {}
        self.exchange = Exchange(loop, built_in(), self._tell, transit_ms=0)
        self.account = Account(ASHA, "token", self.exchange.now(), funds=10**12)
        self.exchange.accounts[ASHA] = self.account
        self.listing = self.exchange.listing("NSE_EQ", "2885")

    def _tell(self, account: Account, order: BrokerOrder) -> None:
        seen = (order.status, order.filled, order.terms.quantity)
        self.told.setdefault(order.order_id, []).append(seen)

    def step(self, step: tuple[object, ...]) -> None:
        """Do one thing; a refusal is as good as anything."""
        with contextlib.suppress(Refused):
            self._step(step)

    def _step(self, step: tuple[object, ...]) -> None:
        match step:
            case ("price", int(price), int() | None as volume, Fraction() | None as part):
                self.exchange.price(self.listing.key, price, volume, part)
            case ("market", str(phase)):
                self.exchange.enter(phase)
            case ("place", str(kind), str(side), int(quantity), int(price), str(validity), by_api):
                terms = Terms(kind, quantity, price, price, validity)
                platform = "API" if by_api else "FAST"
                ask = Ask(self.listing, side, "INTRADAY", terms, platform=platform)
                self.exchange.place(self.account, ask)
            case (str(verb), int(which), *rest) if self.account.orders:
                orders = list(self.account.orders.values())
                self._change(verb, orders[which % len(orders)], rest)

    def _change(self, verb: str, order: BrokerOrder, rest: list[object]) -> None:
        match verb, rest:
            case "modify", [int(quantity), int(price)]:
                terms = Terms("LIMIT", quantity, price)
                self.exchange.modify(self.account, order, terms, by_api=True)
            case "cancel", _:
                self.exchange.cancel(self.account, order)
            case "reject", _:
                self.exchange.reject(self.account, order, "late")
            case _:
                self.exchange.expire(self.account, order)


@settings(deadline=None, max_examples=200)
@given(st.lists(_STEPS, min_size=15, max_size=40))
def test_shares_are_conserved_and_statuses_legal(steps: list[tuple[object, ...]]) -> None:
    loop = asyncio.new_event_loop()
    try:
        watched = _Watched(loop)
        for step in steps:
            watched.step(step)
    finally:
        loop.close()
    orders = watched.account.orders.values()
    for order in orders:
        assert sum(fill.quantity for fill in order.fills) == order.filled <= order.terms.quantity
        assert order.value == sum(fill.quantity * fill.price for fill in order.fills)
        assert order.status in _STATUSES
        assert (order.status == "TRADED") == (order.filled == order.terms.quantity)
        assert order.ended == (order.order_id not in watched.account.live)
        _legal(watched.told[order.order_id])
    trades = [fill.trade_id for order in orders for fill in order.fills]
    assert len(set(trades)) == len(trades)
    net = sum(order.filled * (1 if order.side == "BUY" else -1) for order in orders)
    held = watched.account.held.get((*watched.listing.key, "INTRADAY"))
    assert (held.net if held else 0) == net


def _legal(told: list[tuple[str, int, int]]) -> None:
    """Nothing comes after an end, and what is filled stays filled."""
    assert told[0][0] == "TRANSIT"
    assert all(status not in _ENDS for status, _, _ in told[:-1])
    filled = [shares for _, shares, _ in told]
    assert filled == sorted(filled)
    for status, shares, quantity in told:
        assert (status == "PART_TRADED") == (0 < shares < quantity) or status in _ENDS


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 10_000_000),
    st.sampled_from([1, 5, 100]),
    st.fractions("0.001", "0.05"),
)
def test_price_protection_is_on_the_tick_and_inside_the_band(
    side: str, price: int, tick: int, band: Fraction
) -> None:
    limit = protected_price(side, price, tick, band)
    assert limit % tick == 0
    assert limit >= tick
    width = max(tick, int(price * band))
    if side == "BUY":
        assert price <= limit <= price + width or limit == price // tick * tick + tick
    else:
        assert price - width <= limit <= price + tick
