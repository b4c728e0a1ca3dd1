"""The instrument master: a stream of rows, of which a bad one costs no other."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from dhan.master import MasterError, load
from domain.instruments import Instrument, InstrumentKey, Segment
from tests.dhan.broker import Asked, Broker, answer

COLUMNS = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SYMBOL,SYMBOL_NAME,LOT_SIZE,TICK_SIZE,"
    "SM_UPPER_LIMIT,SM_LOWER_LIMIT,SM_FREEZE_QTY,"
)
OPTION = "NSE,D,35070,NA,OPTIDX,NIFTY,NIFTY-Nov2026-18950-CE,65.0,5.0000,4500.4000,3369.3000,1756,"


def written(tmp_path: Path, *rows: str, columns: str = COLUMNS) -> str:
    path = tmp_path / "master.csv"
    path.write_text("\n".join((columns, *rows, "")))
    return str(path)


def only(tmp_path: Path, row: str) -> Instrument:
    (instrument,) = load(written(tmp_path, row), 1.0).values()
    return instrument


def test_a_row(tmp_path: Path) -> None:
    assert only(tmp_path, OPTION) == Instrument(
        key=InstrumentKey(Segment.NSE_FNO, "35070"),
        lot=65,
        tick=5,
        symbol="NIFTY-Nov2026-18950-CE",
        underlying="NIFTY",
        kind="OPTIDX",
        freeze=1756,
        upper=450_040,
        lower=336_930,
    )


@pytest.mark.parametrize(
    ("tick", "paise"), [("5.0000", 5), ("1", 1), ("0.2500", 1), ("2.5", 3), ("100.0", 100)]
)
def test_ticks_are_in_paise_and_a_part_of_one_counts_as_a_whole(
    tmp_path: Path, tick: str, paise: int
) -> None:
    assert only(tmp_path, OPTION.replace("5.0000", tick)).tick == paise


@pytest.mark.parametrize("freeze", ["-1", "-0.01", "0", "0.0", "", "1"])
def test_no_freeze_quantity_and_no_circuit_limits(tmp_path: Path, freeze: str) -> None:
    row = OPTION.replace("1756", freeze).replace("4500.4000,3369.3000", "0.0000,-1.00")
    found = only(tmp_path, row)
    assert (found.freeze, found.upper, found.lower) == (None, None, None)


def test_a_security_id_is_one_instrument_in_each_segment(tmp_path: Path) -> None:
    equity = "NSE,E,35070,INE,EQUITY,X,X,1.0,5.0,0,0,0,"
    found = load(written(tmp_path, OPTION, equity), 1.0)
    assert {key.segment for key in found} == {Segment.NSE_FNO, Segment.NSE_EQ}
    assert len(found) == 2


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "NSE",
        OPTION.replace("NSE,D", "NYSE,D"),
        OPTION.replace("NSE,D", "NSE,X"),
        OPTION.replace("35070", ""),
        OPTION.replace("65.0", "0"),
        OPTION.replace("65.0", "x"),
        OPTION.replace("65.0", "1.5"),
        OPTION.replace("5.0000", "NaN"),
        OPTION.replace("1756", "1e400000000"),
        OPTION.replace("4500.4000", "Infinity"),
    ],
)
def test_a_bad_row_costs_no_other_and_is_counted(
    tmp_path: Path, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = OPTION.replace("35070", "2")
    with caplog.at_level(logging.WARNING):
        found = load(written(tmp_path, bad, good), 1.0)
    assert [key.security_id for key in found] == ["2"]
    if bad:
        assert "1 rows of the instrument master were left out" in caplog.text


def test_a_file_that_is_no_master_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match="no column LOT_SIZE"):
        load(written(tmp_path, columns=COLUMNS.replace("LOT_SIZE,", "")), 1.0)
    for content in (b"", b"<html>404</html>", b"\xff\xfe\x00", b"\x00", COLUMNS.encode()):
        (tmp_path / "odd").write_bytes(content)
        with pytest.raises(MasterError):
            load(str(tmp_path / "odd"), 1.0)
    with pytest.raises(MasterError, match="FileNotFoundError"):
        load(str(tmp_path / "none"), 1.0)


def test_a_master_from_an_address() -> None:
    content = f"{COLUMNS}\n{OPTION}\n"
    with Broker(lambda asked: answer(content)) as broker:
        (found,) = load(broker.url + "/master.csv", 5.0)
    assert found == InstrumentKey(Segment.NSE_FNO, "35070")


def _last(written: bytes) -> Callable[[Asked], None]:
    """Sends these bytes and ends the connection."""

    def act(asked: Asked) -> None:
        asked.peer.send(written)
        asked.peer.close()

    return act


@pytest.mark.parametrize(
    "spoilt",
    [
        answer("<html>", "404 Not Found"),
        answer("<html>", "503 Service Unavailable"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nEXCH_ID",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_an_address_that_has_no_master(spoilt: bytes) -> None:
    with Broker(_last(spoilt)) as broker, pytest.raises(MasterError):
        load(broker.url + "/master.csv", 5.0)


def test_an_address_that_never_answers_is_given_up() -> None:
    with Broker(lambda asked: None) as broker, pytest.raises(MasterError, match="Timeout"):
        load(broker.url + "/master.csv", 0.2)


def test_a_master_that_is_cut_short_is_none() -> None:
    """Half a master is worse than none: what is missing would look unknown."""
    content = (f"{COLUMNS}\n" + f"{OPTION}\n" * 100).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content) + 500}\r\n\r\n".encode()
    with Broker(_last(head + content)) as broker, pytest.raises(MasterError, match="early"):
        load(broker.url + "/master.csv", 5.0)
