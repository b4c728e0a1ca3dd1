"""Faults that can be switched on while the simulator runs, for an account and an operation.

For requests: delay, hang (no answer), reset (of the connection), status (an HTML page with that
status), garbage, truncated and empty answers, throttle (429), token (401) and echo (a refusal that
repeats the token and what stood in the address). For the socket
("feed"): drop, double, reorder and delay an event, send a binary, garbage or partial frame before
it, cut the connection instead of it.
"""

import random
from dataclasses import dataclass

OPERATIONS = ("place", "modify", "cancel", "read", "trades", "auth")
REQUEST_KINDS = (
    "delay", "hang", "reset", "status", "garbage", "truncated", "empty", "throttle", "token",
    "echo",
)  # fmt: skip
FEED_KINDS = ("drop", "double", "reorder", "delay", "binary", "garbage", "partial", "cut")
_NEVER_ACTS = ("throttle", "token", "echo")


@dataclass(slots=True)
class Fault:
    """One fault. `operation` "*" stands for every request, "feed" for the socket. `after` makes
    a request act before it goes wrong (but for throttle, token and echo, which always refuse). It
    strikes `times` times (-1: until cleared), each time with the chance `rate`.

    Raises ValueError when the operation or the kind is not known.
    """

    client_id: str
    operation: str
    kind: str
    times: int = 1
    rate: float = 1.0
    ms: int = 0
    status: int = 500
    after: bool = True

    def __post_init__(self) -> None:
        operations = (*OPERATIONS, "feed", "*")
        if self.operation not in operations:
            raise ValueError(f"operation {self.operation!r} is not one of {', '.join(operations)}")
        kinds = FEED_KINDS if self.operation == "feed" else REQUEST_KINDS
        if self.kind not in kinds:
            raise ValueError(f"fault {self.kind!r} is not one of {', '.join(kinds)}")
        if not 400 <= self.status <= 599:
            raise ValueError(f"status {self.status} is no error")
        self.after = self.after and self.kind not in _NEVER_ACTS

    @property
    def name(self) -> str:
        """The fault without its time and number."""
        return f"{self.kind}:{'after' if self.after else 'before'}"


class Faults:
    """All faults that are switched on, and how often each struck."""

    def __init__(self, seed: int) -> None:
        self._active: list[Fault] = []
        self._random = random.Random(seed)
        self.struck: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._active.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        self._active.clear()

    def strike(self, client_id: str, operation: str) -> Fault | None:
        """The fault that hits this operation now, if one does."""
        for fault in self._active:
            if fault.client_id not in ("*", client_id) or not fault.times:
                continue
            if fault.operation != operation and (fault.operation != "*" or operation == "feed"):
                continue
            if fault.rate < 1.0 and self._random.random() >= fault.rate:
                continue
            fault.times -= 1 if fault.times > 0 else 0
            name = f"{operation}:{fault.name}"
            self.struck[name] = self.struck.get(name, 0) + 1
            return fault
        return None
