"""How Flower is set up: for eyes, behind a password, with tasks under names that a person understands."""

from __future__ import annotations

import os
from pathlib import Path

from celery.events import EventReceiver
from flower.inspector import Inspector
from quincunx_flower import readable

# To ask workers about themselves, or to wake them, is a message to all of them. This user may send none, and they would
# not answer; what is shown comes from the events that they send by themselves.
Inspector.inspect_methods = ()
EventReceiver.wakeup_workers = lambda *_, **__: None

address = os.environ.get("QUINCUNX_FLOWER_ADDRESS", "0.0.0.0")  # noqa: S104 - the network decides who reaches it
port = int(os.environ.get("QUINCUNX_FLOWER_PORT", "5555"))

#: NAME:PASSWORD a line.
basic_auth = Path(os.environ.get("QUINCUNX_FLOWER_LOGIN_FILE", "/run/secrets/login")).read_text().split()

#: No button that changes anything. Its user in Redis could not, either.
read_only = True

#: Workers send events by themselves; to ask for them would be a message that this user may not send.
enable_events = False

#: A day of songs; nothing is written to disk.
max_tasks = 20_000
persistent = False
purge_offline_workers = 3600

tasks_columns = "name,state,worker,received,runtime"
natural_time = True

format_task = readable
