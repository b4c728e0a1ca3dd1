"""The figures as tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figures import HOPS

_TITLES = {
    "lockstep": "Lockstep (intents committed)",
    "loop": "(a) plain loop, SDK",
    "threads": "(b) thread pool, SDK",
    "tasks": "(c) asyncio + aiohttp",
    "prebuilt": "(d) prebuilt bytes",
}
_MOST_FUNCTIONS = 25

Row = Mapping[str, Any]


class Report:
    """Prints to a terminal or a file."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(width=132)

    def race(self, rows: Sequence[Row]) -> None:
        """One row for each contestant and number of followers."""
        table = Table(title="From the leader's frame to the request's arrival, milliseconds")
        for title in ("followers", "contestant", "first", "median", "p99", "last", "slowest order",
                      "CPU s per 1,000", "memory MB", "orders"):  # fmt: skip
            table.add_column(title, justify="left" if title == "contestant" else "right")
        before = None
        for row in rows:
            if before not in (None, row["followers"]):
                table.add_section()
            before = row["followers"]
            table.add_row(
                str(row["followers"]),
                _TITLES[row["contestant"]],
                *(_ms(row[f"{name}_ms"]) for name in ("first", "median", "p99", "last")),
                _ms(row["slowest_order_ms"]),
                f"{row['cpu_seconds_per_1000']:.3f}",
                f"{row['memory_mb']:.0f}",
                str(row["orders"]),
            )
        self._console.print(table)

    def hops(self, followers: int, hops: Row) -> None:
        """Where Lockstep's milliseconds went."""
        table = Table(
            title=f"Lockstep's hops at {followers} followers, milliseconds after the frame"
        )
        for title in ("follower", *HOPS):
            table.add_column(title, justify="left" if title == "follower" else "right")
        for which in ("first", "median", "last"):
            table.add_row(which, *(_ms(hops[name][which]) for name in HOPS))
        self._console.print(table)
        self._console.print(f"{hops['commits']:.1f} commits an order")

    def aims(self, aims: Row) -> None:
        """The last follower beside the two rivals that matter."""
        if not aims:
            return
        self._console.print(
            f"At {aims['followers']} followers, the last with Lockstep: "
            f"{aims['to_tasks']:.2f} times (c) (aim: under 1), "
            f"{aims['to_prebuilt']:.1f} times (d) (aim: at most 8)"
        )

    def trouble(self, told: Row) -> None:
        """The others beside a hanging and a slow account."""
        table = Table(
            title=f"Dispatch of the others among {told['followers']}, milliseconds, "
            f"{told['orders']} orders"
        )
        for title in ("accounts", "median", "last", "slowest order"):
            table.add_column(title, justify="left" if title == "accounts" else "right")
        names = ("median_ms", "worst_ms", "slowest_ms")
        table.add_row("all are well", *(_ms(told["well"][name]) for name in names))
        troubled = (_ms(told["troubled"][name]) for name in names)
        table.add_row("one hangs, one takes 2 s", *troubled)
        table.add_row("ratio (aim: at most 1.2)", *(f"{told['ratio'][n]:.2f}" for n in names))
        self._console.print(table)

    def recovery(self, told: Row) -> None:
        """How soon all is right after the leader could not be reached."""
        table = Table(
            title=f"From the leader's return to the last right copy of {told['orders']} orders "
            "that were missed, milliseconds"
        )
        for title in ("followers", "copies", "rounds", "p50", "p99", "worst"):
            table.add_column(title, justify="right")
        for row in told["rows"]:
            counts = (row["followers"], row["copies"], row["rounds"])
            times = (row["median_ms"], row["p99_ms"], row["worst_ms"])
            table.add_row(*map(str, counts), *map(_ms, times))
        self._console.print(table)

    def sweeps(self, told: Row) -> None:
        """What reading the leader's order book costs."""
        rows = told["rows"]
        table = Table(title="A sweep of the leader's order book, milliseconds (medians)")
        for title in ("orders in the book", "CPU", "its news arrives", "an event arrives",
                      "beside a sweep", "so it waited", "CPU, times the first"):  # fmt: skip
            table.add_column(title, justify="right")
        names = ("cpu_ms", "book_ms", "event_ms", "beside_ms", "waits_ms")
        for row in rows:
            ratio = row["cpu_ms"] / rows[0]["cpu_ms"]
            times = (_ms(row[name]) for name in names)
            table.add_row(str(row["orders"]), *times, f"{ratio:.2f}")
        self._console.print(table)

    def decisions(self, told: Row) -> None:
        """What a decision takes with every rule on."""
        self._console.print(
            f"A decision with every rule on, CPU time of {told['count']:,}: the plan alone "
            f"{told['plan_p50_us']:.0f} us in the median and {told['plan_p99_us']:.0f} us at p99; "
            f"with sizes, positions and limits beside {told['copies']} copies "
            f"{told['decision_p50_us']:.0f} us and {told['decision_p99_us']:.0f} us"
        )

    def day(self, told: Row) -> None:
        """What a long day makes of one follower's decisions."""
        rows = told["rows"]
        table = Table(title="A day in one instrument: one follower's decisions, CPU time")
        for title in ("orders", "us an order, the last fifth", "ms for all again after a restart",
                      "ms for another roster"):  # fmt: skip
            table.add_column(title, justify="right")
        for row in rows:
            times = (f"{row[name]:.1f}" for name in ("order_us", "again_ms", "roster_ms"))
            table.add_row(str(row["orders"]), *times)
        self._console.print(table)

    def burst(self, told: Row) -> None:
        """How near to Dhan's limits a burst was copied."""
        self._console.print(
            f"The burst, {told['orders']} orders by {told['followers']} followers: in the median "
            f"{told['median_s']:.2f} s, {told['slowest_s']:.2f} s for the slowest, "
            f"{told['share']:.1%} of what Dhan's limits allow (all together {told['of_all']:.1%}, "
            f"aim: 95%); what waits for no limit arrives {told['late_ms']:.0f} ms after the "
            f"leader's order in the median, {told['latest_ms']:.0f} ms at the latest"
        )

    def clock(self, told: Row) -> None:
        """What asking the clock takes."""
        self._console.print(
            f"The clock, asked {told['count']:,} times: {told['remembered_p50_us']:.1f} us in the "
            f"median and {told['remembered_p99_us']:.1f} us at p99; in a phase that is new "
            f"{told['found_p50_us']:.0f} us and {told['found_p99_us']:.0f} us"
        )

    def master(self, told: Row) -> None:
        """What loading the instrument master takes, and asking it."""
        self._console.print(
            f"The instrument master, {told['instruments']:,} instruments: loaded in "
            f"{told['seconds']:.1f} s (aim: under 10; {told['cpu_seconds']:.1f} s of CPU) with at "
            f"most {told['peak_mb']:.0f} MB (aim: under 150), kept in {told['file_mb']:.0f} MB; a "
            f"first question {told['first_us']:.0f} us, a second {told['again_us']:.1f} us"
        )

    def adopting(self, told: Row) -> None:
        """What taking over an older program's database takes."""
        self._console.print(
            f"An older program's database, {told['orders']:,} orders: taken over in "
            f"{told['seconds']:.1f} s ({told['cpu_seconds']:.1f} s of CPU) with at most "
            f"{told['peak_mb']:.0f} MB, kept in {told['file_mb']:.0f} MB; a start restores "
            f"{told['restored']:,} copies in {told['restored_seconds']:.1f} s; the slowest of the "
            f"old queries takes {told['query_seconds']:.1f} s (before: "
            f"{told['query_before_seconds']:.1f})"
        )

    def profile(self, followers: int, told: Row, orders: int) -> None:
        """Where the CPU time went."""
        table = Table(title=f"CPU time by thread at {followers} followers, ms an order")
        table.add_column("thread")
        table.add_column("ms", justify="right")
        for name, seconds in told["threads"].items():
            table.add_row(name, f"{seconds / orders * 1000:.2f}")
        self._console.print(table)
        table = Table(title="Own time by function, waiting left out (inflated by the profiler)")
        for title in ("thread", "function", "calls", "ms"):
            table.add_column(title, justify="right" if title in ("calls", "ms") else "left")
        for one in told["functions"][:_MOST_FUNCTIONS]:
            calls, spent = one["calls"] / orders, one["seconds"] / orders * 1000
            table.add_row(one["thread"], one["function"], f"{calls:.1f}", f"{spent:.2f}")
        self._console.print(table)

    def faults(self, faults: Sequence[str]) -> None:
        """What makes the figures worthless."""
        for fault in faults:
            self._console.print(f"[red]wrong:[/red] {fault}", soft_wrap=True)


def _ms(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
