"""The address of the farm's Redis as Celery writes it, and the settings that follow from it."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote, urlsplit

from quincunx_shared.farm.celery_settings import celery_settings
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings


def broker_settings(settings: FarmSettings) -> dict[str, Any]:
    """What `app.conf.update` takes. The address holds the password: it must not be shown. Raises `BadSecret`."""
    url = broker_url(settings)
    found = dict(celery_settings(url, settings.namespace, timeout_seconds=settings.redis_timeout_seconds))
    if url.startswith("rediss:"):
        trusted = {"ssl_ca_certs": str(settings.redis_ca_file)} if settings.redis_ca_file else {}
        found["broker_use_ssl"] = found["redis_backend_use_ssl"] = {"ssl_cert_reqs": ssl.CERT_REQUIRED, **trusted}
    return found


def broker_url(settings: FarmSettings) -> str:
    """The address with the user and the password of this role."""
    parts = urlsplit(settings.redis_url)
    secret = settings.redis_password_file
    user = quote(settings.redis_username, safe="")
    password = quote(read_secret(secret).decode(), safe="") if secret else ""
    who = f"{user}:{password}@" if user or password else ""
    if parts.scheme == "unix":
        database = f"?virtual_host={parts.query.removeprefix('db=')}" if parts.query.startswith("db=") else ""
        return f"redis+socket://{who}{parts.path}{database}"
    return f"{parts.scheme}://{who}{parts.netloc}{parts.path or '/0'}"
