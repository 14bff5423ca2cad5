"""What one would write without Quincunx: a Celery canvas, a chord of chains, whose results travel through Redis.

    celery -A tests.benchmarks.naive_canvas worker --concurrency 2

Settings are Celery's own but for the addresses and for results that expire. `NAIVE_REDIS` names the Redis.
"""

from __future__ import annotations

import base64
import os
from typing import Any

import numpy as np
from celery import Celery, chain, chord
from tests.farm.proof_steps import compute_for

app = Celery("naive", broker=os.environ.get("NAIVE_REDIS"), backend=os.environ.get("NAIVE_REDIS"))
app.conf.result_expires = 600


def _text(array: Any) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _array(text: str) -> Any:
    return np.frombuffer(base64.b64decode(text), dtype=np.float32)


@app.task(name="naive.work")  # type: ignore[untyped-decorator]
def work(text: str, seconds: float) -> str:
    """One step."""
    compute_for(seconds)
    return _text(_array(text) + np.float32(1))


@app.task(name="naive.mix")  # type: ignore[untyped-decorator]
def mix(texts: list[str]) -> str:
    """All phrases together."""
    return _text(np.sum([_array(text) for text in texts], axis=0, dtype=np.float32))


def render(phrases: int, places: int, floats: int, seconds: float, salt: int) -> Any:
    """Send the whole canvas and wait for its end."""
    header = []
    for number in range(phrases):
        first = work.s(_text(np.full(floats, salt + number, dtype=np.float32)), seconds)
        header.append(chain(first, *[work.s(seconds) for _ in range(places - 1)]))
    return _array(chord(header)(mix.s()).get(timeout=600))
