"""`python -m quincunx_orchestrator.cli`."""

from quincunx_orchestrator.cli.main import main

main()
