"""`audit` as its user runs it, on a ledger without an engine."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.outcomes import Refusal, Refused
from ledger.entries import ReadsMade
from ledger.ledger import Ledger
from tests.desk.files import run, written
from tests.ledger.makers import NOW, answered, cancel, intent

_TOKEN = "eyJhbGciOiJIUzUxMiJ9.c2VjcmV0LXRva2VuLXRoYXQtbmV2ZXItc2hvd3M.c2lnbmF0dXJl"
_MADE = {"client_id": "1000000002", "request": "GET /orders", "status": 200, "error": ""}
_READS = ReadsMade(NOW, **_MADE, times=3, took_us=90_000, longest_us=40_000, waited_us=3)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which asha was refused and ravi withdrew an hour later (09:30 and 10:30 IST)."""
    folder = tmp_path_factory.mktemp("desk")
    refused = replace(intent(), waited=timedelta(milliseconds=250))
    withdrawn = intent(cancel(), follower="ravi", at=NOW + timedelta(hours=1))
    said = Refusal(Refused.OTHER, f"Bearer {_TOKEN} is odd", "DH-906", 400)
    with Ledger.open(folder / "copy_trading.db") as ledger:
        ledger.commit([refused, answered(refused, said), withdrawn, _READS])
    return written(folder)


def test_requests_and_reads_are_listed_in_their_order(config: Path) -> None:
    done = run("audit", "--since", "2026-11-25", "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(one["follower"], one["request"].split()[0]) for one in told] == [
        ("asha", "place"),
        ("asha", "GET"),
        ("ravi", "cancel"),
    ]
    assert (told[0]["permit_wait_us"], told[0]["http_status"]) == (250_000, 400)
    assert (told[1]["times"], told[1]["duration_us"]) == (3, 30_000)
    assert told[2]["outcome"] is None
    assert _TOKEN not in done.stdout


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--since", "2026-11-25"), ["asha", "asha", "ravi"]),
        (("--since", "2026-11-25T10:00"), ["ravi"]),
        (("--since", "2026-11-25", "--until", "2026-11-25T10:00"), ["asha", "asha"]),
        (("--since", "2026-11-25", "--follower", "asha"), ["asha", "asha"]),
        (("--since", "2026-11-25", "--follower", "leader"), []),
    ],
)
def test_it_is_asked_for_by_time_and_follower(
    config: Path, words: tuple[str, ...], shown: list[str]
) -> None:
    done = run("audit", *words, "--config", str(config))
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [name for row in rows for name in row if name in ("asha", "ravi")] == shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--since", "2026-11-25", "--follower", "asah"), "did you mean asha?"),
        (("--since", "ten"), "--since wants 10:00"),
    ],
)
def test_what_makes_no_sense_is_refused(config: Path, words: tuple[str, ...], why: str) -> None:
    done = run("audit", *words, "--config", str(config))
    assert done.returncode == 2
    assert why in done.stderr
