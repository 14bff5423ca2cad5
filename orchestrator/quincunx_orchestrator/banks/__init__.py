"""Installing banks and vocoders: what a stranger packed becomes a folder that every later render finds."""
