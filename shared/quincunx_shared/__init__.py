"""Quincunx: shared."""
