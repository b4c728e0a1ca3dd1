"""An account's owner at a terminal and a browser, who logs in with an API key."""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.scenarios.nursery import nursery
from tests.waiting import eventually

_LINK = re.compile(r"http\S+/login/consentApp-login\?consentAppId=\S+")


def logs_in(
    words: Sequence[str], environment: Mapping[str, str], gives: Callable[[str], str]
) -> "subprocess.CompletedProcess[str]":
    """`python run.py ...` to its end, by an owner who `gives` the program something for the link
    that it shows."""
    with TemporaryDirectory() as folder:
        hand, out, trouble = (Path(folder, name) for name in ("hand", "out", "trouble"))
        os.mkfifo(hand)
        trouble.touch()
        born = nursery().bear(words, environment, out, trouble, into=hand)
        with hand.open("w") as writing:
            link = eventually(lambda: _LINK.search(trouble.read_text()))
            writing.write(gives(link[0]) + "\n")
        code = born.wait(30)
        return subprocess.CompletedProcess([*words], code, out.read_text(), trouble.read_text())
