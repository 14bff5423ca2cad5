"""Serves what a coordinator knows of its farm, to whoever may reach its port; it changes nothing.

/metrics   for Prometheus           /live    the process turns
/scale     for KEDA, as JSON        /ready   and reaches Redis
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from quincunx_orchestrator.farm.metrics.reading import NOTHING, Reading
from quincunx_shared.errors import BadInput, FarmError

LOG = logging.getLogger(__name__)

#: Whoever asks more often hears the same again: a look costs Redis a little.
FRESH_SECONDS = 2.0

#: A caller that sends its request so slowly is no monitor.
_PATIENCE_SECONDS = 5.0


class Reader(Protocol):
    """Looks at a farm."""

    def read(self) -> Reading:
        """Look once. Raises if it cannot."""


class MetricsServer:
    """A server on a thread of its own. `address` is HOST:PORT; port 0 takes a free one."""

    def __init__(self, address: str, reader: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise BadInput("an address is HOST:PORT", where="metrics_address", remedy="127.0.0.1:9540")
        self._latest = _Latest(reader, clock)
        try:
            self._server = _Server((host.strip("[]"), int(port)), _answers_of(self._latest))
        except OSError as error:
            what = f"nothing can listen there: {error.strerror}"
            raise FarmError(what, where=f"metrics_address {address}", remedy="choose another port") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="quincunx-metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class NoServer:
    """The server of whoever serves nothing."""

    def close(self) -> None:
        """There is nothing to close."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # One that is restarted takes its port again at once.
    allow_reuse_address = True


class _Latest:
    """The last reading, as long as it is fresh."""

    def __init__(self, reader: Reader, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._clock = clock
        self._guard = threading.Lock()
        self._read_at = float("-inf")
        self._reading = NOTHING

    def get(self) -> Reading:
        """A fresh reading; nothing but "not up" if Redis does not answer."""
        with self._guard:
            if self._clock() - self._read_at > FRESH_SECONDS:
                try:
                    self._reading = self._reader.read()
                except Exception as error:  # a monitor must hear that, and not a broken connection
                    LOG.warning("the farm cannot be read: %s", error)
                    self._reading = NOTHING
                self._read_at = self._clock()
            return self._reading


def answer(path: str, reading: Callable[[], Reading]) -> tuple[int, str, bytes]:
    """What is answered to a question: status, type and body."""
    if path == "/live":
        return 200, "text/plain", b"turning\n"
    if path == "/metrics":
        from quincunx_orchestrator.farm.metrics.exposition import CONTENT_TYPE, exposition

        return 200, CONTENT_TYPE, exposition(reading())
    if path == "/ready":
        up = reading().up
        return (200, "text/plain", b"ready\n") if up else (503, "text/plain", b"Redis does not answer\n")
    if path == "/scale":
        return _scale(reading())
    return 404, "text/plain", b"/metrics, /scale, /live, /ready\n"


def _scale(reading: Reading) -> tuple[int, str, bytes]:
    if not reading.up:
        # Told as zero, it would end every worker.
        return 503, "application/json", b'{"error": "Redis does not answer"}\n'
    told = {"open_bundles": dict(reading.open_bundles), "slots": dict(reading.slots)}
    return 200, "application/json", json.dumps(told).encode() + b"\n"


def _answers_of(latest: _Latest) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        timeout = _PATIENCE_SECONDS
        server_version = "quincunx"
        sys_version = ""

        def do_GET(self) -> None:
            status, kind, body = answer(self.path.partition("?")[0], latest.get)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            LOG.debug(format, *args)

    return Answers
