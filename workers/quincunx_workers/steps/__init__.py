"""The built-in steps, one module each; an entry point names its `STEP`."""
