"""`make bench`: how soon every follower's order reaches the broker, beside what others do.

Nothing here runs in production. Broker and contestants are processes of their own, so that none
of them shares an interpreter's lock with what is measured.
"""
