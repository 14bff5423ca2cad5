"""Where the process begins: an interrupt that comes while the command line is still loading ends it quietly too."""

from __future__ import annotations

import sys

#: As for every interrupted command; `main` cannot be asked, it is what is loading.
INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it."""
    try:
        from quincunx_orchestrator.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()
