"""The real process beside the simulated broker: started, steered and looked at as a user would.

The books of the simulator are the witness; the product is only asked through its own commands.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from domain.correlation import correlation_id
from simulator.client import Control
from simulator.server import Opening, Simulator
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
LEADER = "1000000001"
RELIANCE = ("NSE_EQ", "2885")
HDFCBANK = ("NSE_EQ", "1333")
TCS = ("NSE_EQ", "11536")
SBIN = ("NSE_EQ", "3045")
NIFTY_CALL = ("NSE_FNO", "40001")

Row = dict[str, Any]


class Process(Protocol):
    """A running process, however it was started."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, kind: int, /) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A follower of the house; `sizing` in place of a multiplier, and `more` are further lines of
    its table in lockstep.toml."""

    name: str
    client_id: str
    multiplier: str = "1"
    more: Sequence[str] = ()
    sizing: str = ""


HALF = Member("half", "1000000002", "0.5")
SAME = Member("same", "1000000003")
DOUBLE = Member("double", "1000000004", "2")


@dataclass
class House:
    """A simulator with a leader and followers, and `python run.py` on them. `before` is a
    command that runs the process, `patience` (seconds) how long it may take to listen, `master`
    a file instead of the simulator's instrument master, `openings` what is particular of an
    account at the broker, by its client id. Processes come from the nursery, which
    saves their imports, unless they are `by_hand`."""

    folder: Path
    members: Sequence[Member] = (HALF, SAME, DOUBLE)
    more: str = ""
    transit_ms: int = 15
    before: Sequence[str] = ()
    by_hand: bool = False
    patience: float = 20.0
    ledger: str = "copy_trading.db"
    master: str = ""
    sessions: str = "always"
    environment: dict[str, str] = field(default_factory=dict)
    openings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    broker: Simulator = field(init=False)
    process: Process | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        accounts = [LEADER, *(member.client_id for member in self.members)]
        openings = [
            Opening(account, funds=100_000_000, **self.openings.get(account, {}))
            for account in accounts
        ]
        self.broker = Simulator(accounts=openings, transit_ms=self.transit_ms)
        self.write_config()

    # The process

    @property
    def config(self) -> Path:
        return self.folder / "lockstep.toml"

    @property
    def control(self) -> Control:
        return self.broker.control

    def write_config(self) -> None:
        """Write lockstep.toml for the members as they are now."""
        broker = self.broker
        lines = [
            "[dhan]",
            f'api_url = "{broker.api_url}"',
            f'auth_url = "{broker.auth_url}"',
            f'feed_url = "{broker.feed_url}"',
            f'master_url = "{self.master or broker.master_url}"',
            "[ledger]",
            f'path = "{self.ledger}"',
            "[clock]",
            f'sessions = "{self.sessions}"',
            self.more,
            "[leader]",
            f'client_id = "{LEADER}"',
            f'token = "{self._token(LEADER)}"',
        ]
        for member in self.members:
            lines += [
                "[[followers]]",
                f'name = "{member.name}"',
                f'client_id = "{member.client_id}"',
                f'token = "{self._token(member.client_id)}"',
                f"sizing = {{ {member.sizing or f'multiplier = {member.multiplier}'} }}",
                *member.more,
            ]
        self.config.write_text("\n".join(lines) + "\n")

    def _token(self, client_id: str) -> str:
        """The source of a token, by a file that its owner only can read."""
        path = self.folder / f"{client_id}.token"
        path.touch(mode=0o600)
        path.write_text(self.broker.token(client_id))
        return f"file:{path.name}"

    def start(self) -> "House":
        """Start the process and wait until it listens to every account."""
        self.launch()
        return self.listens()

    def listens(self) -> "House":
        """Wait until the process listens to every account."""
        why = "the process does not listen to every account"
        eventually(self._listening, self.patience, why, every=0.03)
        return self

    def launch(self) -> Process:
        """Start the process, and wait for nothing."""
        (self.folder / "out.txt").touch()
        if not self.before and not self.by_hand:
            arguments = ["--config", str(self.config)]
            self.process = nursery().bear(arguments, self.environment, self.folder / "out.txt")
            return self.process
        with (self.folder / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "run.py", "--config", str(self.config)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=os.environ | {"PYTHONUNBUFFERED": "1", **self.environment},
            )
        return self.process

    def refused(self, timeout: float = 30.0) -> int:
        """Start a process that ends by itself and give its exit code."""
        return self.launch().wait(timeout)

    def _listening(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the process ended: {self.output()}")
        ours = {LEADER, *(member.client_id for member in self.members)}
        accounts = [one for one in self.control.accounts() if one["client_id"] in ours]
        return all(account["sockets"] == 1 for account in accounts)

    def stop(self, kind: signal.Signals = signal.SIGTERM, timeout: float = 10.0) -> int:
        """Ask the process to end and give its exit code."""
        assert self.process is not None
        self.process.send_signal(kind)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End the process as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """End process and broker."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.broker.stop()

    def output(self) -> str:
        """What the process printed."""
        return (self.folder / "out.txt").read_text(errors="replace")

    def has_master(self) -> bool:
        """Whether it has put an instrument master in place."""
        return "In place: the instrument master" in self.output()

    def ask(self, *words: str) -> Any:
        """The document that a command prints with --json."""
        arguments = [*words, "--config", str(self.config), "--json"]
        with TemporaryDirectory() as folder:
            out, trouble = Path(folder, "out"), Path(folder, "trouble")
            nursery().bear(arguments, {}, out, trouble).wait(30)
            return json.loads(out.read_bytes())

    def copy(self, order_id: str, member: Member) -> Row:
        """The copy as `copies --json` tells it, once it is recorded."""
        words = ("copies", "--order", order_id, "--follower", member.name)
        rows = eventually(lambda: self.ask(*words), why="there is no copy")
        assert len(rows) == 1, rows
        row: Row = rows[0]
        return row

    def comes_to(self, order_id: str, member: Member, state: str) -> Row:
        """The copy as `copies --json` tells it, once it is recorded in that state."""

        def there() -> Row | None:
            copy = self.copy(order_id, member)
            return copy if copy["state"] == state else None

        return eventually(there, why=f"the copy is never {state}")

    # The leader's hand

    def places(self, key: tuple[str, str], side: str, quantity: int, **more: Any) -> str:
        """The leader places an order in the app; its id. `price` in rupees."""
        segment, security_id = key
        return self.control.place(
            LEADER,
            segment=segment,
            security_id=security_id,
            side=side,
            quantity=quantity,
            **more,
        )

    def changes(self, order_id: str, **changes: Any) -> None:
        """The leader changes an order."""
        self.control.modify(LEADER, order_id, **changes)

    def cancels(self, order_id: str) -> None:
        """The leader cancels an order, as soon as the exchange has it."""
        eventually(lambda: self.leader_order(order_id)["orderStatus"] != "TRANSIT")
        self.control.cancel(LEADER, order_id)

    def leader_order(self, order_id: str) -> Row:
        """The leader's order as its book shows it."""
        return next(row for row in self.control.book(LEADER) if row["orderId"] == order_id)

    # The witness

    def orders(self, order_id: str, member: Member) -> list[Row]:
        """The follower's orders that copy the leader's order, by the broker's book."""
        name = correlation_id(order_id, 0, 0).partition("-")[0] + "-"
        rows = self.control.book(member.client_id)
        return [row for row in rows if str(row["correlationId"]).startswith(name)]

    def only(self, order_id: str, member: Member) -> Row:
        """The one order that copies the leader's order."""
        rows = self.orders(order_id, member)
        assert len(rows) == 1, rows
        return rows[0]

    def waits(self, order_id: str, member: Member, timeout: float = 10.0, **wanted: Any) -> Row:
        """The follower's order once it is the only one and is as `wanted`."""

        def found() -> Row | None:
            rows = self.orders(order_id, member)
            if len(rows) == 1 and all(rows[0][key] == value for key, value in wanted.items()):
                return rows[0]
            return None

        def state() -> str:
            rows = [{key: row[key] for key in wanted} for row in self.orders(order_id, member)]
            return f"{member.name} wants {wanted}, has {rows}"

        try:
            row = eventually(found, timeout)
        except AssertionError:
            raise AssertionError(state()) from None
        return row

    def all_wait(self, order_id: str, timeout: float = 10.0, **wanted: Any) -> None:
        """Every follower's order is as `wanted`."""
        for member in self.members:
            self.waits(order_id, member, timeout, **wanted)

    def requests(self, member: Member, method: str) -> int:
        """How many order requests of a kind the follower's broker has seen."""
        seen = self.control.requests(member.client_id)
        return sum(one["method"] == method and "/orders" in one["path"] for one in seen)

    def price(self, key: tuple[str, str], price: float, **more: Any) -> None:
        """The market trades at a price in rupees."""
        self.control.price(*key, price, **more)
