"""What a process that starts is told of the leader's orders by the ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from domain.messages import OrderSeen
from domain.orders import Order, Status
from ledger.entries import Entry, OrderKnown, Setting
from ledger.leaders import WATERMARK, leader_day, watermark
from ledger.ledger import Ledger
from ledger.reader import Reader
from tests.ledger.makers import NOW, changed, order, unheard

YESTERDAY = -86_400


def leaders(order_id: str, second: int = 0) -> OrderKnown:
    return OrderKnown("leader", order(order_id, "leader", second=second))


def mark(second: int) -> Entry:
    return Setting(WATERMARK, str(int((NOW + timedelta(seconds=second)).timestamp())))


def test_a_new_ledger_knows_nothing_of_the_leader(ledger: Ledger) -> None:
    assert watermark(ledger) is None
    assert leader_day(ledger) == []


def test_the_last_day_comes_back(ledger: Ledger, path: Path) -> None:
    """NOW is 09:30 in India: the day began 34,200 seconds before."""
    ledger.commit(
        [
            leaders("1003", 10),
            leaders("1002", -34_200),
            leaders("1001", -34_201),
            OrderKnown("follower", order("9001")),
            mark(10),
        ]
    )
    ledger.close()
    with Ledger.open(path) as again:
        found = leader_day(again)
        assert watermark(again) == NOW + timedelta(seconds=10)
    assert [seen.order.order_id for seen in found] == ["1002", "1003"]
    assert found[1] == OrderSeen(unheard(leaders("1003", 10).order), NOW, 0)


def test_after_a_weekend_the_last_day_comes_back(ledger: Ledger) -> None:
    """Also when the process died before it had noted until when everything is known."""
    ledger.commit([leaders("1001", 4 * YESTERDAY), leaders("1002", 3 * YESTERDAY)])
    ledger.commit([mark(4 * YESTERDAY)])
    assert [seen.order.order_id for seen in leader_day(ledger)] == ["1002"]


def test_an_order_was_born_when_its_copies_say(ledger: Ledger) -> None:
    """They say it by this host's clock, the order by the broker's."""
    copied = changed()
    later = replace(copied.copy, born=NOW + timedelta(seconds=3), follower="bala")
    ledger.commit([leaders("1001"), leaders("1002"), mark(0), replace(copied, copy=later)])
    early = replace(copied.copy, born=NOW + timedelta(seconds=2))
    report = replace(copied.report, follower="bala")
    ledger.commit([replace(copied, report=report, copy=early)])
    born = {seen.order.order_id: seen.born for seen in leader_day(ledger)}
    assert born == {"1001": NOW + timedelta(seconds=2), "1002": NOW}


def test_the_watermark_is_a_setting_that_others_can_read(ledger: Ledger, path: Path) -> None:
    ledger.commit([mark(1)])
    ledger.commit([mark(2)])
    with Reader.open(path) as reader:
        assert reader.setting("last_leader_event_ts") == str(int(NOW.timestamp()) + 2)


def test_an_exact_value_comes_back_and_is_not_made_rough_again(ledger: Ledger, path: Path) -> None:
    rough = order(filled=3, value=301, status=Status.TRADED)
    exact: Order = replace(rough, traded_value=300, exact=True)
    ledger.commit([OrderKnown("leader", rough)])
    ledger.commit([OrderKnown("leader", exact), mark(0)])
    ledger.close()
    with Ledger.open(path) as again:
        again.commit([OrderKnown("leader", rough)])
        (seen,) = leader_day(again)
        assert seen.order == unheard(exact)
    with Reader.open(path) as reader:
        assert [(fill.quantity, fill.value) for fill in reader.fills(["9001"])] == [(3, 300)]
