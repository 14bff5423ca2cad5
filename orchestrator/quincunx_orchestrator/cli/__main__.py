"""`python -m quincunx_orchestrator.cli`."""

from quincunx_orchestrator.cli.start import main

main()
