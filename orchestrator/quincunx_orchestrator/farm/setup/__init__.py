"""Setting a farm up: its passwords, who may do what in Redis and in the store, its bucket."""
