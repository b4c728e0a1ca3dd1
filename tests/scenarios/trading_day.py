"""A house whose clocks, its own and the broker's, are set to any second of a trading day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from domain.sessions import IST
from tests.faults.crashing import bend
from tests.scenarios.house import House, Member
from tests.waiting import eventually

DAY = "2026-11-25"
HOLD = Member("hold", "1000000002", more=['when_closed = "hold"'])
AMO = Member("amo", "1000000003", more=['when_closed = "amo"'])
SKIP = Member("skip", "1000000004", more=['when_closed = "skip"'])
BRIEF = Member("brief", "1000000005", more=["max_age_seconds = 1"])
NIFTY_PUT, GOLD, DOLLAR = ("NSE_FNO", "40002"), ("MCX_COMM", "60001"), ("NSE_CURRENCY", "13001")


class TradingDay(House):
    """Trades by the exchanges' sessions; `off` is by how much its clocks are ahead of the real
    one."""

    off = timedelta(0)

    @classmethod
    def begun(
        cls,
        folder: Path,
        clock: str,
        members: Sequence[Member] = (HOLD, AMO, SKIP, BRIEF),
        calendar: str = "",
    ) -> "TradingDay":
        """One that is not started, at that time of the day."""
        (folder / "calendar.toml").write_text(f"known_years = [2026, 2027]\n{calendar}")
        house = cls(folder, members=members, sessions="exchange")
        house.environment["CLOCK_FILE"] = str(folder / "clock")
        house.set(clock)
        return house

    @property
    def wall(self) -> datetime:
        """The time by the clocks of the house."""
        return datetime.now(IST) + self.off

    def set(self, clock: str, day: str = DAY) -> None:
        """Let it be that second of the day, or the beginning of the next."""
        eventually(lambda: datetime.now(IST).microsecond < 100_000)
        wanted = IST.localize(datetime.fromisoformat(f"{day} {clock}"))
        seconds = round((wanted - datetime.now(IST).replace(microsecond=0)).total_seconds())
        self.off = timedelta(seconds=seconds)
        self.control.clock(offset_seconds=seconds)
        bend(self.folder / "clock", seconds)

    def arrived(self, order_id: str, member: Member) -> datetime:
        """When the copy's only order was placed, by the broker's clock in whole seconds."""
        made = str(self.waits(order_id, member)["createTime"])
        local: datetime = IST.localize(datetime.fromisoformat(made))
        return local

    def reason(self, order_id: str, member: Member, state: str, words: str = "") -> str:
        """Why the copy is what it is, once it is in that state and says so."""

        def found() -> str:
            rows = self.ask("copies", "--order", order_id, "--follower", member.name)
            said = [str(row["reason"]) for row in rows if row["state"] == state]
            return next((one for one in said if words in one), "")

        return eventually(found, why=f"{member.name} is not {state}: {words}", every=0.05)
