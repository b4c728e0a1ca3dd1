"""sqlite-utils without pandas and numpy.

It loads them wherever it finds them (the Dhan SDK brings them along), for column types that no
ledger has: half a second at every start, and 45 MB for as long as the process lives. A module
that stands as None in `sys.modules` counts as not installed.
"""

import sys

_absent = [name for name in ("pandas", "numpy") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type]  # None is what is meant
try:
    from sqlite_utils import Database, Migrations
finally:
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["Database", "Migrations"]
