"""What `check` says of tokens that end, and of a key that is there for others too; a run that
would use it does not start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.vault import KEY, Kept, Vault
from simulator.server import Opening, Simulator
from tests.desk.files import run
from tests.desk.test_commands import ASHA, LEADER, found, house


@pytest.fixture(scope="module")
def broker() -> Iterator[Simulator]:
    """Its tokens end within the hour."""
    with Simulator(accounts=[Opening(LEADER), Opening(ASHA)]) as simulator:
        for account in (LEADER, ASHA):
            simulator.control.set_account(account, token_seconds=1800)
            simulator.control.rotate_token(account)
        yield simulator


def test_a_token_that_is_about_to_end_is_a_warning_with_the_remedy(
    tmp_path: Path, broker: Simulator
) -> None:
    path = house(tmp_path, broker, {"asha": (ASHA, ASHA)})
    path.write_text(
        path.read_text().replace('token = "file:asha"', 'token = "file:asha"\nrenew_token = false')
    )
    done = run("check", "--config", str(path))
    told = {line.split(":")[0].split()[-1]: line for line in done.stdout.splitlines()}
    assert "ends at" in told["leader.token"]
    assert "a running engine replaces it" in told["leader.token"]
    assert "ends at" in told["followers[0].token"]
    assert "python run.py login asha" in told["followers[0].token"]


def test_a_key_that_others_can_read_is_an_error_with_the_remedy(
    tmp_path: Path, broker: Simulator
) -> None:
    path = house(tmp_path, broker, {"asha": (ASHA, ASHA)})
    path.write_text(path.read_text().replace('"file:asha"', '"login"'))
    Vault(tmp_path).keep(ASHA, Kept(broker.token(ASHA), ""))
    good = run("check", "--config", str(path), "--json")
    assert "error" not in {level for level, _ in found(good)}
    (tmp_path / KEY).chmod(0o640)
    bad = run("check", "--config", str(path), "--json")
    assert bad.returncode == 1
    assert found(bad)["error", str(tmp_path / KEY)] == "can be read by other users"
    assert f"chmod 600 {tmp_path / KEY}" in bad.stdout
    started = run("--config", str(path))
    assert started.returncode == 2
    assert "can be read by other users" in started.stderr
    for done in (good, bad, started):
        assert broker.token(ASHA) not in done.stdout + done.stderr
