"""The forms of the ports: in memory, in a folder, in SQLite."""
