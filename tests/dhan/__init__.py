"""Tests of `dhan`."""
