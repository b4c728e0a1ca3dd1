"""Faults that can be switched on while the simulator runs, for an account and an operation."""

import random
from dataclasses import dataclass

OPERATIONS = ("place", "modify", "cancel", "read", "auth", "feed")
REST_KINDS = (
    "delay",
    "hang",
    "reset",
    "status",
    "garbage",
    "truncated",
    "empty",
    "throttle",
    "token",
)
FEED_KINDS = ("drop", "double", "reorder", "delay", "binary", "garbage", "partial", "cut")


@dataclass(slots=True)
class Fault:
    """One fault. `after` makes a request act before it goes wrong. It strikes `times` times
    (negative: until cleared), each time with the chance `rate`."""

    client_id: str
    operation: str
    kind: str
    times: int = 1
    rate: float = 1.0
    ms: int = 0
    status: int = 500
    after: bool = True

    def __post_init__(self) -> None:
        kinds = FEED_KINDS if self.operation == "feed" else REST_KINDS
        if self.operation not in (*OPERATIONS, "*"):
            raise ValueError(f"operation {self.operation!r} is not one of {', '.join(OPERATIONS)}")
        if self.operation != "*" and self.kind not in kinds:
            raise ValueError(f"fault {self.kind!r} is not one of {', '.join(kinds)}")


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
            if fault.operation not in ("*", operation):
                continue
            if fault.rate < 1.0 and self._random.random() >= fault.rate:
                continue
            fault.times -= 1 if fault.times > 0 else 0
            name = f"{operation}:{fault.kind}:{'after' if fault.after else 'before'}"
            self.struck[name] = self.struck.get(name, 0) + 1
            return fault
        return None
