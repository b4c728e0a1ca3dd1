"""Tests, by package; `scenarios` proves the numbered acceptance scenarios end to end."""
