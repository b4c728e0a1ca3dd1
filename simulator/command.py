"""The simulator from the command line: `python run.py simulator` or `python -m simulator`."""

import argparse
import json
import queue
import signal
import sys
from types import FrameType

from simulator.server import Opening, Simulator

_DESCRIPTION = """\
Dhan in a box: a toy broker that speaks Dhan's REST API v2 and its order-update socket, with an
exchange behind it. Nothing in it is real: its tokens are made to be shown, and it serves this
machine alone unless --host says otherwise.
"""
_FIRST_ACCOUNT = 1_000_000_001
_GUIDE = """\
A leader and two followers:

  python run.py simulator --port 8080 --account 1000000001:LEADER --accounts 2

Place an order by hand in account 1000000001, as its owner would in the Dhan app (prices are in
rupees), let the market come to it, and look at the book:

  curl http://127.0.0.1:8080/control/place -d '{"client_id": "1000000001", "segment": "NSE_EQ",
    "security_id": "2885", "side": "BUY", "quantity": 10, "price": 2490}'
  curl http://127.0.0.1:8080/control/price -d '{"segment": "NSE_EQ", "security_id": "2885",
    "price": 2489.5}'
  curl http://127.0.0.1:8080/control/book -d '{"client_id": "1000000001"}'

The order id that `place` answers serves `modify`, `cancel` and `reject`. `fault` makes the broker
misbehave, `cut` and `silence` its sockets; `curl http://127.0.0.1:8080/control` lists every verb
with its arguments. Any Dhan client can use the REST API with the token shown:

  curl http://127.0.0.1:8080/v2/orders -H 'client-id: 1000000001' -H 'access-token: LEADER'
"""


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; answers the exit code."""
    wanted = _parser().parse_args(argv)
    enough = queue.SimpleQueue[int]()  # a handler that interrupts its get may put

    def stop(number: int, frame: FrameType | None) -> None:
        enough.put(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        simulator = Simulator(
            accounts=_openings(wanted.account, wanted.accounts),
            host=wanted.host,
            port=wanted.port,
            transit_ms=wanted.transit_ms,
            rtt_ms=wanted.rtt_ms,
        )
    except (OSError, ValueError) as trouble:
        sys.stderr.write(f"The simulator cannot start: {trouble}\n")
        return 2
    with simulator:
        sys.stdout.write(_as_json(simulator) if wanted.json else _as_text(simulator))
        sys.stdout.flush()
        enough.get()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulator",
        description=_DESCRIPTION,
        epilog=_GUIDE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--account", type=_opening, action="append", default=[], metavar="CLIENT_ID[:TOKEN]",
        help="an account; a token given is taken literally and does not expire",
    )  # fmt: skip
    parser.add_argument(
        "--accounts", type=int, metavar="N",
        help=f"so many accounts more, from {_FIRST_ACCOUNT} on (4 when no --account is given)",
    )  # fmt: skip
    parser.add_argument("--transit-ms", type=int, default=30, help="way to the exchange (30)")
    parser.add_argument("--rtt-ms", type=int, default=0, help="time that an answer takes (0)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    return parser


def _opening(written: str) -> Opening:
    client_id, _, token = written.partition(":")
    if not client_id.isdigit():
        raise argparse.ArgumentTypeError("a client id consists of digits")
    return Opening(client_id, token=token or None)


def _openings(named: list[Opening], more: int | None) -> list[Opening]:
    """The accounts asked for by name, and as many more as wanted."""
    count = more if more is not None else 0 if named else 4
    taken = {opening.client_id for opening in named}
    free = (
        str(number)
        for number in range(_FIRST_ACCOUNT, _FIRST_ACCOUNT + count + len(named))
        if str(number) not in taken
    )
    return named + [Opening(client_id) for client_id, _ in zip(free, range(count), strict=False)]


def _as_json(simulator: Simulator) -> str:
    shown = {
        "api_url": simulator.api_url,
        "auth_url": simulator.auth_url,
        "feed_url": simulator.feed_url,
        "master_url": simulator.master_url,
        "control_url": simulator.control_url,
        "accounts": _accounts(simulator),
    }
    return json.dumps(shown) + "\n"


def _as_text(simulator: Simulator) -> str:
    lines = [
        f"api_url     {simulator.api_url}",
        f"auth_url    {simulator.auth_url}",
        f"feed_url    {simulator.feed_url}",
        f"master_url  {simulator.master_url}",
        f"control_url {simulator.control_url}",
        "",
        *(f"account {each['client_id']}  token {each['token']}" for each in _accounts(simulator)),
        "",
        "Ready. --help shows how to place an order by hand; Ctrl-C ends.",
    ]
    return "\n".join(lines) + "\n"


def _accounts(simulator: Simulator) -> list[dict[str, str]]:
    return [
        {"client_id": account["client_id"], "token": account["token"]}
        for account in simulator.control.accounts()
    ]
