"""The operator's word on a copy whose outcome could not be found out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.copies import Copy


class Verdict(StrEnum):
    """What became of a request, by the operator's own look: PLACED, the broker has its order;
    ABSENT, it never arrived."""

    PLACED = "placed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Instruction:
    """The operator's word on one attempt of a parked copy, as it is kept under `key`.
    `order_id` is the broker's, empty where nothing was placed."""

    key: str
    leader_order_id: str
    follower: str
    attempt: int
    verdict: Verdict
    order_id: str


@dataclass(frozen=True, slots=True)
class Given:
    """An instruction, and when it was given."""

    instruction: Instruction
    at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of an instruction: whether it was believed, in words in `outcome`, and the copy
    as it is by it, None where it changed nothing."""

    instruction: Instruction
    taken: bool
    outcome: str
    at: datetime
    copy: Copy | None = None


class Refuted(Exception):
    """An instruction that cannot be true of the copy; says why."""
