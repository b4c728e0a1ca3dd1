"""The desk: configuration, command line, logs, the operator's table and the paper day."""
