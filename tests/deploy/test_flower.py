"""Flower has no package of this project, so what it says of the farm is compared here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from tests.deploy.plans import DEPLOY

from quincunx_shared.farm.celery_settings import celery_settings
from quincunx_shared.farm.queues import CONTROL, DEVICES, queues_of


@pytest.fixture
def flower(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    (tmp_path / "password").write_text("p@ss/word\n")
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_URL", "redis://redis:6379/0")
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_USERNAME", "flower")
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    spec = importlib.util.spec_from_file_location("quincunx_flower", DEPLOY / "flower" / "quincunx_flower.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_shows_every_queue_that_everybody_reads(flower: ModuleType) -> None:
    assert sorted(flower.queue_names()) == sorted([CONTROL, *queues_of(DEVICES)])


def test_it_listens_where_workers_speak(flower: ModuleType) -> None:
    ours = celery_settings("redis://redis:6379/0", "qx")["broker_transport_options"]
    assert flower.app.conf.broker_transport_options["global_keyprefix"] == ours["global_keyprefix"]


def test_its_address_holds_any_password(flower: ModuleType) -> None:
    assert flower.app.conf.broker_url == "redis://flower:p%40ss%2Fword@redis:6379/0"


def test_a_task_is_called_what_it_is_about(flower: ModuleType) -> None:
    title = "render 1a2b3c4d, stage 1, gpu: s17"
    for told in ({"kwargs": repr(title), "args": ""}, {"kwargs": "", "args": title}):
        shown = flower.readable(SimpleNamespace(name="quincunx.run_bundles", **told))
        assert (shown.name, shown.args) == (title, "quincunx.run_bundles")


def test_what_says_nothing_keeps_its_name(flower: ModuleType) -> None:
    assert flower.readable(SimpleNamespace(name="quincunx.advance", args=None, kwargs=None)).name == "quincunx.advance"
