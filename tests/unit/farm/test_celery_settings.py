"""Celery throws away what it does not know without a word."""

from __future__ import annotations

from celery.app.defaults import NAMESPACES, flatten

from quincunx_shared.farm.celery_settings import celery_settings


def test_every_setting_is_one_celery_knows() -> None:
    # Its own list lacks one that it reads.
    known = {name for name, _ in flatten(NAMESPACES)} | {"redis_backend_health_check_interval"}
    assert set(celery_settings("redis://localhost/0", "qx")) <= known
