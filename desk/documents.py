"""Copies as JSON: prices are rupees in decimal strings, quantities whole numbers."""

import json
import os
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from desk import redact
from domain.messages import CopyReport
from ledger.reader import Reader

_SMALLEST = Decimal("0.0001")


def copy_document(copy: CopyReport) -> dict[str, object]:
    """One copy."""
    return {
        "leader_order_id": copy.leader_order_id,
        "follower": copy.follower,
        "state": copy.state.value,
        "reason": copy.reason,
        "order_ids": list(copy.order_ids),
        "correlation_ids": list(copy.correlation_ids),
        "symbol": copy.symbol,
        "side": copy.side.value,
        "quantity": copy.quantity,
        "filled": copy.filled,
        "average_price": average(copy.traded_value, copy.filled),
        "leader_filled": copy.leader_filled,
        "leader_average_price": average(copy.leader_value, copy.leader_filled),
        "slippage_paise": copy.slippage_paise,
        "slippage_bps": copy.slippage_bps,
        "dispatch_us": copy.dispatch_us,
        "in_step": copy.in_step,
        "sizing": copy.sizing,
        "at": copy.at.isoformat() if copy.at else None,
    }


def average(value: int, quantity: int) -> str | None:
    """What a share cost in rupees, to a hundredth of a paisa, with at least two decimals; None
    for no shares. `value` is in paise."""
    if not quantity:
        return None
    rupees = Decimal(value) / quantity / 100
    text = str(rupees.quantize(_SMALLEST, ROUND_HALF_EVEN))
    return text[:-2] + text[-2:].rstrip("0")


def write_copies(path: Path, ledger: Path, in_step: bool) -> None:
    """Write `{"in_step": ..., "copies": [...]}` to a file that only its owner can read.

    Raises ledger.opening.LedgerUnusable and OSError.
    """
    with Reader.open(ledger) as reader:
        copies = [copy_document(copy) for copy in reader.copies()]
    text = json.dumps({"in_step": in_step, "copies": copies}, indent=2, ensure_ascii=False)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(redact.scrub(text) + "\n")
