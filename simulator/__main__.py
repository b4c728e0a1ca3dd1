"""`python -m simulator`: the simulator alone."""

import sys

from simulator.command import main

sys.exit(main(sys.argv[1:]))
