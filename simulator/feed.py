"""Order updates on the accounts' sockets, in production's shapes, with their faults."""

import asyncio
import json
from collections.abc import Coroutine, Iterable

from simulator.accounts import Account
from simulator.faults import Faults
from simulator.orders import BrokerOrder

_JOIN_SECONDS = 0.05
_REORDER_SECONDS = 0.5
_BINARY = b"\x32\x0a\x00\x01\x00\x00\x00\x00\x27\x03"
_GARBAGE = "<html>502 Bad Gateway</html>"


class Feed:
    """Tells the accounts' sockets of orders, with whatever fault is on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults) -> None:
        self._loop, self._faults = loop, faults
        self._held: dict[str, str] = {}
        self._joining: dict[str, list[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, account: Account, order: BrokerOrder, last_price: int) -> None:
        """Send an event of the order to every socket of its account."""
        frame = _frame(account, order.event(last_price))
        order.told.append(frame)
        if account.links:
            self._leave(account, self._faulted(account, frame))

    def raw(self, account: Account, frame: str | bytes) -> None:
        """Send any frame to the account's sockets."""
        for link in account.links:
            if not link.silent:
                self._spawn(link.say(frame))

    def cut(self, account: Account, with_close: bool) -> None:
        """End the account's sockets, without a close frame unless asked."""
        for link in account.links:
            if with_close:
                self._spawn(link.close())
            else:
                link.drop()

    def _faulted(self, account: Account, frame: str) -> list[str | bytes]:
        """The frames that leave instead of this one."""
        fault = self._faults.strike(account.client_id, "feed")
        held = self._held.pop(account.client_id, None)
        earlier: list[str | bytes] = [] if held is None else [held]
        if fault is None:
            return [frame, *earlier]
        if fault.kind == "drop":
            return earlier
        if fault.kind == "double":
            return [frame, *earlier, frame]
        if fault.kind == "reorder":
            self._held[account.client_id] = frame
            self._loop.call_later(_REORDER_SECONDS, self._release, account, frame)
            return earlier
        if fault.kind == "delay":
            self._loop.call_later(fault.ms / 1000, self.raw, account, frame)
            return earlier
        if fault.kind == "cut":
            self.cut(account, with_close=False)
            return []
        junk: dict[str, str | bytes] = {
            "binary": _BINARY,
            "garbage": _GARBAGE,
            "partial": frame[: len(frame) // 2],
        }
        return [junk[fault.kind], frame, *earlier]

    def _release(self, account: Account, frame: str) -> None:
        """A frame held back for the next one has waited long enough."""
        if self._held.get(account.client_id) is frame:
            del self._held[account.client_id]
            self.raw(account, frame)

    def _leave(self, account: Account, frames: Iterable[str | bytes]) -> None:
        """Send frames one by one, or gather those of a moment into one (seen live by two)."""
        for frame in frames:
            if account.frames == "single" or isinstance(frame, bytes):
                self.raw(account, frame)
                continue
            gathered = self._joining.setdefault(account.client_id, [])
            gathered.append(frame)
            if len(gathered) == 1:
                self._loop.call_later(_JOIN_SECONDS, self._join, account)

    def _join(self, account: Account) -> None:
        separator = "\n" if account.frames == "lines" else ""
        self.raw(account, separator.join(self._joining.pop(account.client_id)))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        """Do it in the background, and keep it from being collected before it is done."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _frame(account: Account, event: dict[str, object]) -> str:
    if account.unpriced:
        event = event | {"tradedPrice": 0.0, "avgTradedPrice": 0.0}
    if account.pascal:
        event = {key[0].upper() + key[1:]: value for key, value in event.items()}
    return json.dumps({"Data": event, "Type": "order_alert"})
