"""What goes on in the terminal's process while the board is down, and how it is asked to stop."""

import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from actors.patience import Patience
from actors.post import BOARD
from desk.running import Stop, attend
from desk.show import Show
from tests.actors.shop import Poison, Shop
from tests.desk.files import ROOT
from tests.waiting import eventually


def test_edits_are_looked_for_also_while_there_is_no_board(tmp_path: Path) -> None:
    shop = Shop(tmp_path, patience=Patience(first=30.0, longest=30.0))
    looks: list[int] = []
    with Stop() as stop, closing(shop):
        shop.start()
        shop.engine.post.tell(BOARD, Poison())
        eventually(lambda: shop.engine.post.ref(BOARD) is None)

        def poll() -> None:
            looks.append(len(looks))
            if len(looks) == 3:
                stop.ask()

        attending = threading.Thread(
            target=attend, args=(shop.engine, Show("test", "bold"), stop, poll), daemon=True
        )
        attending.start()
        attending.join(10)
        assert looks == [0, 1, 2]


_WAITS = """
import sys
from contextlib import suppress
from socket import MSG_DONTWAIT
from desk.running import stop_signals

with stop_signals() as stop:
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(300):
            stop._asked = False  # so that it goes on waiting
            with suppress(BlockingIOError):
                stop._ear.recv(4096, MSG_DONTWAIT)
            stop.wait(0.000001)
        print("done", flush=True)
"""


def test_a_signal_that_interrupts_the_wait_for_it_does_not_hang_the_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        hung = threading.Timer(30, process.kill)
        hung.start()
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):
            process.stdin.write("wait\n")
            process.stdin.flush()
            for _ in range(300):
                process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "done\n"
        process.stdin.close()
        assert process.wait(10) == 0
        hung.cancel()
