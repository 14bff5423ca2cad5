"""How a process of the farm tells what it does: lines on standard error, for people or for machines.

Everything that runs here, Celery and the clients of Redis and S3 among it, logs through the standard library; this
sets up where that goes. A machine gets one JSON object a line, which says of which render it speaks and carries that
render's trace: 32 digits that follow from the render's name, so that every process of a render has the same without
being told, and any tracing system takes them as they are.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO, Any

from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.names import RenderId

#: The render that this thread works on.
_RENDER: ContextVar[str] = ContextVar("render", default="")

#: Chatty about every connection; what they warn of is heard.
_QUIET = ("kombu", "amqp", "urllib3", "celery.redirected", "celery.worker.strategy", "celery.app.trace")


@contextmanager
def about(render: RenderId) -> Iterator[None]:
    """What is logged inside is about this render."""
    token = _RENDER.set(render)
    try:
        yield
    finally:
        _RENDER.reset(token)


def trace_of(render: str) -> str:
    """The trace of a render, as the W3C writes one: 32 hexadecimal digits."""
    return sha256(f"quincunx render {render}".encode()).hexdigest()[:32]


class JsonLines(logging.Formatter):
    """An entry as one line of JSON."""

    def __init__(self, role: str, node: str = "") -> None:
        super().__init__()
        self._who = {"role": role, "host": socket.gethostname(), **({"node": node} if node else {})}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. What cannot be said in JSON is said as text."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._who,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if render := _RENDER.get():
            told |= {"render": render, "trace": trace_of(render)}
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """An entry for people, with the render it is about."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(about)s%(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it."""
        render = _RENDER.get()
        record.about = f"[{render[:8]}] " if render else ""
        return super().format(record)


def start_logging(settings: FarmSettings, role: str, stream: IO[str] | None = None, *, node: str = "") -> None:
    """Log to standard error as the settings say, in the place of whatever was set up before.

    `node` is how the farm calls this process.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(role, node) if settings.log_format == "json" else TextLines())
    level = settings.log_level.upper()
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "DEBUG" else logging.WARNING)
    # Warnings of libraries belong into the same stream, in the same form.
    logging.captureWarnings(capture=True)
