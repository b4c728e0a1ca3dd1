"""The instrument master: a stream of rows, of which a bad one costs no other."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from dhan.master import MasterError, read
from domain.instruments import Instrument, InstrumentKey, OptionType, Segment
from tests.dhan.broker import Asked, Broker, answer

COLUMNS = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SYMBOL,SYMBOL_NAME,LOT_SIZE,"
    "SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,SM_UPPER_LIMIT,SM_LOWER_LIMIT,SM_FREEZE_QTY,"
)
OPTION = (
    "NSE,D,35070,NA,OPTIDX,NIFTY,NIFTY-Nov2026-18950-CE,65.0,"
    "2026-11-23,18950.00000,CE,5.0000,4500.4000,3369.3000,1756,"
)
EQUITY = "NSE,E,35070,INE,EQUITY,X,X,1.0,0001-01-01,,XX,5.0,0,0,0,"
FUTURE = "MCX,M,60001,NA,FUTCOM,GOLDM,GOLDM-FUT,10.0,2026-12-04,-0.01000,XX,100.0,0,0,-1,"


def written(tmp_path: Path, *rows: str, columns: str = COLUMNS) -> str:
    path = tmp_path / "master.csv"
    path.write_text("\n".join((columns, *rows, "")))
    return str(path)


def only(tmp_path: Path, row: str) -> Instrument:
    (instrument,) = read(written(tmp_path, row), 1.0)
    assert instrument is not None
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
        expiry=date(2026, 11, 23),
        strike=1_895_000,
        option_type=OptionType.CALL,
    )


def test_what_is_no_option_has_no_strike_and_what_never_ends_no_expiry(tmp_path: Path) -> None:
    share, future = only(tmp_path, EQUITY), only(tmp_path, FUTURE)
    assert (share.expiry, share.strike, share.option_type) == (None, None, None)
    assert (future.expiry, future.strike, future.option_type) == (date(2026, 12, 4), None, None)
    assert only(tmp_path, OPTION.replace(",CE,", ",PE,")).option_type is OptionType.PUT


@pytest.mark.parametrize("expiry", ["", "NA", "soon", "2026-13-45", "0001-01-01 00:00:00"])
def test_an_expiry_that_is_no_date_costs_nothing_else(tmp_path: Path, expiry: str) -> None:
    found = only(tmp_path, OPTION.replace("2026-11-23", expiry))
    assert (found.expiry, found.lot) == (None, 65)


def test_an_expiry_may_have_a_time(tmp_path: Path) -> None:
    found = only(tmp_path, OPTION.replace("2026-11-23", "2026-11-23 14:30:00"))
    assert found.expiry == date(2026, 11, 23)


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
    found = [one.key for one in read(written(tmp_path, OPTION, EQUITY), 1.0) if one]
    assert found == [
        InstrumentKey(Segment.NSE_FNO, "35070"),
        InstrumentKey(Segment.NSE_EQ, "35070"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "NSE",
        '"' + OPTION,
        OPTION.replace("NIFTY-", '"NIFTY-'),
        "x" * 200_000,
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
def test_a_bad_row_costs_no_other_and_is_counted(tmp_path: Path, bad: str) -> None:
    good = OPTION.replace("35070", "2")
    found = list(read(written(tmp_path, bad, good), 1.0))
    assert found[-1] is not None
    assert found[-1].key.security_id == "2"
    assert found[:-1] == [None] * len(found[:-1])
    assert len(found) >= 2


def test_odd_bytes_cost_one_row_at_most(tmp_path: Path) -> None:
    path = tmp_path / "master.csv"
    odd = OPTION.replace("35070", "1").encode().replace(b"65.0", b"\xff\xfe")
    good = OPTION.replace("35070", "2").encode().replace(b"18950-CE", b"\xe9")
    path.write_bytes(b"\xef\xbb\xbf" + COLUMNS.encode() + b"\r\n" + odd + b"\r\n\r\n" + good)
    bad, found = read(str(path), 1.0)
    assert bad is None
    assert found is not None
    assert found.key.security_id == "2"


def test_a_file_that_is_no_master_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match="no column LOT_SIZE"):
        list(read(written(tmp_path, columns=COLUMNS.replace("LOT_SIZE,", "")), 1.0))
    for content in (b"", b"<html>404</html>", b"\xff\xfe\x00", b"\x00", COLUMNS.encode()):
        (tmp_path / "odd").write_bytes(content)
        with pytest.raises(MasterError):
            list(read(str(tmp_path / "odd"), 1.0))
    with pytest.raises(MasterError, match="FileNotFoundError"):
        list(read(str(tmp_path / "none"), 1.0))


def test_a_master_from_an_address() -> None:
    content = f"{COLUMNS}\n{OPTION}\n"
    with Broker(lambda asked: answer(content)) as broker:
        (found,) = read(broker.url + "/master.csv", 5.0)
    assert found is not None
    assert found.key == InstrumentKey(Segment.NSE_FNO, "35070")


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
        list(read(broker.url + "/master.csv", 5.0))


def test_an_address_that_never_answers_is_given_up() -> None:
    with Broker(lambda asked: None) as broker, pytest.raises(MasterError, match="Timeout"):
        list(read(broker.url + "/master.csv", 0.2))


def test_a_master_that_is_cut_short_is_none() -> None:
    """Half a master is worse than none: what is missing would look unknown."""
    content = (f"{COLUMNS}\n" + f"{OPTION}\n" * 100).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content) + 500}\r\n\r\n".encode()
    with Broker(_last(head + content)) as broker, pytest.raises(MasterError, match="early"):
        list(read(broker.url + "/master.csv", 5.0))


def test_a_master_whose_last_row_is_not_whole_is_cut_short(tmp_path: Path) -> None:
    """Where nobody says how long it is: the trailing comma of a row is its end."""
    whole = written(tmp_path, OPTION, EQUITY)
    content = Path(whole).read_text().rstrip()
    for cut in (1, 2, 30):
        Path(whole).write_text(content[:-cut])
        with pytest.raises(MasterError, match="last row is not whole"):
            list(read(whole, 1.0))
    Path(whole).write_text(content)
    assert len(list(read(whole, 1.0))) == 2
