"""Any edits of a project: the sound is that of a fresh render; undoing all of them is the first sound, at no cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from tests.scenario.project_scripts import Action, Bench, open_bench, scripts


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("bench")) as opened:
        yield opened


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts)
def test_an_edited_project_sounds_like_one_rendered_afresh_and_undone_like_the_first(
    bench: Bench, script: list[Action]
) -> None:
    bench.play(script)
