"""A leader's market order in the follower: protected and chased as far as said (1.1.1, 2.4)."""

from dataclasses import replace
from fractions import Fraction

from domain.orders import Validity
from domain.outcomes import Refusal, Refused
from domain.protection import Protection
from domain.steps import Hold, Why
from tests.domain.builders import MARKET, RULES, after, leader_order, terms
from tests.domain.pair import Pair


def test_s2_4_a_limit_that_becomes_market_is_protected_from_then_on() -> None:
    """The chase begins with the change, not with the placement an hour ago."""
    pair = Pair(ltp=10_000)
    pair.place()
    pair.at(3_600).lead(terms=MARKET)
    assert pair.modify().terms.price == 10_100
    assert pair.step() == Hold(Why.RESTING, after(3_603))
    assert pair.at(3_603).modify().terms.price == 10_200
    assert pair.at(3_606).modify().terms.price == 10_300
    assert pair.at(9_999).step() == Hold(Why.RESTING)


def test_a_market_order_that_became_a_limit_and_market_again_has_a_new_reference() -> None:
    pair = Pair(leader_order(terms=MARKET), ltp=10_000)
    pair.place()
    pair.at(1).lead(terms=terms(200, price=9_000))
    assert pair.modify().terms.price == 9_000
    pair.book.listings.price(pair.leader.instrument, 12_000, pair.now)
    pair.at(100).lead(terms=MARKET)
    assert pair.modify().terms.price == 12_120
    assert pair.step() == Hold(Why.RESTING, after(103))


def test_s1_1_1_an_unfilled_market_order_is_chased_and_no_further_than_said() -> None:
    protection = Protection(Fraction(1, 100), chase_seconds=0.7, chase_times=3)
    pair = Pair(leader_order(terms=MARKET), replace(RULES, protection=protection), ltp=10_000)
    assert pair.place().ticket.terms.price == 10_100
    prices = []
    while isinstance(held := pair.step(), Hold) and held.until:
        pair.now = held.until
        prices.append(pair.modify().terms.price)
    assert prices == [10_200, 10_300, 10_400]
    assert pair.now == after(2.1)


def test_a_chase_that_the_broker_refuses_goes_on_with_the_next() -> None:
    pair = Pair(leader_order(terms=MARKET), ltp=10_000)
    pair.place()
    pair.at(3).send()
    pair.answer(Refusal(Refused.PRICE, "circuit"))
    assert pair.step() == Hold(Why.DECLINED, after(6))
    assert pair.at(6).modify().terms.price == 10_300


def test_an_ioc_is_never_chased() -> None:
    pair = Pair(leader_order(terms=replace(MARKET, validity=Validity.IOC)), ltp=10_000)
    pair.place()
    assert pair.at(20).step() == Hold(Why.RESTING)
