"""calendar.toml: what it may say, what is said of what it may not, and edits while it is in use."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from desk import calendar
from desk.calendar import CalendarWatch, load, parse
from desk.config import ConfigError
from desk.config import load as load_config
from domain.calendars import Calendar
from domain.exchanges import exchanges
from domain.instruments import Segment
from domain.sessions import IST
from tests.desk.files import GOOD, LOCAL, run, written
from tests.scenarios.house import HALF, RELIANCE, House
from tests.waiting import eventually

MUHURAT = """\
[[session]]
segments = ["NSE_EQ", "NSE_FNO"]
from = 2026-11-08T18:00:00+05:30
to   = 2026-11-08T19:00:00+05:30
why  = "Muhurat trading"
"""
MORNING = """\
[[closed]]
segments = ["MCX_COMM"]
from = 2026-12-24T09:00:00+05:30
to   = 2026-12-24T17:00:00+05:30
why  = "morning session"
"""
PATH = Path("calendar.toml")


def refused(text: str) -> dict[str, tuple[str, str]]:
    """What is wrong with it, and how to put it right, by where."""
    with pytest.raises(ConfigError) as wrong:
        parse(PATH, text.encode())
    return {one.where: (one.what, one.fix) for one in wrong.value.findings}


def test_sessions_and_closures_are_read() -> None:
    read = parse(PATH, f"known_years = [2027]\n{MUHURAT}{MORNING}".encode())
    session, closed = read.specials
    assert session.segments == {Segment.NSE_EQ, Segment.NSE_FNO}
    assert session.start == datetime(2026, 11, 8, 12, 30, tzinfo=UTC)
    assert session.end - session.start == timedelta(hours=1)
    assert (session.opens, session.why) == (True, "Muhurat trading")
    assert (closed.opens, closed.why) == (False, "morning session")
    assert read.years == {2026, 2027}


def test_nothing_in_it_is_the_exchanges_calendar() -> None:
    assert parse(PATH, b"# nothing yet\n") == exchanges()


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "fix"),
    [
        ("[[session]]", "[[sesion]]", "sesion", "is not a known key", "did you mean session?"),
        ("[[session]]", "[session]", "session", "is not a list of tables", "[[session]]"),
        ("why ", "because ", "session[0].because", "is not a known key", "from, to, why"),
        ('"NSE_FNO"', '"NSE_FO"', "session[0].segments[1]", "not a segment", 'mean "NSE_FNO"?'),
        ('"NSE_FNO"', "7", "session[0].segments[1]", "is not a segment", "BSE_EQ"),
        ('["NSE_EQ", "NSE_FNO"]', "[]", "session[0].segments", "not a list of segments", "NSE_EQ"),
        ('segments = ["NSE_EQ", "NSE_FNO"]', "", "session[0].segments", "is missing", "NSE_EQ"),
        ("from = 2026-11-08T18:00:00+05:30", "", "session[0].from", "is missing", "+05:30"),
        ("18:00:00+05:30", "18:00:00", "session[0].from", "instant in Indian time", "+05:30"),
        ("18:00:00+05:30", "18:00:00Z", "session[0].from", "instant in Indian time", "+05:30"),
        ("19:00:00+05:30", "19:00:00-05:00", "session[0].to", "instant in Indian", "+05:30"),
        ("2026-11-08T18:00:00+05:30", '"evening"', "session[0].from", "instant in", "+05:30"),
        ("2026-11-08T18:00:00+05:30", "2026-11-08", "session[0].from", "instant in", "+05:30"),
        ("T19:00", "T18:00", "session[0].to", "is not after from", "the later instant"),
        ("2026-11-08T19", "2026-12-18T19", "session[0].to", "more than 31 days", "correct"),
        ('"Muhurat trading"', "7", "session[0].why", "is not text in quotes", "a circular"),
        ("[[session]]", "known_years = 2027\n[[session]]", "known_years", "a list of", "[2027]"),
        ("[[session]]", "known_years = [27]\n[[session]]", "known_years", "a list of", "[2027]"),
        ("why  =", "why", "calendar.toml", "is not TOML", "put this line right"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_the_remedy(
    old: str, new: str, where: str, what: str, fix: str
) -> None:
    assert old in MUHURAT
    found = refused(MUHURAT.replace(old, new, 1))
    assert where in found
    assert what in found[where][0]
    assert fix in found[where][1]


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = MUHURAT.replace("NSE_EQ", "NSE") + MORNING.replace("T17", "T07")
    assert set(refused(text)) == {"session[0].segments[0]", "closed[0].to"}


def test_closures_that_leave_nothing_are_refused() -> None:
    day = datetime(2026, 12, 1, tzinfo=UTC).astimezone(IST)
    entries = []
    for _ in range(14):
        later = day + timedelta(days=31)
        entries.append(
            f'[[closed]]\nsegments = ["NSE_FNO"]\nfrom = {day.isoformat()}\n'
            f"to = {later.isoformat()}\n"
        )
        day = later
    found = refused("".join(entries))
    assert found["closed"][0] == "leaves NSE_FNO without any session for a year"


# Edits


class Watched:
    """The file in use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.watch = CalendarWatch(path, load(path))

    def polled(self) -> list[Calendar | ConfigError]:
        """What comes of a few looks."""
        return [found for _ in range(4) if (found := self.watch.poll()) is not None]

    def write(self, text: str) -> list[Calendar | ConfigError]:
        self.path.write_text(text)
        return self.polled()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "calendar.toml")


