"""From a score and its voices to segments, and from a render back to reasons a person understands."""
