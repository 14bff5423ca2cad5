"""How text becomes sounds and how sounds share the time of notes: pure functions, no files, no clock."""