def test_an_edit_is_taken_once(watched: Watched) -> None:
    assert watched.polled() == []
    (taken,) = watched.write(MUHURAT)
    assert taken == parse(PATH, MUHURAT.encode())
    assert watched.polled() == []
    assert watched.write(f"# the same\n{MUHURAT}") == []
    (taken,) = watched.write(MUHURAT + MORNING)
    assert isinstance(taken, Calendar)
    assert len(taken.specials) == 2


def test_an_edit_before_the_first_look_is_taken_too(watched: Watched) -> None:
    (taken,) = watched.write(MUHURAT)
    assert isinstance(taken, Calendar)


def test_a_bad_edit_is_said_once_and_the_mended_one_taken(watched: Watched) -> None:
    watched.write(MUHURAT)
    (wrong,) = watched.write(MUHURAT.replace("NSE_EQ", "NSE"))
    assert isinstance(wrong, ConfigError)
    assert "session[0].segments[0]: is not a segment" in str(wrong)
    assert watched.polled() == []
    (taken,) = watched.write(MUHURAT)
    assert isinstance(taken, Calendar), "it counts again, and that is said"


def test_a_file_in_the_middle_of_being_written_is_not_believed(watched: Watched) -> None:
    watched.polled()
    watched.path.write_text(MUHURAT[:20])
    assert watched.watch.poll() is None
    (taken,) = watched.write(MUHURAT)
    assert isinstance(taken, Calendar)


def test_without_the_file_the_exchanges_calendar_counts_again(watched: Watched) -> None:
    watched.write(MUHURAT)
    watched.path.unlink()
    assert watched.polled() == [exchanges()]
    assert watched.polled() == []


# What the desk says


def rows(folder: Path, at: str) -> dict[str, dict[str, Any]]:
    done = run("clock", "--json", "--at", at, "--config", str(folder / "lockstep.toml"))
    assert done.returncode == 0, done.stderr
    return {row["segment"]: row for row in json.loads(done.stdout)}


def test_s6_5_the_clock_tells_what_comes_from_calendar_toml(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "calendar.toml").write_text(MUHURAT + MORNING)
    told = rows(tmp_path, "2026-11-08T18:00:00+05:30")
    fno = told["NSE_FNO"]
    assert (fno["phase"], fno["open"], fno["next_phase"]) == ("open", True, "closed")
    assert fno["next_at"] == "2026-11-08T19:00:00+05:30"
    assert fno["calendar"] == [
        {
            "kind": "session",
            "from": "2026-11-08T18:00:00+05:30",
            "to": "2026-11-08T19:00:00+05:30",
            "why": "Muhurat trading",
        }
    ]
    assert fno["next_year_known"] is False
    assert [one["kind"] for one in told["MCX_COMM"]["calendar"]] == ["closed"]
    assert told["BSE_EQ"]["open"] is False
    assert told["BSE_EQ"]["calendar"] == []
    assert rows(tmp_path, "2026-11-09T10:00:00+05:30")["NSE_FNO"]["calendar"] == []


def test_the_clock_tells_parts_of_a_segment_with_other_hours(tmp_path: Path) -> None:
    written(tmp_path)
    told = rows(tmp_path, "2026-11-25T18:00:00+05:30")
    others = {one["traded"]: one for one in told["MCX_COMM"]["others"]}
    assert told["MCX_COMM"]["open"] is True
    assert others["cotton, crude palm oil, kapas"]["next_at"] == "2026-11-25T21:00:00+05:30"
    assert others["other agricultural"]["phase"] == "closed"
    assert [one["traded"] for one in told["NSE_EQ"]["others"]] == ["shares without derivatives"]
    assert told["NSE_FNO"]["others"] == []


