"""`quincunx doctor` on real servers: a farm that is well, and then one planted fault after the other, each named."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from tests.farm.farm_shell import Answer, Shell, shell_of
from tests.farm.s3_server import S3Server

from quincunx_orchestrator.farm.doctor.broker import check_clock, check_version
from quincunx_orchestrator.farm.doctor.findings import Finding
from quincunx_orchestrator.farm.doctor.here import check_disk, held_bytes
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, start
from quincunx_orchestrator.farm.setup.redis_users import acl_file
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.farm.nodes import Node, RedisNodes
from quincunx_shared.farm.queues import queues_of
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.names import Digest, RenderId

CANARY = "canary"
BUCKET = "quincunx-doctor"
COORDINATOR = Node("ben-1", "coordinator", "ben", 8, version("quincunx"))
WORKER = replace(COORDINATOR, name="anna-1", role="worker", queues=queues_of(("cpu", "gpu")))


@dataclass
class Patient:
    """A farm that is well until something is planted in it."""

    redis: RedisServer
    client: Redis
    folder: Path
    shell: Shell
    monkeypatch: pytest.MonkeyPatch
    cleanings: list[Callable[[], object]] = field(default_factory=list)

    def set(self, name: str, value: object) -> None:
        """Change a setting."""
        self.monkeypatch.setenv(f"QUINCUNX_FARM_{name.upper()}", str(value))

    def secret(self, name: str, content: str) -> Path:
        """Write a file of a secret."""
        path = self.folder / name
        path.write_text(content)
        path.chmod(0o600)
        return path

    def doctor(self) -> tuple[Answer, dict[str, dict[str, Any]]]:
        """What doctor finds, by check."""
        answer = self.shell("doctor", "--json")
        assert answer.out, answer.err
        return answer, {one["check"]: one for one in answer.document["findings"]}


@pytest.fixture
def patient(
    redis: Redis,
    redis_server: RedisServer,
    s3_server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> Iterator[Patient]:
    monkeypatch.setenv("QUINCUNX_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("QUINCUNX_DEV_DIR", str(tmp_path / "dev"))
    monkeypatch.chdir(tmp_path)
    one = Patient(redis_server, redis, tmp_path, shell_of(capsys), monkeypatch)
    s3_server.bucket(BUCKET).make()
    one.set("redis_url", redis_server.url)
    one.set("store", f"s3://{s3_server.endpoint}/{BUCKET}")
    one.set("store_access_key_file", one.secret("access", s3_server.access_key))
    one.set("store_secret_key_file", one.secret("secret", s3_server.secret_key))
    one.set("envelope_key_file", one.secret("envelope", "a key that all of the farm share"))
    one.set("cache_dir", tmp_path / "cache")
    one.set("cache_size", 1_000_000)
    for node in (COORDINATOR, WORKER):
        RedisNodes(redis, "qx").beat(node)
    yield one
    for clean in one.cleanings:
        clean()


def test_a_farm_that_is_well_has_no_faults(patient: Patient) -> None:
    answer, found = patient.doctor()
    # The server of the tests lets everybody in.
    assert [name for name, one in found.items() if one["verdict"] != "ok"] == ["secret redis_password"]
    assert (answer.code, answer.document["healthy"]) == (0, True)
    told = patient.shell("doctor")
    assert told.code == 0
    assert told.err == "no faults, 1 warning\n"
    secret = (patient.folder / "secret").read_text()
    assert secret not in told.out + answer.out
    # It leaves nothing behind.
    assert [key for key in patient.client.keys() if b"doctor" in key] == []  # noqa: SIM118 - of Redis


def no_append_only_file(patient: Patient) -> None:
    patient.client.config_set("appendonly", "no")
    patient.cleanings.append(lambda: patient.client.config_set("appendonly", "yes"))


def a_policy_that_evicts(patient: Patient) -> None:
    patient.client.config_set("maxmemory-policy", "allkeys-lru")
    patient.cleanings.append(lambda: patient.client.config_set("maxmemory-policy", "noeviction"))


def no_redis(patient: Patient) -> None:
    patient.set("redis_url", "redis://127.0.0.1:1/0")


def a_wrong_password(patient: Patient) -> None:
    _user(patient, "~qx:* +@all")
    patient.set("redis_password_file", patient.secret("password", "canary-wrong"))


def a_user_with_few_rights(patient: Patient) -> None:
    _user(patient, "~qx:* +@read +@connection +info +time")


def no_store(patient: Patient) -> None:
    patient.set("store", f"s3://127.0.0.1:1/{BUCKET}")


def no_bucket(patient: Patient) -> None:
    patient.set("store", str(patient.shell("config", "show", "--json").document["settings"]["store"]) + "-2")


def a_wrong_key(patient: Patient) -> None:
    patient.secret("secret", "canary-wrong")


def a_key_without_rights(patient: Patient) -> None:
    patient.secret("access", "farm:guest")


def no_envelope_key(patient: Patient) -> None:
    patient.set("envelope_key_file", "")


def an_open_secret(patient: Patient) -> None:
    (patient.folder / "secret").chmod(0o644)


def no_secret(patient: Patient) -> None:
    (patient.folder / "secret").unlink()


def both_runtimes(patient: Patient) -> None:
    for name in ("onnxruntime", "onnxruntime_gpu"):
        folder = patient.folder / f"{name}-1.30.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.30\n")
    patient.monkeypatch.syspath_prepend(patient.folder)


def no_coordinator(patient: Patient) -> None:
    RedisNodes(patient.client, "qx").leave("ben-1")


def no_worker_for_a_queue(patient: Patient) -> None:
    RedisNodes(patient.client, "qx").beat(replace(WORKER, queues=queues_of(("cpu",))))
    patient.client.rpush("qx:celery:quincunx.gpu.user", "message")


def a_lease_that_ended(patient: Patient) -> None:
    store = RedisJobStore(patient.client, "qx")
    store.submit(Accepted(RenderId("one"), Digest("0" * 64), "one", Submission()))
    store.claim_next("ben-0")
    patient.client.zadd("qx:running", {"one": time.time() - 60})


def a_file_in_place_of_the_store(patient: Patient) -> None:
    (patient.folder / "file").touch()
    patient.set("store", (patient.folder / "file").as_uri())


def _user(patient: Patient, rights: str) -> None:
    _acl(patient.client, "SETUSER", "somebody", "on", ">canary", *rights.split())
    patient.cleanings.append(lambda: _acl(patient.client, "DELUSER", "somebody"))
    patient.set("redis_username", "somebody")
    patient.set("redis_password_file", patient.secret("password", "canary"))


def _acl(client: Redis, *command: str) -> None:
    client.execute_command("ACL", *command)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("plant", "check", "said", "code"),
    [
        (no_append_only_file, "Redis persistence", "append-only file is off", 1),
        (a_policy_that_evicts, "Redis policy", "allkeys-lru", 1),
        (no_redis, "Redis", "no answer", 6),
        (a_wrong_password, "Redis", "the user or the password is wrong", 1),
        (a_user_with_few_rights, "Redis rights", "may not write keys", 1),
        (no_store, "store", "does not answer", 6),
        (no_bucket, "bucket", f"there is no bucket {BUCKET}-2", 1),
        (a_wrong_key, "bucket rights", "refuses", 1),
        (a_key_without_rights, "bucket rights", "this key may not do that in this bucket", 1),
        (no_envelope_key, "secret envelope_key", "no key is named", 1),
        (an_open_secret, "secret store_secret_key", "everybody on this machine may read it", 1),
        (no_secret, "secret store_secret_key", "No such file", 1),
        (both_runtimes, "ONNX Runtime", "both are installed", 1),
        (no_coordinator, "coordinator", "none runs", 1),
        (no_worker_for_a_queue, "workers", "nobody takes from quincunx.gpu.user", 1),
        (a_lease_that_ended, "leases", "1 running jobs are in nobody's hands", 1),
        (a_file_in_place_of_the_store, "store", "cannot be written to", 1),
    ],
)
def test_a_planted_fault_is_named_and_nothing_else_is_blamed(
    patient: Patient, plant: Callable[[Patient], None], check: str, said: str, code: int
) -> None:
    plant(patient)
    answer, found = patient.doctor()
    assert answer.code == code
    assert found[check]["verdict"] == "fault"
    assert said in found[check]["what"]
    assert found[check]["remedy"]
    assert [name for name, one in found.items() if one["verdict"] == "fault"] == [check]
    assert "canary" not in answer.out + answer.err


@pytest.mark.parametrize("role", ["client", "coordinator", "worker"])
def test_the_users_of_a_farm_may_do_what_doctor_tries(patient: Patient, tmp_path: Path, role: str) -> None:
    digest = hashlib.sha256(CANARY.encode()).hexdigest()
    users = tmp_path / "users.acl"
    users.write_text(acl_file("qx", dict.fromkeys(("coordinator", "client", "worker", "flower"), digest)))
    server = start(tmp_path / "redis", ServerOptions(acl_file=users))
    try:
        with closing(connect_to(server.url, username="coordinator", password=CANARY)) as client:
            for node in (COORDINATOR, WORKER):
                RedisNodes(client, "qx").beat(node)
        patient.set("redis_url", server.url)
        patient.set("redis_username", role)
        patient.set("redis_password_file", patient.secret("password", "canary"))
        answer, found = patient.doctor()
        assert answer.code == 0
        assert [one for one in found.values() if one["verdict"] not in ("ok", "skipped")] == []
        assert [one for one in found if one.startswith("coordinator")] == (
            ["coordinator, workers, leases"] if role == "worker" else ["coordinator"]
        )
    finally:
        server.kill()


def test_a_node_of_another_version_is_a_warning(patient: Patient) -> None:
    RedisNodes(patient.client, "qx").beat(replace(WORKER, version="0.0.9"))
    answer, found = patient.doctor()
    assert (answer.code, found["versions"]["verdict"]) == (0, "warning")
    assert "anna-1 runs 0.0.9" in found["versions"]["what"]


def test_workers_that_compute_differently_are_a_warning(patient: Patient) -> None:
    nodes = RedisNodes(patient.client, "qx")
    nodes.beat(replace(WORKER, device="cpu", numeric_class="cpu avx2"))
    nodes.beat(replace(WORKER, name="anna-2", device="gpu", numeric_class="cuda"))
    assert "numeric classes" not in patient.doctor()[1]
    nodes.beat(replace(WORKER, name="anna-3", device="cpu", numeric_class="cpu avx512"))
    answer, found = patient.doctor()
    assert (answer.code, found["numeric classes"]["verdict"]) == (0, "warning")
    assert "anna-3: cpu avx512" in found["numeric classes"]["what"]


def test_a_clock_that_is_wrong_is_named(redis: Redis) -> None:
    def at(hours: float) -> Finding:
        return check_clock(redis, lambda: time.time() + hours * 3600)

    assert at(0.0).verdict == "ok"
    assert (at(2.0).verdict, at(2.0).what) == ("fault", "this machine's clock is 7200.0 s ahead of that of Redis")
    assert at(-2.0).what == "this machine's clock is 7200.0 s behind that of Redis"
    assert at(0.002).verdict == "warning"


def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_disk(tmp_path / "not" / "yet", 10**6).verdict == "ok"
    assert check_disk(tmp_path, 10**18).verdict == "warning"
    monkeypatch.setattr("quincunx_orchestrator.farm.doctor.here.SCARCE_BYTES", 10**18)
    assert check_disk(tmp_path, 10**6).verdict == "fault"


def test_what_is_evicted_while_the_cache_is_measured_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "held").write_bytes(b"four")
    assert held_bytes([tmp_path / "evicted", tmp_path / "held"]) == 4


def test_a_terminal_without_colour_gets_none(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32mok" in patient.shell("doctor").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in patient.shell("doctor").out


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [({"redis_version": "6.2.14"}, "fault"), ({"redis_version": "7.0.0"}, "ok"), ({}, "skipped")],
)
def test_a_redis_that_is_too_old_is_named(facts: dict[str, str], verdict: str) -> None:
    assert check_version(facts).verdict == verdict
