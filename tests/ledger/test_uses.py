"""How much of the limits each account has used is told from what was recorded."""

from dataclasses import replace
from datetime import timedelta

from domain.outcomes import NotSent, Recalled
from ledger.ledger import Ledger
from ledger.uses import Uses, uses_since
from tests.ledger.makers import NOW, answered, intent


def test_what_was_answered_counts_by_then_and_what_was_not_by_when_it_was_asked(
    ledger: Ledger,
) -> None:
    old = intent(leader_order_id="1000", at=NOW - timedelta(days=2))
    sent, open_, other = intent(), intent(leader_order_id="1002"), intent(follower="bala")
    unsent = intent(leader_order_id="1003")
    never = replace(answered(unsent, NotSent("no connection")), written_ns=None)
    held = intent(leader_order_id="1004")
    recalled = replace(answered(held, Recalled()), written_ns=None)
    asked = [old, sent, open_, other, unsent, held]
    ledger.commit([*asked, answered(sent, took_us=30_000), answered(other), never, recalled])
    assert uses_since(ledger, NOW - timedelta(days=1)) == {
        "client of asha": Uses((NOW + timedelta(milliseconds=30),), (NOW,)),
        "client of bala": Uses((NOW + timedelta(milliseconds=20),), ()),
    }
