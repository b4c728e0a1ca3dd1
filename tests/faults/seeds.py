"""Seeds whose day once ended with wrong books, and what was wrong. They are played with the tests,
before others; every find has a direct test of its own besides."""

FOUND: dict[int, str] = {}
