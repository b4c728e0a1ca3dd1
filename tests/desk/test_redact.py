"""Secrets are hidden in every text, known ones in every spelling, and nothing else is."""

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desk import redact
from desk.redact import HIDDEN, know, scrub, suspect

JWT = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkaGFuIiwiZXhwIjoxNzk1NjAwMDAwfQ."
    "kq3H-Gq_4m0yJ0vT9l2"
)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (JWT, HIDDEN),
        (f"refused: {JWT}.", f"refused: {HIDDEN}."),
        (f"access-token:{JWT}\r\n", f"access-token:{HIDDEN}\r\n"),
        (JWT[:60], HIDDEN),
        ("/app/token?dhanClientId=1&pin=1234&totp=123456", None),
        ("PIN=1234", f"PIN={HIDDEN}"),
        ("http://127.0.0.1/?tokenId=abc-1 after", f"http://127.0.0.1/?tokenId={HIDDEN} after"),
        ("{'tokenId': 'abc-1'}", f"{{'tokenId': '{HIDDEN}'}}"),
        ("totp=123456'", f"totp={HIDDEN}'"),
        ('{"Token": "short", "MsgCode": 42}', f'{{"Token": "{HIDDEN}", "MsgCode": 42}}'),
        ("{'access-token': 'short', 'a': 1}", f"{{'access-token': '{HIDDEN}', 'a': 1}}"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str | None) -> None:
    expected = hidden or f"/app/token?dhanClientId=1&pin={HIDDEN}&totp={HIDDEN}"
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Dhan does not take the leader's token: Invalid Token",
        "mapping=12 spin=3 shipping=4",
        "order 112111182198 of RELIANCE at 2489.50, keyJ and eyJ",
        "token: env:LEADER_TOKEN",
        'leader.token: is missing (allowed: "env:NAME", "file:PATH", or the token itself)',
    ],
)
def test_plain_words_and_numbers_stay(text: str) -> None:
    assert scrub(text) == text


def test_a_known_pin_is_hidden_as_a_word_but_not_within_numbers() -> None:
    know("739164")
    assert scrub("pin 739164, order 1739164220 at 739164.5") == (
        f"pin {HIDDEN}, order 1739164220 at {HIDDEN}.5"
    )


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made a secret here, some of it ordinary words, is none for other tests."""
    monkeypatch.setattr(redact, "_known", redact._Known())


# No brackets, so that no secret can be read out of what stands for one; no blanks, which no
# token has.
LETTERS = st.characters(
    min_codepoint=33, max_codepoint=0x24F, exclude_characters="[]", exclude_categories=["Zs", "Cc"]
)


@settings(deadline=None, max_examples=200)
@given(
    secret=st.text(LETTERS, min_size=8, max_size=40),
    before=st.text(max_size=10),
    after=st.text(max_size=10),
)
@example(secret="a.b*c(d)[e]\\f", before="", after="")
@example(secret='quo"ted+and/odd', before="x", after="y")
def test_a_known_secret_is_hidden_in_every_spelling(secret: str, before: str, after: str) -> None:
    know(secret)
    for spelt in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert secret not in scrub(before + spelt + after)
        assert spelt not in scrub(f"{before} {spelt} {after}")


def test_a_secret_that_contains_another_is_hidden_whole() -> None:
    know("inner-secret")
    know("outer-inner-secret-outer")
    assert scrub("<outer-inner-secret-outer>") == f"<{HIDDEN}>"
    assert scrub("<inner-secret>") == f"<{HIDDEN}>"


_WORDS = (JWT, "pin=", "totp=1", "PIN=7", "739164", "spin", "=", ":", "n", " ", "order 1739164220")
_IN_QUOTES = ('"token": "short"', "'Secret' : 'x'", '"access-token"\n:\t"y"', 'a"b\\c\u00e9')
_ESCAPES = ("\n", "\t", '"', "\\", "\u2028", "\x1f")


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from((*_WORDS, *_IN_QUOTES, *_ESCAPES)), max_size=6))
def test_whoever_may_be_hidden_is_suspect_in_a_line_of_json(pieces: list[str]) -> None:
    know("739164")
    know('a"b\\c\u00e9')
    text = "".join(pieces)
    line = json.dumps({"message": text}, ensure_ascii=False)
    assert suspect(line) or scrub(text) == text


_LETTERS = st.sampled_from(
    (*"ptoitneksrcu=:'\" \\", "\u017f", "\u0131", "\u212a", "eyJ", "PIN", "token")
)


@given(st.lists(_LETTERS, max_size=24).map("".join))
@example("p\u0131n=1234")
@example("\u017fecret='x'")
@example("to\u212aenId=abc")
@settings(max_examples=500)
def test_the_quick_look_misses_nothing_that_an_expression_finds(text: str) -> None:
    assert bool(redact._SHAPES.search(text) or redact._SUSPECT.search(text)) <= redact._may_hold(
        text
    )


def test_a_line_about_an_order_is_not_suspect() -> None:
    assert not suspect('{"message": "place: accepted as 1739, token: env:LEADER_TOKEN"}')
