"""A modification that the broker took is believed once the order book shows it: the exchange may
refuse it later, and an answer may promise what was never done."""

import pytest

from domain.orders import OrderType, Status, Terms
from domain.proof import contradicts
from domain.steps import Hold, Why
from tests.domain.builders import RULES, terms
from tests.domain.pair import Pair

SETTLED = RULES.settle.total_seconds()


def changed() -> Pair:
    """A copy at 100.00 whose change to 100.50 the broker took at noon."""
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.modify()
    return pair


def books(pair: Pair, seconds: float, price: int, quantity: int = 100) -> Pair:
    """A book that is asked for then shows the order open at that price."""
    shown = terms(quantity=quantity, price=price)
    pair.at(seconds).read(pair.own(terms=shown, status=Status.PENDING))
    return pair


def test_what_the_book_shows_is_believed_for_good() -> None:
    pair = books(changed(), SETTLED, 10_050)
    assert pair.book.unresolved() == []
    books(pair, SETTLED + 60, 10_050)
    assert pair.step() == Hold(Why.RESTING)


def test_a_book_that_was_asked_for_too_early_proves_nothing() -> None:
    pair = books(changed(), SETTLED - 1, 10_000)
    assert pair.step() == Hold(Why.RESTING)
    assert pair.book.unresolved() != []


def test_a_change_that_never_shows_up_is_made_again() -> None:
    pair = books(changed(), SETTLED, 10_000)
    again = pair.modify()
    assert again.terms.price == 10_050
    books(pair, 2 * SETTLED, 10_050)
    assert pair.step() == Hold(Why.RESTING)
    assert pair.report.in_step


def test_a_quantity_that_never_shows_up_is_asked_for_again() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(quantity=400))
    assert pair.modify().terms.quantity == 200
    books(pair, SETTLED, 10_000)
    assert pair.modify().terms.quantity == 200


def test_after_three_times_it_counts_as_refused() -> None:
    pair = changed()
    for round_ in range(1, 3):
        books(pair, round_ * SETTLED, 10_000).modify()
    books(pair, 3 * SETTLED, 10_000)
    assert pair.step() == Hold(Why.DECLINED)
    assert "goes on to show other terms" in pair.copy.reason
    assert not pair.report.in_step
    assert pair.attempt.modifications == 3
    pair.lead(terms=terms(price=10_100))
    assert pair.modify().terms.price == 10_100, "other terms are tried"


def test_a_change_that_shows_up_forgets_what_did_not() -> None:
    pair = changed()
    for turn in range(4):
        wanted = 10_050 + 50 * turn
        books(pair, (2 * turn + 1) * SETTLED, wanted - 50).modify()
        books(pair, (2 * turn + 2) * SETTLED, wanted)
        assert pair.step() == Hold(Why.RESTING)
        pair.lead(terms=terms(price=wanted + 50))
        pair.modify()


@pytest.mark.parametrize("other", [terms(quantity=90), terms(price=9_999), terms(trigger=9_000)])
def test_what_contradicts(other: Terms) -> None:
    assert contradicts(other, terms())
    assert not contradicts(terms(), terms())


def test_a_translated_order_type_contradicts_nothing() -> None:
    """Dhan makes a LIMIT of a MARKET."""
    assert not contradicts(terms(order_type=OrderType.LIMIT), terms(order_type=OrderType.MARKET))
