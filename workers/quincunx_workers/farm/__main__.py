"""`python -m quincunx_workers.farm`: a worker of a farm, under a supervisor of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial

from quincunx_shared.errors import BadInput, QuincunxError
from quincunx_shared.farm.logs import start_logging
from quincunx_shared.farm.queues import DEVICES, queues_of
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.settings_layers import load_settings
from quincunx_shared.hints import did_you_mean
from quincunx_shared.stores.farm_store import machine_folder
from quincunx_workers.farm.node_name import own_name
from quincunx_workers.farm.supervisor import Supervisor

#: A device computes one step at a time; the others of so many fetch, store, or wait for it.
GPU_SLOTS = 4


#: What the names of all queues of work begin with; a person may leave it out.
_FAMILY = "quincunx."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker until SIGTERM."""
    try:
        chosen = _parsed(arguments)
        settings = load_settings().settings
        names = machine_folder(settings) / "workers"
        with nullcontext(chosen.name) if chosen.name else own_name(chosen.device, names) as name:
            return _run(chosen, settings, name)
    except QuincunxError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what is wrong with the settings is all there is to say
        return error.exit_code


def _run(chosen: argparse.Namespace, settings: FarmSettings, name: str) -> int:
    from quincunx_workers.farm.running import run

    work = partial(run, name, chosen.device, chosen.queues, chosen.concurrency)
    if chosen.alone:
        return work()
    start_logging(settings, "worker", node=name)
    return Supervisor(work, logging.getLogger(__name__).warning).run()


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m quincunx_workers.farm", description=__doc__)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--queues", default="", help="devices or names of queues, with commas; those of its own device")
    parser.add_argument("--concurrency", type=int, help="bundles at once: one a core, or 4 on a gpu")
    parser.add_argument("--name", default="", help="how the farm calls this worker; by machine and device by default")
    parser.add_argument("--alone", action="store_true", help="without a supervisor")
    chosen = parser.parse_args(arguments)
    chosen.queues = _queues(chosen.queues) or queues_of([chosen.device])
    chosen.concurrency = chosen.concurrency or (GPU_SLOTS if chosen.device == "gpu" else os.cpu_count() or 1)
    return chosen


def _queues(text: str) -> tuple[str, ...]:
    """Names of queues; that of a device stands for all of its own, so that `cpu,gpu` is all work there is.

    Raises `BadInput` for others: nobody would ever put anything into a queue whose name is a slip.
    """
    named = [one.strip() for one in text.split(",") if one.strip()]
    return (*queues_of(one for one in named if one in DEVICES), *(_queue(one) for one in named if one not in DEVICES))


def _queue(name: str) -> str:
    """The queue of this name, with or without what all of them begin with."""
    whole = name if name.startswith(_FAMILY) else _FAMILY + name
    if whole in queues_of(DEVICES):
        return whole
    known = [*DEVICES, *(one.removeprefix(_FAMILY) for one in queues_of(DEVICES))]
    told = f"there is no queue {name!r}{did_you_mean(name, known)}"
    raise BadInput(told, where="--queues", remedy=f"one or more of {', '.join(known)}")


if __name__ == "__main__":
    sys.exit(main())
