"""Whether Flower answers: for the health check of its image."""

from __future__ import annotations

import os
import sys
from urllib.request import urlopen

address = f"http://127.0.0.1:{os.environ.get('QUINCUNX_FLOWER_PORT', '5555')}/healthcheck"
with urlopen(address, timeout=4) as response:
    sys.exit(response.read() != b"OK")
