"""Whose certificates every connection to Dhan believes: those that certifi lists, nobody else's."""

import ssl
from functools import cache

import certifi


@cache
def trust() -> ssl.SSLContext:
    """The one TLS context of the process, which checks names and certificates; reading the list
    costs 20 to 60 ms, too much for each of many sockets that come back at once. Threads that ask
    for the first time together would each read it, so a `Wire` asks before there are any."""
    return ssl.create_default_context(cafile=certifi.where())
