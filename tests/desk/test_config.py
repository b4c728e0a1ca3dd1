"""lockstep.toml becomes settings: every key of the contract, its default and its bounds."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from desk.config import Config, ConfigError, load, parse
from domain.hours import always
from domain.instruments import Segment
from domain.messages import Level
from domain.orders import Product, Side
from domain.permits import DHAN_ORDERS, Window
from domain.protection import Protection
from domain.rules import FailedLeg, WhenClosed
from domain.sizes import Bounds, CapitalShare, Entry, RiskShare, Share
from domain.sizing import Fixed, Multiplier, Rounding
from tests.desk.files import GOOD, written

LEADER = '[leader]\nclient_id = "1000000001"\ntoken = "env:LEADER"\n'
LOOPBACK = """
[dhan]
api_url = "http://127.0.0.1:8000/v2"
auth_url = "http://localhost:8000"
feed_url = "ws://[::1]:8001"
master_url = "http://127.9.9.9/master.csv"
"""


def config(text: str) -> Config:
    return parse(Path("/etc/lockstep/lockstep.toml"), text.encode())


def follower(*lines: str) -> str:
    """The file of a leader and one follower with these lines in its table."""
    head = ("[[followers]]", 'name = "asha"', 'client_id = "1000000002"', 'token = "env:ASHA"')
    return LEADER + "\n".join([*head, *lines]) + "\n"


def refused(text: str) -> dict[str, str]:
    """Where the file is refused, and all that is said of it there."""
    with pytest.raises(ConfigError) as caught:
        config(text)
    return {found.where: f"{found.what}; {found.fix}" for found in caught.value.findings}


def test_the_defaults_are_dhans_production_and_the_contracts() -> None:
    made = config(LEADER)
    assert made.engine.leader.api_url == "https://api.dhan.co/v2"
    assert made.engine.leader_feed.url == "wss://api-order-update.dhan.co"
    assert made.auth_url == "https://auth.dhan.co"
    assert made.engine.master.startswith("https://images.dhan.co/api-data/")
    assert made.engine.master.endswith("-detailed.csv")
    assert made.engine.ledger == Path("/etc/lockstep/copy_trading.db")
    assert made.engine.sweep_seconds == 3
    assert not made.always_open
    assert not made.loopback
    assert made.followers == ()


def test_legs_are_grouped_within_two_seconds_and_none_is_held_unless_said() -> None:
    rules = config(follower()).followers[0].rules
    assert (rules.legs_window, rules.hold_sold_legs) == (timedelta(seconds=2), timedelta(0))
    said = "[legs]\nwindow_seconds = 0.5\n" + follower("hold_sold_legs_ms = 250")
    rules = config(said).followers[0].rules
    assert rules.legs_window == timedelta(seconds=0.5)
    assert rules.hold_sold_legs == timedelta(milliseconds=250)


@pytest.mark.parametrize(
    ("common", "own", "policy"),
    [
        ("", "", FailedLeg.TELL),
        ('failed_leg = "flatten"', "", FailedLeg.FLATTEN),
        ('failed_leg = "flatten"', 'failed_leg = "tell"', FailedLeg.TELL),
        ("", 'failed_leg = "flatten"', FailedLeg.FLATTEN),
    ],
)
def test_failed_legs_are_told_unless_said(common: str, own: str, policy: FailedLeg) -> None:
    said = config(f"[legs]\n{common}\n" + follower(own))
    assert said.followers[0].rules.failed_leg is policy


def test_legs_cannot_be_left_where_none_are_seen() -> None:
    unseen = "[legs]\nwindow_seconds = 0\n"
    found = refused(unseen + follower('failed_leg = "flatten"'))
    assert list(found) == ["followers[0].failed_leg"]
    assert found["followers[0].failed_leg"].startswith("knows of no legs; make legs.window_seconds")
    assert list(refused(unseen + 'failed_leg = "flatten"\n' + LEADER)) == ["legs.failed_leg"]


@pytest.mark.parametrize(
    ("common", "own", "squares_off"),
    [
        ("max_day_loss = 5000", "", False),
        ("max_day_loss = 5000", "square_off_on_day_loss = true", True),
        ("max_day_loss = 5000\nsquare_off_on_day_loss = true", "", True),
        (
            "max_day_loss = 5000\nsquare_off_on_day_loss = true",
            "square_off_on_day_loss = false",
            False,
        ),
        ("square_off_on_day_loss = true", "max_day_loss = 5000", True),
    ],
)
def test_a_day_is_squared_off_where_the_follower_or_all_say_so(
    common: str, own: str, squares_off: bool
) -> None:
    said = f"[limits]\n{common}\n" + follower(f"limits = {{ {own} }}")
    limits = config(said).followers[0].rules.limits
    assert (limits.day_loss, limits.square_off) == (500_000, squares_off)


@pytest.mark.parametrize(
    ("common", "own", "minutes"),
    [("", "", None), ("10", "", 10), ("10", "25", 25), ("", "0", 0)],
)
def test_intraday_entries_may_end_early_for_all_or_one(
    common: str, own: str, minutes: int | None
) -> None:
    key = "intraday_cutoff_minutes = {}"
    said = f"[limits]\n{key.format(common) if common else ''}\n"
    said += follower(f"limits = {{ {key.format(own) if own else ''} }}")
    assert config(said).followers[0].rules.limits.intraday_cutoff_minutes == minutes
    found = refused(LEADER + "[limits]\n" + key.format("361"))
    assert "whole minutes from 0 to 360" in found["limits.intraday_cutoff_minutes"]


@pytest.mark.parametrize("followers", [0, 1, 2])
def test_squaring_off_for_all_wants_a_loss_for_all(followers: int) -> None:
    said = "[limits]\nsquare_off_on_day_loss = true\n" + LEADER
    for number in range(followers):
        said += f'[[followers]]\nname = "f{number}"\nclient_id = "{number}"\ntoken = "env:A"\n'
    found = refused(said)
    assert list(found) == ["limits.square_off_on_day_loss"]


def test_a_follower_is_inverse_only_if_that_is_said() -> None:
    rules = [config(follower(*more)).followers[0].rules for more in ((), ("inverse = true",))]
    assert [one.inverse for one in rules] == [False, True]


def test_a_follower_has_what_is_said_for_all_unless_it_says_otherwise() -> None:
    common = """
    [recovery]
    sweep_seconds = 2
    max_age_seconds = 20
    settle_seconds = 12
    park_seconds = 60
    [limits]
    orders = { second = 8, day = 5000 }
    [protection]
    band_percent = 0.7
    chase_seconds = 5
    """
    plain = config(common + follower()).followers[0]
    assert plain.rules.max_age == timedelta(seconds=20)
    assert plain.rules.settle == timedelta(seconds=12)
    assert plain.rules.park_after == timedelta(seconds=72)
    assert plain.rules.protection == Protection(Fraction(7, 1000), 5.0, 2)
    assert plain.windows == (
        Window(1, 8),
        Window(60, 250),
        Window(3600, 1000),
        Window(86400, 5000),
    )
    assert plain.sweep_seconds == 2
    own = config(
        common
        + follower(
            "max_age_seconds = 0.5",
            "limits = { orders = { second = 3, minute = 100 } }",
            "protection = { band_percent = 2, chase_times = 0 }",
        )
    ).followers[0]
    assert own.rules.max_age == timedelta(milliseconds=500)
    assert own.rules.protection == Protection(Fraction(2, 100), 5.0, 0)
    assert [window.limit for window in own.windows] == [3, 100, 1000, 5000]
    reserved = "[limits]\norders = { reserve_percent = 12.5 }\n"
    own_reserve = follower("limits = { orders = { reserve_percent = 0, day = 9 } }")
    assert plain.reserve == Fraction(1, 10)
    assert config(reserved + follower()).followers[0].reserve == Fraction(1, 8)
    assert config(reserved + own_reserve).followers[0].reserve == 0


def test_a_follower_says_the_rest_for_itself() -> None:
    made = config(
        follower(
            "paused = true",
            'when_closed = "amo"',
            'products = { MARGIN = "INTRADAY", CNC = "MTF" }',
            'source_ip = "10.1.2.3"',
        )
    ).followers[0]
    assert made.paused
    assert made.rules.when_closed is WhenClosed.AMO
    assert made.rules.product(Product.MARGIN) is Product.INTRADAY
    assert made.rules.product(Product.CNC) is Product.MTF
    assert made.rules.product(Product.INTRADAY) is Product.INTRADAY
    assert made.address.source_ip == made.feed.source_ip == "10.1.2.3"
    plain = config(follower()).followers[0]
    assert plain.rules.when_closed is WhenClosed.HOLD
    assert plain.rules.sizing == Multiplier(Fraction(1))
    assert plain.windows == DHAN_ORDERS
    assert not plain.paused


@pytest.mark.parametrize(
    ("multiplier", "exact"),
    [
        ("0.1", Fraction(1, 10)),
        ("0.30000000000000004", Fraction(30000000000000004, 10**17)),
        ("2", Fraction(2)),
        ("1e-3", Fraction(1, 1000)),
        ("1_000.000", Fraction(1000)),
    ],
)
def test_a_multiplier_is_exact(multiplier: str, exact: Fraction) -> None:
    made = config(follower(f"sizing = {{ multiplier = {multiplier} }}"))
    assert made.followers[0].rules.sizing == Multiplier(exact)


@pytest.mark.parametrize(
    ("lines", "where", "said"),
    [
        ("sizing = { multiplier = 0 }", "followers[0].sizing.multiplier", "from 0.0001 to 1000"),
        ("sizing = { multiplier = -1 }", "followers[0].sizing.multiplier", "not allowed"),
        ("sizing = { multiplier = inf }", "followers[0].sizing.multiplier", "not a number"),
        ("sizing = { multiplier = nan }", "followers[0].sizing.multiplier", "not a number"),
        ("sizing = { multiplier = true }", "followers[0].sizing.multiplier", "not a number"),
        ('sizing = { multiplier = "2" }', "followers[0].sizing.multiplier", "not a number"),
        ("sizing = { multiplier = 1e-99999 }", "followers[0].sizing.multiplier", "not allowed"),
        ("sizing = {}", "followers[0].sizing", "says no size"),
        ("sizing = { lots = 1, quantity = 5 }", "followers[0].sizing", "quantity and lots"),
        ("sizing = { capital = false }", "followers[0].sizing.capital", "not allowed"),
        ("sizing = { lots = 0 }", "followers[0].sizing.lots", "not allowed"),
        ("sizing = { lots = 1, rounding = 'up' }", "followers[0].sizing.rounding", "one_lot"),
        ("sizing = { lots = 1, least = 9, most = 5 }", "followers[0].sizing.least", "above most"),
        ("overrides = [{ sizing = { lots = 1 } }]", "followers[0].overrides[0]", "everything"),
        (
            "overrides = [{ segments = ['NYSE'], sizing = { lots = 1 } }]",
            "followers[0].overrides[0].segments[0]",
            "not allowed",
        ),
        ("sizing = 2", "followers[0].sizing", "not a table"),
        ('when_closed = "skipp"', "followers[0].when_closed", 'did you mean "skip"'),
        ("paused = 1", "followers[0].paused", "true or false"),
        ('inverse = "yes"', "followers[0].inverse", "true or false"),
        ("max_age_seconds = 0", "followers[0].max_age_seconds", "above 0"),
        ('failed_leg = "flat"', "followers[0].failed_leg", '"tell" or "flatten"'),
        ("hold_sold_legs_ms = 10001", "followers[0].hold_sold_legs_ms", "from 0 to 10000"),
        (
            "max_age_seconds = 1\nhold_sold_legs_ms = 1000",
            "followers[0].hold_sold_legs_ms",
            "shorter than max_age_seconds",
        ),
        ("limits = { orders = { second = 0 } }", "followers[0].limits.orders.second", "from 1"),
        ("limits = { orders = { day = 1.5 } }", "followers[0].limits.orders.day", "whole number"),
        ("protection = { band_percent = 21 }", "followers[0].protection.band_percent", "most 20"),
        ('products = { MARGIN = "MARGN" }', "followers[0].products.MARGIN", "did you mean"),
        ('source_ip = "10.0.0"', "followers[0].source_ip", "not an IP address"),
        (
            "limits = { square_off_on_day_loss = true }",
            "followers[0].limits.square_off_on_day_loss",
            "has no max_day_loss to go by; write max_day_loss (rupees) beside it",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(lines: str, where: str, said: str) -> None:
    found = refused(follower(lines))
    assert list(found) == [where]
    assert said in found[where]


@pytest.mark.parametrize(
    ("table", "where", "said"),
    [
        ("[recovery]\nsweep_seconds = 0.1", "recovery.sweep_seconds", "from 0.2 to 60"),
        ("[recovery]\nsweep_seconds = 61", "recovery.sweep_seconds", "from 0.2 to 60"),
        ("[recovery]\npark_seconds = 0.5", "recovery.park_seconds", "from 1 to 3600"),
        ('[clock]\nsessions = "alway"', "clock.sessions", 'did you mean "always"'),
        ('[clock]\nsessions = "always"', "clock.sessions", "every address is on this host"),
        ('[ledger]\npath = ""', "ledger.path", "path of a file"),
        ("[ledger]\npath = 7", "ledger.path", "text in quotes"),
        ('[dhan]\napi_url = "http://api.dhan.co"', "dhan.api_url", "not encrypted"),
        ('[dhan]\napi_url = "wss://api.dhan.co"', "dhan.api_url", "right kind"),
        ('[dhan]\nfeed_url = "ws://10.0.0.1"', "dhan.feed_url", "not encrypted"),
        ('[dhan]\nfeed_url = "https://x.co"', "dhan.feed_url", "right kind"),
        ('[dhan]\nmaster_url = "http://x.co/m.csv"', "dhan.master_url", "not encrypted"),
        ('[dhan]\nauth_url = "https://me:pw@auth.dhan.co"', "dhan.auth_url", "a password"),
        ('[dhan]\napi_url = "https://api.dhan.co/?token=1"', "dhan.api_url", "more than a host"),
        ('[dhan]\napi_url = "https://api.dhan.co:99999"', "dhan.api_url", "not an address"),
    ],
)
def test_a_wrong_common_value_is_refused_by_its_path(table: str, where: str, said: str) -> None:
    found = refused(f"{table}\n{LEADER}")
    assert list(found) == [where]
    assert said in found[where]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "leader"),
        ('[leader]\nclient_id = "1"', "leader.token"),
        ('[leader]\nclient_id = 1000000001\ntoken = "env:A"', "leader.client_id"),
        ('[leader]\nclient_id = "1 2"\ntoken = "env:A"', "leader.client_id"),
        (f"{LEADER}[followers]\nname = 'a'", "followers"),
        (f"followers = [1]\n{LEADER}", "followers[0]"),
        (follower('name2 = "x"').replace('"asha"', '"As ha"'), "followers[0].name"),
    ],
)
def test_what_is_missing_or_of_another_shape_is_named(text: str, where: str) -> None:
    assert where in refused(text)


@pytest.mark.parametrize(
    ("key", "where", "near"),
    [
        ("multiplyer = 0.5", "followers[0].multiplyer", "sizing.multiplier"),
        ("sizing = { multiplyer = 0.5 }", "followers[0].sizing.multiplyer", "multiplier"),
        ("pause = true", "followers[0].pause", "paused"),
        ("max_age_second = 3", "followers[0].max_age_second", "max_age_seconds"),
        ("sweep_second = 3", "followers[0].sweep_second", "recovery.sweep_seconds"),
        ('products = { MARGN = "CNC" }', "followers[0].products.MARGN", "MARGIN"),
        ('"odd key" = 1', 'followers[0]."odd key"', "allowed here: name, client_id"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_name(
    key: str, where: str, near: str
) -> None:
    found = refused(follower(key))
    assert list(found) == [where]
    assert near in found[where]
    assert "allowed here" in found[where]


@pytest.mark.parametrize(
    ("words", "share", "bounds"),
    [
        ("quantity = 10", Fixed(10), Bounds()),
        ("lots = 2, most = 1755", Fixed(2, in_lots=True), Bounds(most=1755)),
        ("capital = true", CapitalShare(), Bounds()),
        (
            "capital = true, rounding = 'nearest', ceiling_percent = 7.5",
            CapitalShare(Rounding.NEAREST),
            Bounds(ceiling=Fraction(15, 2)),
        ),
        ("risk_percent = 0.5", RiskShare(Fraction(1, 2), Fraction(1)), Bounds()),
        (
            "risk_percent = 1, stop_percent = 2.5",
            RiskShare(Fraction(1), Fraction(5, 2)),
            Bounds(),
        ),
        (
            "multiplier = 0.1, rounding = 'one_lot', least = 5",
            Multiplier(Fraction(1, 10), Rounding.ONE_LOT),
            Bounds(least=5),
        ),
    ],
)
def test_every_way_of_sizing(words: str, share: Share, bounds: Bounds) -> None:
    rules = config(follower(f"sizing = {{ {words} }}")).followers[0].rules
    assert (rules.sizing, rules.bounds) == (share, bounds)


def test_overrides_count_in_the_order_of_the_file() -> None:
    words = """
    sizing = { multiplier = 2 }
    overrides = [
        { symbols = ["NIFTY*"], segments = ["NSE_FNO"], sizing = { lots = 1 } },
        { segments = ["NSE_FNO", "BSE_FNO"], sizing = { multiplier = 0.5, most = 100 } },
    ]
    """
    rules = config(follower(words)).followers[0].rules
    entry = Entry(130, Side.BUY, option=True, price=None, mine=None, leaders=None)
    sized = [
        rules.sized(entry, segment, names).text
        for segment, names in (
            (Segment.NSE_FNO, ["NIFTY-Nov2026-25000-CE", "NIFTY"]),
            (Segment.NSE_FNO, ["BANKNIFTY-Nov2026-50000-CE", "BANKNIFTY"]),
            (Segment.NSE_EQ, ["NIFTYBEES"]),
        )
    ]
    assert sized == ["lots 1", "bounds most 100 of multiplier 1/2", "multiplier 2"]


def test_all_problems_of_a_file_are_told_at_once() -> None:
    text = """
    colour = "red"
    [recovery]
    sweep_seconds = 0
    [leader]
    client_id = "1000000001"
    [[followers]]
    name = "asha"
    client_id = "1000000001"
    token = "env:A"
    [[followers]]
    name = "asha"
    client_id = "1000000003"
    token = "evn:B"
    """
    assert set(refused(text)) == {
        "colour",
        "recovery.sweep_seconds",
        "leader.token",
        "followers[0].client_id",
        "followers[1].name",
        "followers[1].token",
    }


def test_how_an_account_comes_by_its_tokens() -> None:
    made = config(
        follower('pin = "env:PIN"', 'totp_secret = "file:totp"')
        .replace('token = "env:ASHA"', 'token = "login"')
        .replace('token = "env:LEADER"', 'token = "env:LEADER"\nrenew_token = false')
    )
    leader, asha = made.engine.leader_login, made.followers[0].login
    assert leader is not None
    assert asha is not None
    assert (leader.renews, leader.generates, asha.renews, asha.generates) == (
        False,
        False,
        True,
        True,
    )
    assert asha.auth_url == "https://auth.dhan.co"


@pytest.mark.parametrize("keys", [("pin", "totp_secret"), ("api_key", "api_secret")])
@pytest.mark.parametrize("place", [0, 1])
def test_both_halves_of_a_login_belong_together_and_stand_elsewhere(
    keys: tuple[str, str], place: int
) -> None:
    both, key = {name: f'{name} = "env:HERE"' for name in keys}, keys[place]
    assert list(refused(follower(both[key]))) == [f"followers[0].{key}"]
    both[key] = f'{key} = "739164"'
    found = refused(follower(*both.values()))
    assert list(found) == [f"followers[0].{key}"]
    assert '"env:NAME" or "file:PATH"' in found[f"followers[0].{key}"]
    assert "739164" not in str(found)


def test_two_followers_cannot_share_an_address_of_their_own() -> None:
    twins = follower('source_ip = "10.0.0.1"') + "\n".join(
        (
            "[[followers]]",
            'name = "ravi"',
            'client_id = "1000000003"',
            'token = "env:RAVI"',
            'source_ip = "10.0.0.1"',
        )
    )
    assert list(refused(twins)) == ["followers[1].source_ip"]


def test_plain_addresses_are_for_this_host_and_there_markets_may_be_always_open() -> None:
    made = config(f'{LOOPBACK}\n[clock]\nsessions = "always"\n{LEADER}')
    assert made.loopback
    assert made.always_open
    assert made.engine.sessions is always
    assert made.engine.leader.api_url == "http://127.0.0.1:8000/v2"


@pytest.mark.parametrize("key", ["api_url", "auth_url", "feed_url", "master_url"])
def test_one_address_elsewhere_keeps_markets_from_being_always_open(key: str) -> None:
    lines = [line for line in LOOPBACK.splitlines() if not line.startswith(key)]
    found = refused("\n".join([*lines, "[clock]", 'sessions = "always"', LEADER]))
    assert list(found) == ["clock.sessions"]


def test_a_master_in_a_file_is_on_this_host() -> None:
    local = LOOPBACK.replace("http://127.9.9.9/master.csv", "master.csv")
    made = config(f'{local}\n[clock]\nsessions = "always"\n{LEADER}')
    assert made.engine.master == "/etc/lockstep/master.csv"


def test_relative_paths_are_relative_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, f'[ledger]\npath = "state/l.db"\n{GOOD}')
    (tmp_path / "asha.token").write_text("token-of-asha\n")
    monkeypatch.chdir(tmp_path.parent)
    made = load(Path(tmp_path.name, path.name))
    assert made.engine.ledger == tmp_path / "state/l.db"
    assert made.followers[0].address.token() == "token-of-asha"


def test_the_same_file_gives_equal_settings_twice() -> None:
    assert config(GOOD) == config(GOOD)
    other = config(GOOD.replace("asha.token", "asha2.token"))
    assert other.followers[0] != config(GOOD).followers[0]
    assert other.followers[1] == config(GOOD).followers[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[leader", "is not TOML"),
        (b"a = 1\na = 2", "is not TOML"),
        (b"a = \xff", "UTF-8"),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"a = " + b"9" * 5000, "is not TOML"),
    ],
)
def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(tmp_path / "lockstep.toml", content)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "lockstep.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("file", "token", "mode", "quiet"),
    [
        (0o600, "literal-token", 0, True),
        (0o640, "literal-token", 0, False),
        (0o604, "literal-token", 0, False),
        (0o644, "env:TOKEN", 0, True),
        (0o644, "file:t", 0o600, True),
        (0o644, "file:t", 0o640, True),
        (0o600, "file:t", 0o644, False),
    ],
)
def test_tokens_that_others_can_read_are_warned_of(
    tmp_path: Path, file: int, token: str, mode: int, quiet: bool
) -> None:
    (tmp_path / "t").write_text("token-in-a-file")
    (tmp_path / "t").chmod(mode)
    made = load(written(tmp_path, LEADER.replace("env:LEADER", token), file))
    assert (made.warnings == ()) is quiet
    for warning in made.warnings:
        assert warning.level is Level.WARNING
        assert warning.where == "leader.token"
        assert "chmod 600" in warning.fix
