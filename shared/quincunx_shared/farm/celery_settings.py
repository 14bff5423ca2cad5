"""How Celery is set up on both sides of a queue. What Celery on Redis does not promise is written beside the setting.

This module knows no Celery; it only names what `app.conf.update` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The only two tasks of a farm. Names never change: what an older worker does not know it would throw away.
RUN_BUNDLES = "quincunx.run_bundles"
ADVANCE = "quincunx.advance"

#: A message that was taken and not worked off comes back after this time; long before, its bundles are sent again.
VISIBILITY_SECONDS = 60.0

#: A chord that lost one of its messages never ends; what is left of it goes after this time.
CHORD_SECONDS = 3600


def celery_settings(broker_url: str, namespace: str, *, timeout_seconds: float = 5.0) -> Mapping[str, Any]:
    """Settings of an app on this Redis, with all its keys below the name of the farm."""
    prefix = f"{namespace}:celery:"
    transport = {
        "global_keyprefix": prefix,
        "visibility_timeout": VISIBILITY_SECONDS,
        # Lost messages are looked for every few seconds, not after ten times ten.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": timeout_seconds,
        # Longer than a blocking read: redis-py counts the block as silence.
        "socket_timeout": 30.0,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "queue_order_strategy": "quincunx_shared.farm.transport:LookOrder",
        # One list a queue: priorities are queues of their own.
        "priority_steps": [0],
    }
    return {
        "broker_url": broker_url,
        "broker_transport": "quincunx_shared.farm.transport:SturdyTransport",
        "result_backend": broker_url,
        "broker_transport_options": transport,
        "result_backend_transport_options": {"global_keyprefix": prefix},
        # Forever: by default a worker gives up after a hundred tries and is gone when the broker is back.
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "redis_socket_connect_timeout": timeout_seconds,
        "redis_socket_timeout": 30.0,
        "redis_retry_on_timeout": True,
        "redis_backend_health_check_interval": 10,
        # Without it a Redis that restarts while children end loses the chord.
        "result_backend_always_retry": True,
        "result_backend_max_retries": 10,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        # A killed child's message would come back for ever; its bundles are counted and sent again by ourselves.
        "task_reject_on_worker_lost": False,
        "task_ignore_result": True,
        "result_expires": CHORD_SECONDS,
        "result_chord_expires": CHORD_SECONDS,
        "task_create_missing_queues": True,
        "task_store_errors_even_if_ignored": False,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_hijack_root_logger": False,
        "worker_soft_shutdown_timeout": 30.0,
        "worker_enable_soft_shutdown_on_idle": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,
    }
