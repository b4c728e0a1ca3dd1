"""Dhan's shapes of orders, from the feed, the REST API and postbacks, into the domain's words."""
