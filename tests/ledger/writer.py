"""A process that commits batch after batch and says after each how many it has committed, until
it is killed: `writer PATH BATCH`."""

import sys
from pathlib import Path

from domain.correlation import correlation_id
from ledger.entries import Entry, OrderKnown
from ledger.ledger import Ledger
from tests.ledger.makers import intent, order


def main(path: Path, size: int) -> None:
    ledger = Ledger.open(path)
    sys.stdout.write("ready\n")
    for number in range(1, 1_000_000):
        ledger.commit(batch(number, size))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def batch(number: int, size: int) -> list[Entry]:
    """The intents of one leader order for `size` followers, and the first one's order."""
    leader_id = str(number)
    intents = [intent(follower=f"f{n}", leader_order_id=leader_id) for n in range(size)]
    filled = number % 11
    known = order(
        leader_id,
        "client of f0",
        filled=filled,
        value=filled * 100,
        correlation=correlation_id(leader_id, 0, 0),
    )
    return [*intents, OrderKnown("follower", known)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
