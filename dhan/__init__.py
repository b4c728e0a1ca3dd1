"""The only place that knows Dhan: its requests, its answers, its sockets and its CSV."""
