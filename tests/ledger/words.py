"""Parked copies, and what an operator says of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from domain.attempts import Attempt, Stage
from domain.copies import Copy, CopyState
from domain.instructions import Instruction, Settled, Verdict
from domain.orders import Order
from domain.outcomes import Unknown
from domain.proof import settled
from ledger.entries import OrderKnown
from ledger.history import copies_of
from ledger.instructions import instruct
from ledger.ledger import Ledger
from tests.ledger.makers import LONG_AGO, NOW, answered, changed, intent, order

BY_HAND = order("9009")


def parked(ledger: Ledger, follower: str = "asha") -> Copy:
    """A parked copy, as its follower's book has it."""
    asked = intent(follower=follower)
    ledger.commit([asked, answered(asked, Unknown("lost"))])
    (copy,) = copies_of(ledger, follower, LONG_AGO)
    attempt = copy.attempts[0]
    copy = copy.with_attempt(replace(attempt, stage=Stage.PARKED))
    told = changed(follower, state=CopyState.PARKED)
    ledger.commit([replace(told, copy=copy)])
    return copy


def said(
    path: Path, verdict: Verdict = Verdict.ABSENT, order_id: str = "", at: datetime = NOW
) -> Instruction:
    """The operator's word on asha's copy."""
    return instruct(path, "1001", "asha", verdict, order_id, at)


def left(path: Path) -> list[Path]:
    """The files that lie beside the ledger."""
    folder = path.with_name(f"{path.name}.instructions")
    return sorted(folder.iterdir()) if folder.is_dir() else []


def take(ledger: Ledger, copy: Copy, told: Instruction, shown: Order | None = None) -> Settled:
    """The engine believes it."""
    terms = shown.terms if shown else None
    by_it = settled(copy, told.attempt, told.order_id, terms)
    closing = Settled(told, True, "taken", NOW, by_it)
    ledger.commit([*([OrderKnown("follower", shown)] if shown else []), closing])
    return closing


def rebuilt(ledger: Ledger) -> Copy:
    (copy,) = copies_of(ledger, "asha", LONG_AGO)
    return copy


def stages(attempts: Iterable[Attempt]) -> list[tuple[int, Stage, str]]:
    return [(one.number, one.stage, one.order_id) for one in attempts]
