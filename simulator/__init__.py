"""Dhan in a box: its REST API, its order-update socket and an exchange behind them.

An independent witness: it shares no code with what it tests. It follows Dhan's documentation
and, where that differs, what authors of public clients measured against the live service.

server.py serves it in a thread, command.py from the command line, client.py steers it. A request
comes in by line.py; rest.py, sockets.py and control.py answer it, the first with the endpoints of
order_desk.py and account_desk.py, the last with the verbs of *_verbs.py. Behind them exchange.py
leads every order's life by the rules of ask.py, risk.py and matching.py, and tells of it by
feed.py. box.py holds it all together.
"""
