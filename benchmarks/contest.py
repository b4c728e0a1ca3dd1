"""What broker and contestants agree on: addresses, names, the leader's order and its frame."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta, timezone

from simulator.instruments import Listing

LISTING = Listing("NSE", "E", "2885", "RELIANCE", "Reliance Industries", "EQUITY", 250_000)
QUANTITY = 10
PRICE = 249_500  # paise
TAG = "benchmark"
IST = timezone(timedelta(hours=5, minutes=30))
EVENT, BESIDE, BOOK = "event", "beside", "book"  # how a leader's order is told


@dataclass(frozen=True, slots=True)
class Contest:
    """Where a contestant finds the broker, and whose orders it copies into which accounts.

    `scratch` is a directory of its own on a real disk. `timeout` (seconds) is how long it waits
    for an answer, where it has such a setting; `sweep_seconds` is how often Lockstep reads the
    leader's order book.
    """

    api_url: str
    feed_url: str
    leader: str
    followers: tuple[str, ...]
    scratch: str
    profiled: bool = False
    sweep_seconds: float = 3.0

    def text(self) -> str:
        """As one command-line argument."""
        return json.dumps(asdict(self))

    @staticmethod
    def of(text: str) -> "Contest":
        """Back from `text`."""
        fields = json.loads(text)
        return Contest(**fields | {"followers": tuple(fields["followers"])})


def client_id(contestant: int, number: int) -> str:
    """The account `number` (0 is the leader) of a contestant; ten digits, as at Dhan."""
    return f"{contestant + 1}{number:09d}"


def token(client: str) -> str:
    """The access token of an account."""
    return f"token-of-{client}"


def login(client: str) -> str:
    """The first frame on an order-update socket."""
    login_request = {"MsgCode": 42, "ClientId": client, "Token": token(client)}
    return json.dumps({"LoginReq": login_request, "UserType": "SELF"})


def new_order(frame: str) -> dict[str, object] | None:
    """The leader's order in a frame, None when the frame tells of an older one."""
    event: dict[str, object] = json.loads(frame)["Data"]
    return event if event["status"] == "Pending" else None
