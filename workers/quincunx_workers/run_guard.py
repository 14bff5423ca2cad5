"""Ends a run of a model that takes too long."""

from __future__ import annotations

import threading
from typing import Any


class RunGuard:
    """Sets `terminate` on a run's options when its time is up; ONNX Runtime looks at it between two nodes.

    `ended` says afterwards whether that is why the run failed.
    """

    def __init__(self, options: Any, seconds: float) -> None:
        self._options = options
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.ended = False

    def __enter__(self) -> RunGuard:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.ended = True
        self._options.terminate = True
