"""What the orchestrator and the workers of a farm must agree on: messages, and who works on what."""
