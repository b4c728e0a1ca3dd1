"""The independent workers of Lockstep: each receives a message, asks `domain`, tells somebody.

Actors share nothing but messages. What must survive a crash is in the ledger, so that a
restarted actor rebuilds itself and asks for what it missed.
"""
