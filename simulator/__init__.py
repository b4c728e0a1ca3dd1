"""Dhan in a box: its REST API, its order-update socket and an exchange behind them.

An independent witness: it shares no code with what it tests. It follows Dhan's documentation
and, where that differs, what authors of public clients measured against the live service.
"""
