"""Scores: what a song file says, read into plain values and cut into phrases. See README.md."""
