"""Tests of `desk`."""
