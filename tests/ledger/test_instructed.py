"""A copy that the operator settled is rebuilt so, whenever the process died."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.attempts import Stage
from domain.copies import Copy, CopyState
from domain.instructions import Given, Settled, Verdict
from domain.messages import Intent
from domain.orders import OrderType, Terms
from domain.outcomes import Accepted
from ledger.entries import OrderKnown
from ledger.history import copies_of
from ledger.instructions import take_over
from ledger.ledger import Ledger
from ledger.reader import Reader
from tests.ledger.makers import (
    LONG_AGO,
    NOW,
    answered,
    changed,
    intent,
    modify,
    order,
    place,
    unheard,
)
from tests.ledger.words import BY_HAND, parked, rebuilt, said, stages, take

_NAME = place().ticket.correlation_id


def test_what_only_waits_changes_no_copy(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    assert rebuilt(ledger) == copy


def test_what_was_refused_changes_no_copy(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    ledger.commit([OrderKnown("follower", BY_HAND), Settled(told, False, "refused: no", NOW)])
    assert rebuilt(ledger) == copy


@pytest.mark.parametrize("reported", [True, False])
def test_what_was_absent_is_so_after_a_restart(ledger: Ledger, path: Path, reported: bool) -> None:
    """Also when the process died before it reported the copy, or reported it late."""
    copy = parked(ledger)
    told = said(path)
    take_over(ledger)
    take(ledger, copy, told)
    if reported:
        ledger.commit([replace(changed(state=CopyState.PARKED), copy=copy)])
    (attempt,) = rebuilt(ledger).attempts
    assert attempt == replace(copy.attempts[0], stage=Stage.ABSENT, doubted_at=None)


def test_what_was_placed_is_the_copy_after_a_restart(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    closing = take(ledger, copy, told, BY_HAND)
    after = rebuilt(ledger)
    assert closing.copy is not None
    assert stages(after.attempts) == [(0, Stage.ABSENT, ""), (1, Stage.LIVE, "9009")]
    assert after.attempts[1] == replace(closing.copy.attempts[1], order=unheard(BY_HAND))


def test_the_named_order_keeps_the_terms_that_it_had(ledger: Ledger, path: Path) -> None:
    """Terms that its owner gave it afterwards were never asked for by Lockstep."""
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    shown = replace(BY_HAND, terms=Terms(7, OrderType.LIMIT, 9_900))
    take(ledger, copy, told, shown)
    ledger.commit([OrderKnown("follower", order("9009", second=5))])
    attempt = rebuilt(ledger).attempts[1]
    assert attempt.terms == shown.terms
    assert attempt.order == unheard(order("9009", second=5))


def test_what_followed_the_word_comes_after_it(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    take(ledger, copy, told, BY_HAND)
    more = Terms(20, OrderType.LIMIT, 10_000)
    change = intent(modify("9009", more), number=1, planned_ns=5_000)
    ledger.commit([change, answered(change, Accepted())])
    ledger.commit([intent(number=2, planned_ns=9_000)])
    first, named, last = rebuilt(ledger).attempts
    assert (first.stage, named.stage, last.stage) == (Stage.ABSENT, Stage.LIVE, Stage.SENT)
    assert (named.terms, named.modifications) == (more, 1)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_late_answer_counts_after_the_word(ledger: Ledger, path: Path, verdict: Verdict) -> None:
    asked = intent()
    copy = _unanswered(ledger, asked)
    shown = BY_HAND if verdict is Verdict.PLACED else None
    told = said(path, verdict, shown.order_id if shown else "")
    take_over(ledger)
    take(ledger, copy, told, shown)
    ledger.commit([answered(asked, Accepted("9001", "PENDING"))])
    assert stages(rebuilt(ledger).attempts)[0] == (0, Stage.LIVE, "9001")


def test_a_late_answer_that_names_the_order_of_the_word_is_about_one_order(
    ledger: Ledger, path: Path
) -> None:
    asked = intent()
    copy = _unanswered(ledger, asked)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    take(ledger, copy, told, BY_HAND)
    ledger.commit([answered(asked, Accepted("9009", "PENDING"))])
    ledger.commit([OrderKnown("follower", order("9009", second=1, correlation=_NAME))])
    assert stages(rebuilt(ledger).attempts) == [(0, Stage.ABSENT, ""), (1, Stage.LIVE, "9009")]


def test_a_lost_order_that_turns_up_beside_the_named_one_is_known_after_a_restart(
    ledger: Ledger, path: Path
) -> None:
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    take(ledger, copy, told, BY_HAND)
    ledger.commit([OrderKnown("follower", order("9001", correlation=_NAME))])
    assert stages(rebuilt(ledger).attempts) == [(0, Stage.LIVE, "9001"), (1, Stage.LIVE, "9009")]


def test_readers_see_it_at_once(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    told = said(path, Verdict.PLACED, "9009")
    take_over(ledger)
    filled = order("9009", filled=4, value=40_000)
    by_it = take(ledger, copy, told, filled).copy
    assert by_it is not None
    with Reader.open(path) as reader:
        (report,) = reader.copies("asha")
    assert report.order_ids == ("9009",)
    assert report.correlation_ids == tuple(one.ticket.correlation_id for one in by_it.attempts)
    assert report.state is by_it.state


def test_a_word_on_a_request_that_is_not_recorded_is_damage(ledger: Ledger, path: Path) -> None:
    copy = parked(ledger)
    told = replace(said(path), attempt=3)
    ledger.commit([Given(told, NOW), Settled(told, True, "taken", NOW, copy)])
    with pytest.raises(ValueError, match="is about a request that is not recorded"):
        rebuilt(ledger)


def _unanswered(ledger: Ledger, asked: Intent) -> Copy:
    """A copy that was parked without any answer."""
    ledger.commit([asked])
    (copy,) = copies_of(ledger, "asha", LONG_AGO)
    copy = copy.with_attempt(replace(copy.attempts[0], stage=Stage.PARKED))
    ledger.commit([replace(changed(state=CopyState.PARKED), copy=copy)])
    return copy
