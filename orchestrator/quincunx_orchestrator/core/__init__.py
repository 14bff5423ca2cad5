"""The pure core: graphs, edits, compilation and plans. Values in, values out; no I/O, clock, chance or logging."""
