"""What a job waits for, in words."""

from __future__ import annotations

from dataclasses import replace

from quincunx_orchestrator.farm.job import JobRecord
from quincunx_orchestrator.farm.waits import Surroundings, what_it_waits_for
from quincunx_shared.names import Digest, RenderId

RUNNING = JobRecord(RenderId("one"), "running", Digest("0" * 64), generation=3, note="S3 does not answer")


def test_a_job_that_met_an_error_says_which_until_somebody_tries_again() -> None:
    told = what_it_waits_for(RUNNING, Surroundings())
    assert told == "another attempt, after attempt 3 met an error: S3 does not answer"
    assert "S3" not in what_it_waits_for(replace(RUNNING, note=""), Surroundings())
