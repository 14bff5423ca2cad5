"""What a process of the farm tells on standard error."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from quincunx_shared.farm.logs import about, start_logging, trace_of
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.names import RenderId

LOG = logging.getLogger("quincunx.test")
RENDER = RenderId("1a2b3c4d5e6f")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = kept, level
    logging.captureWarnings(capture=False)


def started(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    start_logging(FarmSettings.model_validate({"log_format": form, "log_level": level}), "worker", stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_of_which_render_it_speaks() -> None:
    stream = started("json")
    LOG.info("before")
    with about(RENDER):
        LOG.info("inside %s", "it")
    LOG.info("after")
    before, inside, after = lines(stream)
    assert (inside["render"], inside["trace"], inside["message"]) == (RENDER, trace_of(RENDER), "inside it")
    assert (inside["role"], inside["level"]) == ("worker", "info")
    assert "render" not in before
    assert "render" not in after


def test_every_process_gives_a_render_the_same_trace() -> None:
    assert trace_of(RENDER) == trace_of(RENDER)
    assert trace_of(RENDER) != trace_of("another")
    assert len(trace_of(RENDER)) == 32
    int(trace_of(RENDER), 16)


def test_threads_speak_of_their_own_renders() -> None:
    stream = started("json")

    def other() -> None:
        LOG.info("elsewhere")

    with about(RENDER):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert "render" not in lines(stream)[0]


def test_nothing_that_is_logged_makes_a_second_line() -> None:
    stream = started("json")
    try:
        raise ValueError("no\n{}")
    except ValueError:
        LOG.exception('told\nin "two" lines')
    [told] = lines(stream)
    assert told["message"] == 'told\nin "two" lines'
    assert "ValueError" in told["error"]


def test_people_read_the_beginning_of_the_renders_name() -> None:
    stream = started("text")
    with about(RENDER):
        LOG.warning("slow")
    assert "WARNING [1a2b3c4d] slow" in stream.getvalue()


def test_the_level_is_kept_and_libraries_are_quiet() -> None:
    stream = started("json", "warning")
    LOG.info("not told")
    logging.getLogger("kombu").warning("told")
    logging.getLogger("kombu").info("not told")
    assert [one["message"] for one in lines(stream)] == ["told"]
