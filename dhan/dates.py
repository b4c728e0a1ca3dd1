"""The broker's clock, as its answers show it."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from dhan.calls import Answer
from domain.offset import Offset, admitted


def broker_time(answer: Answer) -> datetime | None:
    """The broker's clock by the answer's Date header, in whole seconds; None where it says none."""
    try:
        date = parsedate_to_datetime(answer.date or "")
    except ValueError:
        return None
    return date if date.tzinfo else None


def offset(answer: Answer, wall: datetime, ns: int) -> Offset | None:
    """How far this host's clock may be from the broker's, None where the answer does not tell.
    `wall` is this host's clock and `ns` the monotonic one, both now."""
    date = broker_time(answer)
    if date is None or answer.written_at is None:
        return None
    asked, answered = (
        wall - timedelta(microseconds=(ns - at) / 1000)
        for at in (answer.written_at, answer.answered_at)
    )
    return admitted(date, asked, answered)
