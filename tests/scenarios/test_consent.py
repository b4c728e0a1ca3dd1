"""An account's owner logs in with an API key and a browser, and the running engine goes on."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from simulator.consent import CONSENTS_A_DAY, REDIRECT
from tests.desk.files import run
from tests.scenarios.browser import logs_in
from tests.scenarios.house import RELIANCE, House, Member
from tests.scenarios.nursery import nursery
from tests.simulator.clients import consented
from tests.waiting import eventually

HERE = "127.0.0.4"
KEY, APP_SECRET = "4f7c1a-key", "e0b1-secret-of-the-app"
OWNED = Member(
    "owned",
    "1000000002",
    more=(f'source_ip = "{HERE}"', 'api_key = "env:A_KEY"', 'api_secret = "file:app.secret"'),
)
OTHER = Member("other", "1000000003")
SURROUNDINGS = {"A_KEY": KEY, "HTTP_PROXY": "http://127.0.0.1:9", "https_proxy": "127.0.0.1:9"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    built = House(
        tmp_path_factory.mktemp("house"),
        members=(OWNED, OTHER),
        openings={OWNED.client_id: {"api_key": KEY, "api_secret": APP_SECRET}},
        environment=SURROUNDINGS,
    )
    secret = built.folder / "app.secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{APP_SECRET}\n")
    try:
        yield built.start()
    finally:
        built.close()


def mood(house: House) -> dict[str, Any]:
    rows: list[dict[str, Any]] = house.ask("followers", "list")
    return next(row for row in rows if row["name"] == OWNED.name)


def words(house: House, *more: str) -> list[str]:
    return ["login", OWNED.name, *more, "--config", str(house.config)]


@pytest.mark.parametrize("whole", [True, False])
def test_a_consent_gives_a_token_that_the_running_engine_goes_on_with(
    house: House, whole: bool
) -> None:
    """The owner gives the whole address, or only what stands in it; either way from the account's
    own address."""
    house.control.expire_token(OWNED.client_id)
    house.control.cut(OWNED.client_id)
    eventually(lambda: mood(house)["mood"] == "parked", 15, every=0.2)
    order = house.places(RELIANCE, "BUY", 10, price=2400 + whole)
    given: list[str] = []

    def gives(link: str) -> str:
        assert link.startswith(f"{house.broker.auth_url}/login/consentApp-login?consentAppId=")
        address = consented(link)
        assert address.startswith(f"{REDIRECT}?tokenId=")
        given.append(urlsplit(address).query.removeprefix("tokenId="))
        return address if whole else given[0]

    more = ("--oauth",) if whole else ()
    done = logs_in(words(house, *more), SURROUNDINGS, gives)
    assert done.returncode == 0, done.stderr
    assert "the token is kept, until" in done.stderr
    for secret in (KEY, APP_SECRET, given[0], house.broker.token(OWNED.client_id)):
        assert secret not in done.stdout + done.stderr + house.output()
        assert secret not in (house.folder / "logs" / "lockstep.log").read_text()
    house.waits(order, OWNED, orderStatus="PENDING")
    eventually(lambda: mood(house)["mood"] == "active", 15, every=0.2)
    house.waits(order, OTHER, orderStatus="PENDING")
    seen = [one for one in house.control.requests(OWNED.client_id) if "/app/" in one["path"]]
    assert {one["path"].rpartition("/")[2] for one in seen} == {
        "generate-consent",
        "consumeApp-consent",
    }
    assert {one["peer"] for one in seen} == {HERE}


def _gives(given: str, link: str) -> str:
    assert link
    return given


def test_what_is_not_consented_to_gives_no_token(house: House) -> None:
    before = house.broker.token(OWNED.client_id)
    for given, why in (
        (f"{REDIRECT}?status=failed", "there is no tokenId in that"),
        (f"{REDIRECT}?tokenId=stale-or-invented", "Dhan makes none: Invalid tokenId"),
        ("", "none was given"),
    ):
        done = logs_in(words(house, "--oauth"), SURROUNDINGS, partial(_gives, given))
        assert done.returncode == 1
        assert f"{OWNED.name}: no token is kept: {why}" in done.stderr
        assert "stale-or-invented" not in done.stderr
    house.control.fault(OWNED.client_id, "auth", "echo")
    echoed = run(*words(house), env=SURROUNDINGS)
    assert "no token is kept: Dhan asks for no consent: no luck with [hidden]" in echoed.stderr
    assert APP_SECRET not in echoed.stderr
    wrong = run(*words(house), env={"A_KEY": "another"})
    assert "Dhan asks for no consent: Invalid app_id or app_secret" in wrong.stderr
    missing = run(*words(house), env={"A_KEY": ""})
    assert "no token is kept: env:A_KEY is empty or not set" in missing.stderr
    assert {done.returncode for done in (echoed, wrong, missing)} == {1}
    assert house.broker.token(OWNED.client_id) == before


def test_it_says_how_many_consents_dhan_allows(house: House) -> None:
    url = f"{house.broker.auth_url}/app/generate-consent"
    app = {"app_id": KEY, "app_secret": APP_SECRET}
    for _ in range(CONSENTS_A_DAY):
        requests.post(url, params={"client_id": OWNED.client_id}, headers=app, timeout=5)
    done = run(*words(house), env=SURROUNDINGS)
    assert done.returncode == 1
    assert "Dhan asks for no consent: HTTP 429 (it allows 25 a day)" in done.stderr


def test_what_a_login_asks_is_in_the_audit_of_the_running_engine(house: House) -> None:
    eventually(lambda: not any(asked_folder(house).iterdir()), 15, every=0.1)
    for path in ("POST /app/generate-consent", "GET /app/consumeApp-consent", "GET /profile"):
        told = [one for one in house.ask("audit") if one["request"] == path]
        assert OWNED.name in {one["follower"] for one in told if one["http_status"] == 200}
    assert {429, 401} <= {one["http_status"] for one in house.ask("audit", "--follower", "owned")}


def test_what_a_command_asks_while_nothing_runs_is_in_the_audit_too(house: House) -> None:
    house.stop()
    began = datetime.now(UTC).isoformat()
    house.ask("check")
    (left,) = asked_folder(house).iterdir()
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    told = house.ask("audit", "--since", began)
    assert ("other", "GET /ip/getIP") in {(one["follower"], one["request"]) for one in told}
    house.start()
    eventually(lambda: not left.exists(), 15, every=0.1)
    again = house.ask("audit", "--since", began)
    assert [one for one in again if one in told] == told


def asked_folder(house: House) -> Path:
    return house.folder / "copy_trading.db.asked"


def test_pasting_stays_possible_and_an_account_without_a_key_cannot_consent(house: House) -> None:
    token = house.broker.token(OWNED.client_id)
    done = nursery().obeyed(words(house, "--paste"), environment=SURROUNDINGS, said=f"{token}\n")
    assert done.returncode == 0, done.stderr
    other = run("login", OTHER.name, "--oauth", "--config", str(house.config))
    assert other.returncode == 2
    assert "--oauth needs api_key and api_secret of other" in other.stderr