def test_the_clock_for_people_shows_the_same(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "calendar.toml").write_text(f"known_years = [2027]\n{MUHURAT}")
    done = run("clock", "--at", "2026-11-08T10:00:00+05:30", "--config", str(path))
    assert "Sun 2026-11-08 18:00:00" in done.stdout
    assert "Muhurat trading" in done.stdout
    assert "Holidays are known of 2026, 2027" in done.stdout


def test_a_bad_calendar_stops_the_clock_and_a_start(tmp_path: Path) -> None:
    path = written(tmp_path, LOCAL + GOOD)
    (tmp_path / "calendar.toml").write_text(MUHURAT.replace("NSE_EQ", "NSE"))
    for words in (["clock"], []):
        done = run(*words, "--config", str(path))
        assert done.returncode == 2, done.stderr
        assert "session[0].segments[0]: is not a segment (did you mean" in done.stderr


def found(folder: Path, more: str = "") -> Iterator[tuple[str, str]]:
    """What `check` says of the calendar in that folder."""
    config = load_config(written(folder, GOOD + more))
    for one in (*config.warnings, *calendar.findings(config)):
        if "calendar" in one.where or one.where.startswith("session"):
            yield one.level.value, one.what


def test_check_warns_of_a_year_without_holidays_from_november_on(tmp_path: Path) -> None:
    lacking = ("warning", "the holidays of 2027 are not known: its weekdays count as trading days")
    with freeze_time("2026-10-31T18:29:59Z"):
        assert list(found(tmp_path)) == []
    with freeze_time("2026-10-31T18:30:00Z"):
        assert list(found(tmp_path)) == [lacking]
    with freeze_time("2026-11-30T06:00:00Z"):
        assert list(found(tmp_path)) == [lacking]
        (tmp_path / "calendar.toml").write_text("known_years = [2027]\n")
        assert list(found(tmp_path)) == []


def test_check_says_what_is_wrong_with_the_calendar(tmp_path: Path) -> None:
    (tmp_path / "calendar.toml").write_text(MUHURAT.replace("T19", "T17"))
    assert ("error", "is not after from") in list(found(tmp_path))


def test_a_calendar_that_is_named_and_not_there_is_said(tmp_path: Path) -> None:
    with freeze_time("2026-10-01T06:00:00Z"):
        named = list(found(tmp_path, '[clock]\ncalendar = "special.toml"\n'))
    assert named == [
        ("warning", "there is no such file: the exchanges' own hours and holidays count")
    ]


# A live process


def entry(table: str, off: timedelta = timedelta(0)) -> str:
    """A session or closure of cash, two hours around now."""
    start = datetime.now(IST) - timedelta(hours=1) + off
    ends = (start, start + timedelta(hours=2))
    since, until = (f"{one:%Y-%m-%dT%H:%M:%S}+05:30" for one in ends)
    return f'[[{table}]]\nsegments = ["NSE_EQ"]\nfrom = {since}\nto = {until}\n'


@pytest.mark.scenario("6.5")
@pytest.mark.scenario("6.6")
def test_a_live_process_goes_by_the_calendar_as_it_is_edited(tmp_path: Path) -> None:
    """Trading is halted, resumes with an edit, and a bad edit changes nothing."""
    file = tmp_path / "calendar.toml"
    file.write_text(entry("closed"))
    house = House(tmp_path, members=(HALF,), by_hand=True)
    try:
        house.config.write_text(house.config.read_text().replace('"always"', '"exchange"'))
        house.start()
        order = house.places(RELIANCE, "BUY", 100, price=2490)
        eventually(lambda: _state(house, order) == "held", 10, "it is not held")
        assert house.orders(order, HALF) == []
        file.write_text(entry("session"))
        eventually(lambda: _state(house, order) == "open", 10, "it is not sent")
        lack = next(calendar.lacking(exchanges(), datetime.now(IST)), None)
        assert ("are not known: its weekdays count" in house.output()) is (lack is not None)
        assert "The edited calendar has 1 special sessions and closures" in house.output()
        file.write_text("[[session]]\nsegments = []\n")
        said = "session[0].segments: is not a list of segments"
        eventually(lambda: said in house.output(), 10, "the bad edit is not said")
        assert "The calendar of before stays in force" in house.output()
        again = house.places(RELIANCE, "BUY", 100, price=2480)
        eventually(lambda: _state(house, again) == "open", 10, "the calendar of before is gone")
    finally:
        house.close()


def _state(house: House, order: str) -> str:
    return next((row["state"] for row in house.ask("copies", "--order", order)), "")
