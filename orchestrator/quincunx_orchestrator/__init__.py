"""Quincunx: orchestrator."""
