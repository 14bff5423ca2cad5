"""The commands about jobs and nodes, on a real Redis."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from tests.farm.farm_shell import Shell, shell_of

from quincunx_orchestrator.farm.job import Priority
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, start
from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.events import RenderPlanned, StageStarted, StepFailed, StepRan
from quincunx_shared.farm.nodes import Node, RedisNodes
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.names import Digest, RenderId, SegmentId

ORDER = Digest("0" * 64)
WORKER = Node("anna-1", "worker", "anna", 7, "0.1.0", "cpu", ("quincunx.cpu.user",), 2)
COORDINATOR = Node("ben-1", "coordinator", "ben", 8, "0.1.0")


@pytest.fixture
def client(redis: Redis, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Redis:
    """The farm that commands find."""
    monkeypatch.setenv("QUINCUNX_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("QUINCUNX_DEV_DIR", str(tmp_path / "dev"))
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_URL", redis_server.url)
    monkeypatch.setenv("QUINCUNX_FARM_STORE", (tmp_path / "blobs").as_uri())
    key = tmp_path / "envelope"
    key.write_text("a key of this farm, thirty-two bytes at least")
    key.chmod(0o600)
    monkeypatch.setenv("QUINCUNX_FARM_ENVELOPE_KEY_FILE", str(key))
    monkeypatch.chdir(tmp_path)
    return redis


@pytest.fixture
def shell(client: Redis, capsys: pytest.CaptureFixture[str]) -> Shell:  # noqa: ARG001 - a farm for the commands
    return shell_of(capsys)


@pytest.fixture
def store(client: Redis) -> RedisJobStore:
    return RedisJobStore(client, "qx")


@pytest.fixture
def nodes(client: Redis) -> RedisNodes:
    return RedisNodes(client, "qx")


def submit(store: RedisJobStore, name: str, song: str = "song.ustx", priority: Priority = "user") -> RenderId:
    how = Submission(song=f"/songs/{song}", priority=priority)
    return store.submit(Accepted(RenderId(name), ORDER, name, how))[0]


def end(store: RedisJobStore, name: str, state: str, **counts: int) -> None:
    claim = store.claim_next("ben-1")
    assert claim is not None
    assert claim.render == name
    assert store.end(claim.render, claim.token, state, {"counts": counts})


def test_jobs_lists_what_waits_and_history_what_is_over(shell: Shell, store: RedisJobStore) -> None:
    assert shell("jobs").err == "Nothing waits and nothing runs.\n"
    submit(store, "aaaaaaaaaaaa", "one.ustx")
    end(store, "aaaaaaaaaaaa", "partial", run=7, recalled=2, failed=1)
    submit(store, "bbbbbbbbbbbb", "two.ustx", "background")
    answer = shell("jobs")
    assert answer.code == 0
    assert [line.split()[:4] for line in answer.out.splitlines()] == [
        ["ID", "STATE", "CLASS", "SONG"],
        ["bbbbbbbb", "pending", "background", "two.ustx"],
    ]
    assert "7 run, 2 recalled, 1 failed" in shell("history").out
    document = shell("history", "--json").document
    assert document["schema"] == 1
    assert [(one["render"], one["state"]) for one in document["jobs"]] == [("aaaaaaaaaaaa", "partial")]
    assert shell("history", "--state", "failed", "--json").document["jobs"] == []
    assert shell("history", "--since", "2000-01-01", "--json").document["jobs"] != []
    assert shell("history", "--since", "soon").code == 2


def test_show_says_what_a_job_waits_for(shell: Shell, store: RedisJobStore, nodes: RedisNodes, client: Redis) -> None:
    submit(store, "first")
    name = submit(store, "second")

    def waits() -> str:
        document = shell("show", "second", "--json").document
        return str(document["waits_for"])

    assert waits() == "a coordinator: none runs; start one with `quincunx coordinator`"
    nodes.beat(COORDINATOR)
    assert waits() == "1 job served before it"
    shell("cancel", "first")
    assert waits() == "a coordinator with a free place"
    nodes.drain("ben-1", "new disk")
    assert "all are drained (new disk)" in waits()
    nodes.undrain("ben-1")
    shell("pause", "second", "-r", "the mixer asked")
    assert waits() == "it was paused: the mixer asked; `quincunx resume second`"
    shell("resume", "second")
    store.claim_next("ben-1")
    assert waits() == "a worker: none runs; start one with `quincunx worker`"
    nodes.beat(WORKER)
    assert waits() == "None"
    work = RedisWorkState(client, "qx")
    work.release(name, 1, {"1/s/r": b"{}"})
    client.rpush("qx:celery:quincunx.cpu.user", "a message", "another")
    assert waits() == "a free worker: 2 messages in quincunx.cpu.user"
    grant = work.lease(name, ["1/s/r"], "anna-1")
    assert waits() == "None"
    work.hand_back(name, ["1/s/r"], grant.token, "acoustic 3 is not installed here")
    assert "acoustic 3 is not installed here" in waits()
    assert "waits for" in shell("show", "sec").out


def test_a_job_under_way_tells_how_far_it_is(shell: Shell, store: RedisJobStore, client: Redis) -> None:
    name = submit(store, "one")
    assert "STEPS" not in shell("jobs").out
    assert store.claim_next("ben-1") is not None
    log = RedisEventLog(client, "qx", name)
    log.append_all([RenderPlanned(name, 40, 0, 0), StageStarted(name, 0, 2)])
    log.append(StepRan(SegmentId("s1"), "pitch", "", 0.1))
    log.append_all([StepFailed(SegmentId(f"s{one}"), "pitch", "notes[0].lyric: no word") for one in range(2, 9)])
    assert shell("jobs").out.rstrip().endswith("so far")
    told = shell("show", "one").out.splitlines()
    assert "steps        8 of 40 steps done, 7 failed; stage 1" in told
    # Its order is gone: then no bar is known, and everything else is told all the same.
    assert "failed       s2 (pitch): notes[0].lyric: no word" in told
    assert told[-1] == "failed       2 more; `quincunx logs one --failed`"
    RedisNodes(client, "qx").beat(WORKER)
    client.rpush("qx:celery:quincunx.cpu.user", "a message")
    document = shell("show", "one", "--json").document
    assert document["progress"]["done"] == 8
    # Something was heard of it a moment ago: what lies in the queue is its own, or does not hold it up.
    assert document["waits_for"] is None
    assert "s2 pitch FAILED" in shell("logs", "one").out


def test_a_watch_that_hears_nothing_says_why(
    shell: Shell, store: RedisJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quincunx_orchestrator.cli.farm.following.SILENCE_SECONDS", 0.0)
    submit(store, "one")
    answer = shell("watch", "one", "--timeout", "0.05")
    assert answer.code == 8
    assert answer.err.splitlines() == [
        "It waits for a coordinator: none runs; start one with `quincunx coordinator`.",
        "Not over after 0.05 s. `quincunx show one` says why.",
    ]


def test_jobs_are_found_by_their_tag(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    store.submit(Accepted(RenderId("two"), ORDER, "two", Submission(tags=("album", "b"))))
    assert [one["render"] for one in shell("jobs", "--tag", "album", "--json").document["jobs"]] == ["two"]
    assert shell("jobs", "--tag", "alb", "--json").document["jobs"] == []


def test_cancel_answers_what_semantics_say(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    end(store, "one", "succeeded")
    submit(store, "two")
    answer = shell("cancel", "two", "two", "--json")
    rows = [{"render": "two", "answer": "cancelled"}, {"render": "two", "answer": "already cancelled"}]
    assert (answer.code, answer.document["answers"]) == (0, rows)
    assert shell("cancel", "one").err == "one: already ended\n"
    assert shell("cancel", "one").code == 1
    answer = shell("cancel", "nobody")
    assert (answer.code, answer.err) == (5, "nobody: not found\n")


def test_nothing_is_cancelled_where_one_of_the_ids_may_be_several(shell: Shell, store: RedisJobStore) -> None:
    for name in ("one", "ab1", "ab2"):
        submit(store, name)
    answer = shell("cancel", "one", "ab")
    assert (answer.code, "2 jobs begin so" in answer.err) == (2, True)
    assert [one.state for one in store.jobs()] == ["pending"] * 3


def test_what_changes_a_job_answers_with_a_document(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    told = {"schema": 1, "render": "one"}
    assert shell("pause", "one", "--json").document == {**told, "state": "paused"}
    assert shell("resume", "one", "--json").document == {**told, "state": "pending"}
    answer = shell("priority", "one", "background", "--json")
    assert answer.document == {**told, "state": "pending", "priority": "background"}
    assert answer.err == ""


def test_a_job_that_is_left_to_itself_is_a_document_too(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    answer = shell("watch", "one", "--timeout", "0.05", "--json")
    document = json.loads(answer.out.splitlines()[-1])
    assert answer.code == 8
    assert (document["schema"], document["render"], document["state"]) == (1, "one", "pending")
    assert document["output"] is None


def test_a_list_that_is_cut_says_so(shell: Shell, store: RedisJobStore) -> None:
    for name in ("one", "two", "three"):
        submit(store, name)
    answer = shell("jobs", "--limit", "2")
    assert answer.err == "Only the newest 2 are listed; --limit lists more.\n"
    assert shell("jobs", "--limit", "2", "--json").document["more"] is True
    assert shell("jobs", "--limit", "3", "--json").document["more"] is False
    assert shell("jobs", "--limit", "3").err == ""


def test_an_id_that_fits_several_jobs_or_none_is_refused(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "ab1")
    submit(store, "ab2")
    assert shell("show", "ab").code == 2
    assert shell("show", "x").code == 5
    assert shell("show", "").code == 5


def test_a_priority_changes_who_is_served_first(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    submit(store, "two")
    assert shell("priority", "two", "system").code == 0
    claim = store.claim_next("ben-1")
    assert claim is not None
    assert claim.render == "two"
    assert shell("priority", "two", "urgent").code == 2


def test_nothing_more_of_a_paused_job_begins(shell: Shell, store: RedisJobStore, client: Redis) -> None:
    render, work = submit(store, "one"), RedisWorkState(client, "qx")
    first = store.claim_next("ben-1")
    assert first is not None
    assert work.release(render, first.generation, {"1/s1/mix": b"a", "1/s2/mix": b"b"})
    token = work.lease(render, ["1/s1/mix"], "anna-1").token
    assert shell("pause", "one").code == 0
    assert work.begin(render, ["1/s1/mix"], token) == ("stop",)
    assert not work.lease(render, ["1/s2/mix"], "anna-1").bundles
    # Its coordinator has not heard of it yet.
    assert not work.release(render, first.generation, {"1/s3/mix": b"c"})
    assert shell("resume", "one").code == 0
    again = store.claim_next("ben-1")
    assert again is not None
    assert work.release(render, again.generation, {f"{again.generation}/s1/mix": b"a"})


def test_what_is_over_cannot_be_paused(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    end(store, "one", "succeeded")
    for command in (("pause", "one"), ("resume", "one"), ("priority", "one", "user")):
        answer = shell(*command)
        assert (answer.code, "this job is over: succeeded" in answer.err) == (1, True)


def test_retry_submits_the_same_order_under_a_new_name(shell: Shell, store: RedisJobStore) -> None:
    submit(store, "one")
    end(store, "one", "partial", failed=1)
    submit(store, "two")
    end(store, "two", "succeeded")
    assert shell("retry", "two").code == 2
    assert shell("retry").code == 2
    (row,) = shell("retry", "--failed", "--json").document["retried"]
    assert row["retries"] == "one"
    again = store.get(RenderId(row["render"]))
    assert again is not None
    assert (again.state, again.order, again.song) == ("pending", ORDER, "/songs/song.ustx")


def test_a_retry_that_fills_the_queue_tells_of_those_that_were_taken(
    shell: Shell, store: RedisJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUINCUNX_FARM_MAX_JOBS", "1")
    for name in ("one", "two"):
        submit(store, name)
        end(store, name, "failed", failed=1)
    answer = shell("retry", "one", "two", "--json")
    assert answer.code == 1
    assert [row["retries"] for row in answer.document["retried"]] == ["one"]
    assert "1 jobs are waiting" in answer.err


def test_a_node_is_drained_for_a_reason_that_everybody_sees(shell: Shell, nodes: RedisNodes) -> None:
    nodes.beat(replace(WORKER, taking=False))
    nodes.beat(replace(WORKER, name="anna-2", doing=("render 1, acoustic: s1",)))
    assert shell("node", "drain", "anna-3", "-r", "x").code == 5
    assert shell("node", "drain", "anna-1").code == 2
    assert shell("node", "drain", "anna-*", "-r", "a new disk").err.count("takes no more work") == 2
    told = shell("nodes").out
    assert "takes no more: a new disk; render 1, acoustic: s1" in told
    assert [one["state"] for one in shell("nodes", "--json").document["nodes"]] == ["drained", "draining"]
    assert shell("node", "undrain", "anna-1", "--json").document["nodes"] == [{"node": "anna-1", "drained": False}]
    assert shell("nodes", "--json").document["nodes"][0]["drain"] is None


def test_a_user_without_a_name_drains_a_node_as_well(
    shell: Shell, nodes: RedisNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.beat(WORKER)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    answer = shell("node", "drain", "anna-1", "-r", "a test", "--json")
    assert answer.document["nodes"] == [{"node": "anna-1", "drained": True}]
    (node,) = nodes.seen()
    assert node.drain is not None
    assert node.drain.by == "uid 4000000000"


def test_without_a_farm_and_without_an_answer_the_code_is_six(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_URL", "redis://127.0.0.1:1/0")
    answer = shell("jobs")
    assert answer.code == 6
    assert "redis://127.0.0.1:1/0: no answer" in answer.err
    monkeypatch.delenv("QUINCUNX_FARM_REDIS_URL")
    monkeypatch.setenv("QUINCUNX_DEV_DIR", str(tmp_path))
    answer = shell("jobs")
    assert answer.code == 6
    assert "no farm is named: nothing sets redis_url" in answer.err


def test_every_command_works_as_the_user_of_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    secrets = tmp_path / "secrets"
    SecretFolder(secrets).fill("qx", "quincunx")
    server = start(tmp_path / "redis", ServerOptions(acl_file=secrets / "redis" / "users.acl"))
    try:
        password = (secrets / "coordinator" / "redis_password").read_text().strip()
        with closing(connect_to(server.url, username="coordinator", password=password)) as client:
            store = RedisJobStore(client, "qx")
            submit(store, "one")
            end(store, "one", "failed")
            submit(store, "two")
            RedisNodes(client, "qx").beat(WORKER)
        monkeypatch.setenv("QUINCUNX_FARM_REDIS_URL", server.url)
        monkeypatch.setenv("QUINCUNX_FARM_REDIS_USERNAME", "client")
        monkeypatch.setenv("QUINCUNX_FARM_REDIS_PASSWORD_FILE", str(secrets / "client" / "redis_password"))
        for typed in (
            "jobs",
            "history",
            "show two",
            "logs two",
            "pause two",
            "resume two",
            "priority two background",
            "retry one",
            "cancel two",
            "nodes",
            "node drain anna-1 -r test",
            "node undrain anna-1",
            "schedule list",
        ):
            answer = shell(*typed.split())
            assert answer.code == 0, (typed, answer.err)
        assert shell("watch", "two").code == 7
        wrong = tmp_path / "wrong"
        wrong.write_text("canary")
        wrong.chmod(0o600)
        monkeypatch.setenv("QUINCUNX_FARM_REDIS_PASSWORD_FILE", str(wrong))
        answer = shell("jobs")
        assert (answer.code, "the user or the password is wrong" in answer.err) == (4, True)
        assert "canary" not in answer.err
    finally:
        server.kill()
