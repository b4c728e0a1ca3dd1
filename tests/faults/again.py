"""Whether a recorded day, with all its crashes, comes out the same when it is followed again."""

from datetime import UTC, datetime, timedelta

from desk.replaying import Day, follow_again
from ledger.reader import Reader
from tests.scenarios.house import House


def differences(house: House) -> list[str]:
    """What came out differently, in plain words; the process has ended."""
    now, margin = datetime.now(UTC), timedelta(days=1)
    day = Day(now - margin, now + margin)
    with Reader.open(house.folder / house.ledger) as reader:
        again = [follow_again(reader, member.name, day) for member in house.members]
    return [
        f"{one.follower}, followed again: {difference}"
        for one in again
        for difference in (one.differences if one.inputs else ("there is no record",))
    ]
