"""From the next step of a copy to the intent that the ledger keeps before anything is sent."""

from datetime import datetime, timedelta

from actors.hands import Timing
from domain.attempts import Change
from domain.copies import Copy
from domain.messages import Intent
from domain.steps import Modify, Place, Request


def intent(
    name: str,
    client_id: str,
    copy: Copy,
    step: Request,
    timing: Timing,
    now: datetime,
    now_ns: int,
) -> Intent:
    """The intent of a step of the follower of that name. It waits for its permit until the slot."""
    held = timedelta(microseconds=max(0, timing.slot - now_ns) // 1000)
    if isinstance(step, Place):
        number, part, change, order_id = step.number, step.slice_number, None, ""
        correlation = step.ticket.correlation_id
    else:
        attempt = next(a for a in copy.attempts if a.order_id == step.order_id)
        number, part, order_id = attempt.number, attempt.slice_number, step.order_id
        correlation = attempt.ticket.correlation_id
        change = Change.MODIFY if isinstance(step, Modify) else Change.CANCEL
    return Intent(
        follower=name,
        client_id=client_id,
        leader_order_id=copy.leader_order_id,
        correlation_id=correlation,
        slice_number=part,
        number=number,
        change=change,
        request=step,
        order_id=order_id,
        sizing=copy.sizing.text,
        born=copy.born,
        intended_at=now,
        heard_ns=now_ns if timing.heard_ns is None else timing.heard_ns,
        planned_ns=now_ns,
        waited=timing.waited + held,
    )
