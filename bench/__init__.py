"""Benchmarks: ratios and slopes taken in one run, never absolute times to be compared between machines."""
