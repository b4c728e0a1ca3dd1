"""The loss of a day, kept for a start on the same day."""

from dataclasses import replace

from domain.limits import DayLoss
from ledger.ledger import Ledger
from ledger.losses import keeping, loss_of
from ledger.memory import Memory
from tests.ledger.makers import NOW

LOSS = DayLoss(NOW.date(), 500_005)


def test_the_last_loss_of_each_follower_is_told_to_a_new_actor(ledger: Ledger) -> None:
    ledger.commit([keeping("asha", LOSS), keeping("birju", replace(LOSS, loss=1))])
    assert Memory(ledger).restored("asha", NOW).loss == LOSS
    ledger.commit([keeping("asha", replace(LOSS, loss=600_000))])
    assert loss_of(ledger, "asha") == replace(LOSS, loss=600_000)
    assert loss_of(ledger, "birju") == replace(LOSS, loss=1)
    assert loss_of(ledger, "chandra") is None
