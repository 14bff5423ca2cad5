"""What is counted over all processes of a worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

from quincunx_workers.farm.tally import Tally


def test_processes_and_threads_count_together() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(200):
            tally.count("ran")

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=count) for _ in range(2)]
    for child in children:
        child.start()
    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for child in children:
        child.join()
    for thread in threads:
        thread.join()
    tally.count("forged", 3)
    assert tally.counts() == {"forged": 3, "garbage": 0, "misfit": 0, "outage": 0, "drained": 0, "ran": 800}


def test_a_process_that_is_killed_while_it_counts_holds_up_nobody() -> None:
    tally = Tally()

    def die() -> None:
        with tally._alone():
            os.kill(os.getpid(), signal.SIGKILL)

    child = multiprocessing.get_context("fork").Process(target=die)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    tally.count("ran")
    assert tally.counts()["ran"] == 1
