"""Instants as the ledger keeps them: whole microseconds since 1970 (UTC), which sort and
subtract as numbers and cost little to make. They come back in IST."""

from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IST = timezone(timedelta(hours=5, minutes=30), "IST")


def micros(at: datetime) -> int:
    """The instant as a number. Raises ValueError for one without a time zone."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone; naive times are refused")
    return round(at.timestamp() * 1_000_000)


def maybe_micros(at: datetime | None) -> int | None:
    """As `micros`, None for None."""
    return None if at is None else micros(at)


def microseconds(span: timedelta) -> int:
    """A length of time as a number."""
    return span // timedelta.resolution


def instant(number: int) -> datetime:
    """The instant of a number, in IST."""
    return (_EPOCH + timedelta(microseconds=number)).astimezone(_IST)


def maybe_instant(number: int | None) -> datetime | None:
    """As `instant`, None for None."""
    return None if number is None else instant(number)
