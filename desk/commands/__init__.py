"""The verbs of the command line, one module each; `desk.cli` reads the line and calls them."""
