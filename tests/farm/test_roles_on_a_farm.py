"""A whole farm whose processes are users of Redis with the rights of their role, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.real_farm import NearClient, RealFarm, real_farm
from tests.farm.waiting import until

from quincunx_orchestrator.farm.schedule import Schedule
from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_orchestrator.farm.stopping import cancel, pause
from quincunx_shared.farm.queues import work_queue


def as_user(secrets: Path, role: str) -> dict[str, str]:
    """The settings of a process of this role."""
    return {
        "QUINCUNX_FARM_REDIS_USERNAME": role,
        "QUINCUNX_FARM_REDIS_PASSWORD_FILE": str(secrets / role / "redis_password"),
    }


def with_users(farm: RealFarm, secrets: Path) -> None:
    """Let nobody into the farm's Redis but the users that the set-up makes; this process is a client."""
    SecretFolder(secrets).fill(farm.settings.namespace, "quincunx")
    (farm.folder / "users.acl").write_bytes((secrets / "redis" / "users.acl").read_bytes())
    farm.server.restart()
    password = secrets / "client" / "redis_password"
    farm.settings = farm.settings.model_copy(update={"redis_username": "client", "redis_password_file": password})


def pause_and_resume(near: NearClient, farm: RealFarm) -> None:
    """A paused job lets go of its workers, though much of its stage waits for them; resumed, it comes to its end."""
    jobs, waiting = near.farm.jobs, f"{farm.settings.namespace}:celery:{work_queue('cpu', 'user')}"
    song = ProofSong(8, seconds=0.15, salt=3, trace=farm.new_trace())
    render = near.submit(song)
    until(lambda: len(farm.begun()) > 1, 30.0)
    before = len(farm.begun())
    assert pause(jobs, near.farm.work, render) == "running"
    until(lambda: near.farm.redis.llen(waiting) == 0, 30.0)
    assert len(farm.begun()) <= before + 3 < 32
    assert jobs.resume(render) == "paused"
    assert np.array_equal(near.collect(song, render).payloads[TARGET], song.reference().sound)


def test_a_farm_whose_roles_have_only_their_rights_renders_cancels_and_runs_schedules(tmp_path: Path) -> None:
    with real_farm(tmp_path) as farm:
        secrets = tmp_path / "secrets"
        with_users(farm, secrets)
        farm.coordinator(**as_user(secrets, "coordinator"))
        farm.worker("one", "cpu", 1, **as_user(secrets, "worker"))
        farm.worker("two", "gpu", 2, **as_user(secrets, "worker"))
        farm.ready()
        song = ProofSong(4, colours=STAGED)
        with farm.client() as near:
            result = near.render(song)
            assert result.state == "succeeded"
            assert np.array_equal(result.payloads[TARGET], song.reference().sound)
            assert len(near.render(song).ran) == 0
            pause_and_resume(near, farm)
            slow = near.submit(ProofSong(4, seconds=5.0, salt=1))
            assert cancel(near.farm.jobs, near.farm.work, slow) == "cancelled"
            schedules = near.farm.schedules()
            kept = near.farm.client().keep(ProofSong(2, colours=STAGED, salt=2).bound(), [TARGET])
            schedules.set(Schedule("tick", "* * * * * *", kept))
            until(lambda: any(one.order == kept.order for one in near.farm.jobs.jobs(["succeeded"])), 30.0)
            assert schedules.remove("tick")
        said = farm.logs()
        assert "NOPERM" not in said
        assert "No permission" not in said
