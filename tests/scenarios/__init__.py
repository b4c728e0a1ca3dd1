"""The acceptance scenarios, end to end against the simulator."""
