"""The farm as Flower sees it: where its events are, and the names of its queues.

Flower has an image of its own without this project's packages, so the names stand here once more; tests compare them.
It is told the same variables as every role, and speaks to Redis as a user that can only look.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from celery import Celery
from kombu import Queue

DEVICES = ("cpu", "gpu")
PRIORITIES = ("system", "user", "background")
CONTROL = "quincunx.control"


def broker_url(address: str, user: str, password: str) -> str:
    """The address with a name and a password, as Celery wants it."""
    parts = urlsplit(address)
    who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return f"{parts.scheme}://{who}{parts.netloc}{parts.path or '/0'}"


def queue_names() -> tuple[str, ...]:
    """All queues that everybody reads."""
    return (CONTROL, *(f"quincunx.{device}.{priority}" for device in DEVICES for priority in PRIORITIES))


def new_app() -> Celery:
    """An app that hears events and counts messages; it has no task and can send none."""
    told = {
        name: os.environ.get(f"QUINCUNX_FARM_{name}", "") for name in ("REDIS_URL", "REDIS_USERNAME", "REDIS_CA_FILE")
    }
    secret = os.environ.get("QUINCUNX_FARM_REDIS_PASSWORD_FILE", "")
    password = Path(secret).read_text(encoding="ascii").strip() if secret else ""
    namespace = os.environ.get("QUINCUNX_FARM_NAMESPACE") or "qx"
    app = Celery("quincunx-flower", broker=broker_url(told["REDIS_URL"], told["REDIS_USERNAME"], password))
    app.conf.update(
        broker_transport_options={"global_keyprefix": f"{namespace}:celery:", "socket_keepalive": True},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        accept_content=["json"],
        task_default_queue=CONTROL,
        task_queues=[Queue(name, routing_key=name) for name in queue_names()],
    )
    if told["REDIS_URL"].startswith("rediss:"):
        trusted = {"ssl_ca_certs": told["REDIS_CA_FILE"]} if told["REDIS_CA_FILE"] else {}
        app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED, **trusted}
    return app


def readable(task: Any) -> Any:
    """Show what a message is about, `render 1a2b3c4d, stage 1, gpu: s17`, in the place of a task's name."""
    about = next((text for told in (task.kwargs, task.args) if (text := str(told or "").strip("'\""))), "")
    if about and str(task.name or "").startswith("quincunx."):
        task.name, task.args, task.kwargs = about, task.name, ""
    return task


app = new_app()
