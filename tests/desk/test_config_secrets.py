"""Whatever is wrong with a file: it is refused by its path, and no value is ever repeated."""

import json
import traceback
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.config import ConfigError, parse
from desk.findings import dotted
from desk.schema import Lockstep, Table

PATH = Path("/etc/lockstep/lockstep.toml")
SECRET = "Zq7-unmistakable-Xw9"
LEADER = '[leader]\nclient_id = "1"\ntoken = "env:LEADER"\n'
FOLLOWER = '[[followers]]\nname = "asha"\nclient_id = "2"\ntoken = "env:ASHA"\n'

# Where a key can stand, how a line with it is put there, and the keys that are known there.
PLACES = {
    "": "{line}\n" + LEADER + FOLLOWER,
    "dhan": "[dhan]\n{line}\n" + LEADER + FOLLOWER,
    "ledger": "[ledger]\n{line}\n" + LEADER + FOLLOWER,
    "clock": "[clock]\n{line}\n" + LEADER + FOLLOWER,
    "recovery": "[recovery]\n{line}\n" + LEADER + FOLLOWER,
    "limits.orders": "[limits.orders]\n{line}\n" + LEADER + FOLLOWER,
    "protection": "[protection]\n{line}\n" + LEADER + FOLLOWER,
    "legs": "[legs]\n{line}\n" + LEADER + FOLLOWER,
    "leader": LEADER + "{line}\n" + FOLLOWER,
    "followers[0]": LEADER + FOLLOWER + "{line}\n",
    "followers[0].sizing": LEADER + FOLLOWER + "[followers.sizing]\nmultiplier = 1\n{line}\n",
    "followers[0].limits.orders": LEADER + FOLLOWER + "[followers.limits.orders]\n{line}\n",
    "followers[0].protection": LEADER + FOLLOWER + "[followers.protection]\n{line}\n",
    "limits": "[limits]\n{line}\n" + LEADER + FOLLOWER,
    "followers[0].limits": LEADER + FOLLOWER + "[followers.limits]\n{line}\n",
    "followers[0].only": LEADER + FOLLOWER + "[followers.only]\n{line}\n",
    "followers[0].overrides[0]": LEADER
    + FOLLOWER
    + "[[followers.overrides]]\nsizing = {{ lots = 1 }}\n{line}\n",
    "followers[0].overrides[0].sizing": LEADER
    + FOLLOWER
    + "[[followers.overrides]]\n[followers.overrides.sizing]\nlots = 1\n{line}\n",
    "followers[0].products": LEADER + FOLLOWER + "[followers.products]\n{line}\n",
}


def tables(table: type[Table], at: str = "") -> dict[str, type[Table]]:
    """Every table of the file by its path, the first of a list for all of it."""
    found = {at: table}
    for name, field in table.model_fields.items():
        inner = get_args(field.annotation) or (field.annotation,)
        for kind in inner:
            if isinstance(kind, type) and issubclass(kind, Table):
                path = f"{at}.{name}" if at else name
                found |= tables(kind, path + "[0]" * bool(get_args(field.annotation)))
    return found


def test_the_places_are_all_tables_of_the_file() -> None:
    known = tables(Lockstep)
    assert set(PLACES) == set(known)


@settings(deadline=None, max_examples=300)
@given(
    place=st.sampled_from(sorted(PLACES)),
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    data=st.data(),
)
def test_any_unknown_key_is_refused_by_its_path(place: str, key: str, data: st.DataObject) -> None:
    table = tables(Lockstep)[place]
    mistyped = st.sampled_from(sorted(table.model_fields)).map(lambda name: f"{name}_")
    key = data.draw(st.just(key) | mistyped)
    if key in table.model_fields:
        return
    quoted = json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")
    text = PLACES[place].format(line=f'{quoted} = "{SECRET}"')
    with pytest.raises(ConfigError) as caught:
        parse(PATH, text.encode())
    wheres = [finding.where for finding in caught.value.findings]
    expected = f"{place}.{dotted((key,))}" if place else dotted((key,))
    assert wheres == [expected]
    assert SECRET not in str(caught.value)


WRONG = (
    f'"{SECRET}"',
    f'["{SECRET}"]',
    f'{{ inner = "{SECRET}" }}',
    f"{{ {SECRET} = 1 }}",
    f'"env:{SECRET} "',
    f'"https://{SECRET}.example"',
    f'"ws://{SECRET}.example"',
    f'"http://{SECRET}@127.0.0.1"',
    f'"enc:{SECRET}"',
    f'"{SECRET}',
    f"{SECRET}",
    f'"{SECRET}\\q"',
    f'''"""{SECRET}\n"""''',
)


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_error_repeats_a_value_whatever_key_it_stands_under(place: str, value: str) -> None:
    for key in sorted(tables(Lockstep)[place].model_fields):
        lines = PLACES[place].format(line="#")
        text = lines.replace("#", f"{key} = {value}", 1)
        try:
            parse(PATH, text.encode())
        except ConfigError as wrong:
            shown = str(wrong) + "".join(traceback.format_exception(wrong)) + repr(wrong.findings)
            if value != f"{{ {SECRET} = 1 }}":
                assert SECRET not in shown, (key, value)


def test_a_token_in_the_file_shows_in_no_repr_and_no_error() -> None:
    text = LEADER.replace("env:LEADER", SECRET) + FOLLOWER.replace("env:ASHA", f"{SECRET}-2")
    made = parse(PATH, text.encode())
    assert made.engine.leader.token() == SECRET
    assert made.followers[0].feed.token() == f"{SECRET}-2"
    assert SECRET not in repr(made)
    wrong = text + f'pin = "{SECRET}"\n{SECRET}-2 = "x"\n'
    with pytest.raises(ConfigError) as caught:
        parse(PATH, wrong.encode())
    assert SECRET not in str(caught.value)
    assert "[hidden]" in str(caught.value)
