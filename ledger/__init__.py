"""The ledger: what was meant to be sent, what came of it, and what is known of every order.

The only place that knows SQLite. One `Ledger` writes, any number of `Reader`s look on.
"""
