"""The operator's table: leader orders across, followers down, in step at a glance."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from actors.board import View
from desk import redact
from domain.copies import CopyState
from domain.messages import CopyReport, Level, MoodChanged
from domain.orders import Order
from domain.rules import Mood

_STYLES = {
    CopyState.HELD: "yellow",
    CopyState.PLACING: "cyan",
    CopyState.OPEN: "blue",
    CopyState.PART_FILLED: "magenta",
    CopyState.FILLED: "green",
    CopyState.CANCELLED: "dim",
    CopyState.REJECTED: "red",
    CopyState.SKIPPED: "dim",
    CopyState.UNKNOWN: "bold yellow",
    CopyState.PARKED: "bold red",
}
_MOODS = {
    Mood.ACTIVE: "green",
    Mood.PAUSED: "yellow",
    Mood.HALTED: "bold yellow",
    Mood.FLATTENED: "bold yellow",
    Mood.PARKED: "bold red",
    Mood.STOPPED: "dim",
}
_LEVELS = {Level.NOTE: "dim", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_ORDERS_SHOWN = 14
_ALERTS_SHOWN = 4


def render(view: View, title: str, style: str, caption: str = "") -> RenderableType:
    """The whole screen: orders by followers, the newest alerts, and below them a caption."""
    shown = sorted(view.orders, key=_placed)[-_ORDERS_SHOWN:]
    parts: list[RenderableType] = [_orders(view, shown)]
    if view.alerts:
        parts.append(_alerts(view))
    state = Text("in step", "bold green") if view.in_step else Text("settling", "bold yellow")
    heading = Text.assemble((title, style), "  ", state)
    return Panel(Group(*parts), title=heading, subtitle=escape(caption) or None, border_style=style)


def rupees(paise: int) -> str:
    """An amount in rupees with two decimals, signed when negative."""
    sign = "-" if paise < 0 else ""
    return f"{sign}{abs(paise) // 100}.{abs(paise) % 100:02d}"


def summary(view: View) -> Table:
    """One line a follower: what became of its copies, how fast, at what slippage."""
    table = Table(title="Summary", title_justify="left")
    for column in ("follower", "copies", "filled", "skipped", "out of step"):
        table.add_column(column)
    for column in ("median dispatch", "slowest", "slippage Rs"):
        table.add_column(column, justify="right")
    for mood in view.moods:
        copies = [copy for copy in view.copies if copy.follower == mood.follower]
        times = sorted(copy.dispatch_us for copy in copies if copy.dispatch_us is not None)
        outside = [copy for copy in copies if not copy.in_step]
        table.add_row(
            mood.follower,
            str(len(copies)),
            str(sum(copy.state is CopyState.FILLED for copy in copies)),
            str(sum(copy.state is CopyState.SKIPPED for copy in copies)),
            Text(str(len(outside)), "bold red" if outside else "green"),
            _milliseconds(times[len(times) // 2]) if times else "",
            _milliseconds(times[-1]) if times else "",
            rupees(sum(copy.slippage_paise or 0 for copy in copies)),
        )
    return table


def _placed(order: Order) -> tuple[str, str]:
    return (order.placed_at.isoformat() if order.placed_at else "", order.order_id)


def _orders(view: View, orders: Iterable[Order]) -> Table:
    table = Table(expand=True)
    table.add_column("leader order")
    table.add_column("leader", overflow="fold")
    for mood in view.moods:
        table.add_column(_follower(mood), overflow="fold")
    copies = {(copy.leader_order_id, copy.follower): copy for copy in view.copies}
    for order in orders:
        cells = [_cell(copies.get((order.order_id, one.follower)), order) for one in view.moods]
        table.add_row(_order(order), _leader(order), *cells)
    return table


def _follower(mood: MoodChanged) -> Text:
    text = Text(mood.follower, "bold")
    if mood.mood is not Mood.ACTIVE:
        text.append(f"\n{mood.mood}", _MOODS[mood.mood])
    if mood.mood in (Mood.HALTED, Mood.FLATTENED, Mood.PARKED):
        text.append(f"\n{redact.scrub(mood.reason)}", "dim")
    return text


def _order(order: Order) -> Text:
    return Text.assemble(
        (order.order_id[-6:], "dim"), f" {order.side} {order.terms.quantity} {order.symbol}"
    )


def _leader(order: Order) -> Text:
    terms = order.terms
    price = rupees(terms.price) if terms.price else ""
    trigger = f" trigger {rupees(terms.trigger)}" if terms.trigger else ""
    return Text(
        f"{terms.order_type.lower()} {price}{trigger}\n{order.status.lower()} {order.filled}"
    )


def _cell(copy: CopyReport | None, order: Order) -> Text:
    if copy is None:
        return Text("...", "dim")
    text = Text(str(copy.state), _STYLES[copy.state])
    if copy.side is not order.side:
        text.append(f" {copy.side}")
    if copy.quantity:
        text.append(f" {copy.filled}/{copy.quantity}")
    details = []
    if copy.dispatch_us is not None:
        details.append(_milliseconds(copy.dispatch_us))
    if copy.slippage_paise:
        details.append(f"slip {rupees(copy.slippage_paise)} ({copy.slippage_bps} bp)")
    if not copy.in_step or copy.state is CopyState.SKIPPED:
        details.append(redact.scrub(copy.reason))
    if details:
        text.append("\n" + ", ".join(details), "dim")
    return text


def _alerts(view: View) -> Text:
    text = Text()
    for alert in view.alerts[-_ALERTS_SHOWN:]:
        told = redact.scrub(f"{alert.level}: {alert.where}: {alert.what}\n")
        text.append(told, _LEVELS[alert.level])
    return text


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f} ms"
