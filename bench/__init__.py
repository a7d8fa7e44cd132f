"""Measurements: each prints a table with its peer or floor beside it, and the same figures with --json."""
