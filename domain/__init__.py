"""The rules of copying: pure values and decisions, no I/O, no threads, no clock reads.

Money is in whole paise and quantities in whole shares (or units of the contract);
instants are timezone-aware.
"""
