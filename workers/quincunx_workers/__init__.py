"""Quincunx: workers."""
