"""What goes on in the terminal's process while the board is down."""

import threading
from pathlib import Path

from actors.patience import Patience
from actors.post import BOARD
from desk.running import attend
from desk.show import Show
from tests.actors.shop import Poison, Shop
from tests.waiting import eventually


def test_edits_are_looked_for_also_while_there_is_no_board(tmp_path: Path) -> None:
    shop = Shop(tmp_path, patience=Patience(first=30.0, longest=30.0))
    stop = threading.Event()
    looks: list[int] = []
    try:
        shop.start()
        shop.engine.post.tell(BOARD, Poison())
        eventually(lambda: shop.engine.post.ref(BOARD) is None)

        def poll() -> None:
            looks.append(len(looks))
            if len(looks) == 3:
                stop.set()

        attending = threading.Thread(
            target=attend, args=(shop.engine, Show("test", "bold"), stop, poll), daemon=True
        )
        attending.start()
        attending.join(10)
        assert looks == [0, 1, 2]
    finally:
        shop.close()
