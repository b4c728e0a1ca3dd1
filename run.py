"""Lockstep: `python run.py [VERB] [--config PATH]`; `python run.py --help` names the verbs."""

import sys


def main() -> int:
    """Do what the command line asks; the exit code."""
    from desk.cli import main as obey

    return obey(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
