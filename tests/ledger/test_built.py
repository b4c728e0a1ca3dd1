"""The positions of orders that are older than those which a process takes over one by one."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain import proof
from domain.instructions import Given, Instruction, Settled, Verdict
from domain.orders import Product, Side, Status
from domain.outcomes import Accepted, Refusal, Refused, Unknown
from domain.steps import Place
from ledger.built import built_by_copies, built_by_leader, without
from ledger.entries import Entry, OrderKnown
from ledger.history import copies_of
from ledger.ledger import Ledger
from tests.ledger.makers import KEY, NOW, answered, intent, modify, order, place

DAY = timedelta(days=1)
SINCE = NOW - 5 * DAY
OLD = NOW - 30 * DAY


def traded(
    leader_id: str,
    filled: int,
    side: Side = Side.BUY,
    product: Product = Product.MARGIN,
    at: datetime = OLD,
    number: int = 0,
    follower: str = "asha",
    named: bool = True,
) -> list[Entry]:
    """A copy was placed and has traded so much; what the broker told bears its name or not."""
    step = place(leader_id, number)
    step = Place(replace(step.ticket, side=side, product=product), number)
    asked = intent(step, follower, leader_id, number, at)
    own = f"9{leader_id}{number}{follower}"
    told = order(own, f"client of {follower}", filled, filled * 100, Status.CANCELLED)
    name = step.ticket.correlation_id if named else None
    known = replace(told, side=side, product=product, correlation_id=name)
    return [asked, answered(asked, Accepted(own)), OrderKnown("follower", known)]


def built(ledger: Ledger, since: datetime = SINCE, follower: str = "asha") -> dict[Product, int]:
    """What older copies built, by product."""
    found = built_by_copies(ledger, since).get(follower, {})
    assert {instrument for instrument, _ in found} <= {KEY}
    return {product: shares for (_, product), shares in found.items() if shares}


def test_nothing_was_built_in_a_new_ledger(ledger: Ledger) -> None:
    assert built_by_copies(ledger, SINCE) == {}
    assert built_by_leader(ledger, NOW) == {}


def test_buys_and_sells_of_old_copies_add_up_by_product(ledger: Ledger) -> None:
    ledger.commit(
        [
            *traded("1001", 100),
            *traded("1002", 30, Side.SELL),
            *traded("1003", 5, product=Product.CNC, named=False),
            *traded("1004", 7, Side.SELL, Product.MTF),
            *traded("1005", 50, product=Product.INTRADAY),
            *traded("1006", 50, Side.SELL, product=Product.INTRADAY),
            *traded("1007", 0, product=Product.MTF),
            *traded("1008", 1_000, follower="bala"),
        ]
    )
    assert built(ledger) == {Product.MARGIN: 70, Product.CNC: 5, Product.MTF: -7}
    assert built(ledger, follower="bala") == {Product.MARGIN: 1_000}
    assert copies_of(ledger, "asha", SINCE) == []


def test_all_attempts_of_a_copy_count_and_what_became_none_does_not(ledger: Ledger) -> None:
    refused, unknown = (
        intent(leader_order_id="1002", at=OLD),
        intent(leader_order_id="1003", at=OLD),
    )
    ledger.commit([*traded("1001", 40), *traded("1001", 60, number=1)])
    ledger.commit([refused, answered(refused, Refusal(Refused.MARGIN, "no funds"))])
    ledger.commit([unknown, answered(unknown, Unknown("lost"))])
    assert built(ledger) == {Product.MARGIN: 100}


def test_an_order_that_the_operator_named_counts_and_its_namesake_in_another_account_does_not(
    ledger: Ledger,
) -> None:
    asked = intent(at=OLD)
    ledger.commit([asked, answered(asked, Unknown("lost"))])
    told = Instruction("1", "1001", "asha", 0, Verdict.PLACED, "77")
    (copy,) = copies_of(ledger, "asha", OLD)
    settled = proof.settled(copy, 0, "77")
    ledger.commit([Given(told, OLD), Settled(told, True, "taken", OLD, settled)])
    shown = replace(order("77"), filled=10, traded_value=1_000)
    ledger.commit([OrderKnown("follower", shown)])
    ledger.commit([OrderKnown("follower", replace(shown, client_id="client of bala"))])
    assert built(ledger) == {Product.CNC: 10}


def test_a_copy_is_counted_here_or_comes_back_never_both(ledger: Ledger) -> None:
    """An old copy that was touched since comes back whole."""
    ledger.commit([*traded("1001", 100), *traded("1002", 10, at=NOW)])
    assert built(ledger) == {Product.MARGIN: 100}
    ledger.commit([intent(modify("910010asha"), planned_ns=9_000)])
    assert built(ledger) == {}
    assert sum(copy.filled for copy in copies_of(ledger, "asha", SINCE)) == 110


def leaders(
    leader_id: str,
    filled: int,
    side: Side = Side.BUY,
    product: Product = Product.MARGIN,
    at: datetime = OLD,
) -> OrderKnown:
    """The leader's order has traded so much."""
    told = order(leader_id, "leader", filled, filled * 100, Status.CANCELLED)
    stamp = replace(told.stamp, updated_at=at)
    return OrderKnown("leader", replace(told, side=side, product=product, stamp=stamp))


def test_a_copy_counts_under_the_product_that_the_leader_has_it_in(ledger: Ledger) -> None:
    ledger.commit([*traded("1001", 10, product=Product.CNC), leaders("1001", 20)])
    ledger.commit([*traded("1002", 1, product=Product.CNC)])
    assert built(ledger) == {Product.MARGIN: 10, Product.CNC: 1}


def test_what_the_leader_built_before_a_day(ledger: Ledger) -> None:
    ledger.commit(
        [
            leaders("1001", 100),
            leaders("1002", 30, Side.SELL),
            leaders("1003", 7, Side.SELL, Product.CNC),
            leaders("1004", 50, product=Product.INTRADAY),
            leaders("1005", 1_000, at=NOW),
            *traded("1001", 50),
        ]
    )
    found = built_by_leader(ledger, NOW)
    assert found == {(KEY, Product.MARGIN): 70, (KEY, Product.CNC): -7}
    told = [leaders("1002", 30, Side.SELL).order, leaders("1004", 50).order]
    assert without(found, told[:1]) == {(KEY, Product.MARGIN): 100, (KEY, Product.CNC): -7}
    assert without({}, told[:1]) == {(KEY, Product.MARGIN): 30}
