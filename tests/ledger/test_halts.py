"""The operator's words on followers: left beside the ledger, taken once, kept until released."""

from datetime import timedelta
from pathlib import Path

from domain.halts import HaltAsked, HaltNoted, Word, squared_off
from domain.limits import Limits
from domain.rules import Rules
from ledger.halts import halt, in_force_next, standing_halt, waiting_halts
from ledger.instructions import ask_halt, take_over
from ledger.ledger import Ledger
from ledger.memory import Memory
from ledger.reader import Reader
from tests.ledger.makers import NOW
from tests.ledger.words import left


def asks(path: Path, word: Word) -> HaltAsked:
    return ask_halt(path, "asha", word, "meera", NOW)


def taken(ledger: Ledger, path: Path, word: Word, outcome: str = "taken") -> HaltAsked:
    asked = asks(path, word)
    take_over(ledger)
    ledger.commit([HaltNoted(asked, outcome, NOW)])
    return asked


def test_a_word_is_taken_in_once_and_waits_until_the_follower_took_it(
    ledger: Ledger, path: Path
) -> None:
    asked = asks(path, Word.FLATTEN)
    (file,) = left(path)
    kept = file.read_text()
    with Reader.open(path) as reader:
        assert in_force_next(reader, "asha") == asked
        assert in_force_next(reader, "ravi") is None
    take_over(ledger)
    file.write_text(kept)
    take_over(ledger)
    assert left(path) == []
    assert waiting_halts(ledger) == [asked]
    assert standing_halt(ledger, "asha") is None
    ledger.commit([HaltNoted(asked, "taken", NOW + timedelta(seconds=1))])
    assert waiting_halts(ledger) == []
    kept_now = halt(ledger, asked.key)
    assert kept_now is not None
    assert (kept_now.asked, kept_now.outcome, kept_now.done) == (asked, "taken", False)


def test_what_was_taken_is_told_to_the_next_start_with_how_far_it_came(
    ledger: Ledger, path: Path
) -> None:
    assert Memory(ledger).restored("asha", NOW).halt is None
    kill = taken(ledger, path, Word.KILL)
    taken(ledger, path, Word.HALT)
    restored = Memory(ledger).restored("asha", NOW)
    assert (restored.halt, restored.halt_done) == (kill, False)
    ledger.commit([HaltNoted(kill, "set", NOW, done=True)])
    restored = Memory(ledger).restored("asha", NOW)
    assert (restored.halt, restored.halt_done) == (kill, True)
    taken(ledger, path, Word.RELEASE)
    assert Memory(ledger).restored("asha", NOW).halt is None
    again = taken(ledger, path, Word.HALT)
    assert Memory(ledger).restored("asha", NOW).halt == again


def test_what_a_rule_asks_for_again_is_kept_once_also_after_a_release(
    ledger: Ledger, path: Path
) -> None:
    rules = Rules("asha", limits=Limits(day_loss=500_000, square_off=True))
    first, again = squared_off(rules, 510_000, NOW), squared_off(rules, 700_000, NOW)
    tomorrow = squared_off(rules, 500_000, NOW + timedelta(days=1))
    assert first is not None
    assert again is not None
    assert tomorrow is not None
    ledger.commit([first])
    ledger.commit([again])
    assert waiting_halts(ledger) == [first]
    ledger.commit([HaltNoted(first, "taken", NOW), again])
    assert waiting_halts(ledger) == []
    assert Memory(ledger).restored("asha", NOW).halt == first
    taken(ledger, path, Word.RELEASE)
    ledger.commit([again])
    assert waiting_halts(ledger) == []
    assert Memory(ledger).restored("asha", NOW).halt is None
    ledger.commit([tomorrow])
    assert waiting_halts(ledger) == [tomorrow]


def test_what_was_in_force_is_known_for_any_instant(ledger: Ledger, path: Path) -> None:
    asked = []
    for number, word in enumerate((Word.HALT, Word.FLATTEN, Word.RELEASE)):
        asked.append(asks(path, word))
        take_over(ledger)
        ledger.commit([HaltNoted(asked[-1], "taken", NOW + timedelta(seconds=number))])
    found = [standing_halt(ledger, "asha", NOW + timedelta(seconds=at)) for at in range(-1, 3)]
    assert [kept and kept.asked for kept in found] == [None, asked[0], asked[1], None]


def test_a_ledger_of_an_older_version_knows_of_no_halts(ledger: Ledger, path: Path) -> None:
    taken(ledger, path, Word.HALT)
    ledger.connection.execute("DROP TABLE halts")
    with Reader.open(path) as reader:
        assert standing_halt(reader, "asha") is None
        assert waiting_halts(reader) == []
