"""The cache of a farm, looked after through the command line: real Redis, store in a folder and on a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.contract.test_signature_index import name_of
from tests.farm.farm_shell import Shell, shell_of

from quincunx_orchestrator.core.bound import Reach
from quincunx_orchestrator.farm import upkeep as farm_upkeep
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.order import OrderedSong, order_to_bytes
from quincunx_orchestrator.farm.order_rows import OrderedSegment, OrderedStep
from quincunx_orchestrator.farm.schedule import Schedule
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.settings_layers import load_settings
from quincunx_shared.names import Digest, RenderId, SegmentId, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs
from quincunx_shared.recipe import RecipeStep, Source
from quincunx_shared.stores import upkeep
from quincunx_shared.stores.farm_store import FarmStore, store_from
from quincunx_shared.stores.journal import JournalledIndex, rebuild
from quincunx_shared.stores.memory import MemoryIndex

if TYPE_CHECKING:
    from redis import Redis
    from tests.farm.s3_server import S3Server

    from quincunx_orchestrator.farm.redis_server import RedisServer
    from quincunx_shared.stores.bucket import Bucket

SIZE = 40_000
STEPS = ("acoustic", "vocoder")


class Farm:
    """A farm on which songs were rendered, without the workers that did it."""

    def __init__(self, redis: Redis, store: FarmStore) -> None:
        self.store = store
        self.plain = RedisIndex(redis)
        self.index = JournalledIndex(self.plain, store.documents)
        self.jobs = RedisJobStore(redis, "qx")
        self.schedules = RedisSchedules(redis, "qx", self.jobs, store.documents)
        redis.set("qx:epoch", "1")

    def store_result(self, name: str) -> Outputs:
        """A result as a step leaves it: a large output and a small one."""
        content = content_of(name)
        self.store.blobs.put(digest_of_bytes(content), content)
        small = name.encode()
        outputs = (
            ParamRef(digest_of_bytes(content), "bytes", SIZE),
            ParamRef(digest_of_bytes(small), "bytes", len(small), inline=small),
        )
        self.index.add({name_of(name): outputs})
        self.index.flush()
        return outputs

    def render(self, song: str, *results: str, ended: bool = True) -> RenderId:
        """Let a song have been rendered of these results, `<step> …` each; its input is a payload of its own."""
        payload = content_of(f"input of {song}")
        self.store.blobs.put(digest_of_bytes(payload), payload)
        source = Source(value=ParamRef(digest_of_bytes(payload), "bytes", SIZE))
        steps = {
            str(place): OrderedStep(
                RecipeStep(str(place), name.split()[0], {}, (), ("out",)),
                "recipe",
                "cpu",
                0,
                {"out": 0},
                ((source,),),
                name_of(name),
                nameless=False,
            )
            for place, name in enumerate(results)
        }
        segment = SegmentId("p1")
        order = order_to_bytes(OrderedSong({segment: OrderedSegment(steps, Reach.of(segment, steps))}), [])
        self.store.blobs.put(digest_of_bytes(order), order)
        render = RenderId(digest_of_bytes(order)[:16])
        how = Submission(f"/songs/{song}", f"key of {song}")
        self.jobs.submit(Accepted(render, digest_of_bytes(order), render, how))
        if ended:
            claim = self.jobs.claim_next("one")
            assert claim is not None
            self.jobs.end(claim.render, claim.token, "succeeded", {})
        for name in results:
            self.store_result(name)
        return render

    def knows(self, *names: str) -> set[str]:
        """Those of the results that can be recalled."""
        found = self.plain.find(name_of(name) for name in names)
        return {
            name
            for name in names
            if name_of(name) in found and not self.store.blobs.missing([digest_of_bytes(content_of(name))])
        }

    def rebuilt(self) -> set[Signature]:
        """What an index has that is rebuilt from the journal."""
        fresh = MemoryIndex()
        rebuild(fresh, self.store.documents)
        return set(fresh._records)


def content_of(name: str) -> bytes:
    return name.encode() + bytes(SIZE - len(name.encode()))


@pytest.fixture(params=["folder", "s3"])
def farm(
    request: pytest.FixtureRequest,
    redis: Redis,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Farm]:
    address = (tmp_path / "store").as_uri()
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        bucket: Bucket = request.getfixturevalue("bucket")
        address = f"s3://{server.endpoint}/{bucket.where.rpartition('/')[2]}"
        for name, secret in (("access", server.access_key), ("secret", server.secret_key)):
            (tmp_path / name).write_text(secret)
            (tmp_path / name).chmod(0o600)
            monkeypatch.setenv(f"QUINCUNX_FARM_STORE_{name.upper()}_KEY_FILE", str(tmp_path / name))
    for key, value in {
        "CONFIG_DIR": str(tmp_path),
        "FARM_REDIS_URL": redis_server.url,
        "FARM_STORE": address,
        "FARM_CACHE_DIR": str(tmp_path / "machine"),
    }.items():
        monkeypatch.setenv(f"QUINCUNX_{key}", value)
    monkeypatch.chdir(tmp_path)
    with (
        closing(store_from(load_settings().settings)) as store,
        closing(JournalledIndex(MemoryIndex(), store.documents)),
    ):
        yield Farm(redis, store)


@pytest.fixture
def shell(farm: Farm, capsys: pytest.CaptureFixture[str]) -> Shell:  # noqa: ARG001 - a farm for the commands
    return shell_of(capsys)


@pytest.fixture
def everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored a moment ago counts as stored long ago: a server cannot be told otherwise."""
    monkeypatch.setattr(upkeep, "ORPHAN_SECONDS", -60.0)
    monkeypatch.setattr(upkeep, "COARSE_SECONDS", -3600.0)
    monkeypatch.setattr(farm_upkeep, "SETTLED_SECONDS", -60.0)


def test_what_is_kept_is_counted_for_every_song_and_step(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1", "vocoder 1", "vocoder both")
    farm.render("two.ustx", "acoustic 2", "vocoder both")
    farm.store_result("acoustic of an earlier edit")
    told = shell("cache", "stats", "--farm", "--json").document
    assert told["folder"] == farm.store.where
    assert told["results"] == 5
    # Five results, two inputs, two orders.
    assert told["blobs"] == 9
    assert told["songs"]["/songs/one.ustx"] == {"results": 3, "blob_bytes": 3 * SIZE}
    assert told["songs"]["/songs/two.ustx"] == {"results": 2, "blob_bytes": 2 * SIZE}
    assert told["steps"]["vocoder"] == {"results": 2, "blob_bytes": 2 * SIZE}
    answer = shell("cache", "stats", "--farm")
    assert answer.out.startswith(farm.store.where)
    assert "song /songs/one.ustx (3 results)" in answer.out


def test_only_the_last_job_of_a_song_owns_results(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1")
    farm.render("one.ustx", "acoustic 2", "vocoder 2")
    told = shell("cache", "stats", "--farm", "--json").document
    assert told["songs"] == {"/songs/one.ustx": {"results": 2, "blob_bytes": 2 * SIZE}}


def test_every_damage_is_found_and_dropped(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1", "acoustic 2", "acoustic 3")
    assert shell("cache", "verify", "--farm").code == 0
    wrong, gone = (digest_of_bytes(content_of(f"acoustic {number}")) for number in (1, 2))
    farm.store.shelf.drop([wrong, gone])
    spoil(farm.store, wrong)
    answer = shell("cache", "verify", "--farm", "--json")
    assert answer.code == 1
    assert (answer.document["corrupt"], answer.document["broken_results"]) == ([wrong], 2)
    assert shell("cache", "verify", "--farm", "--repair").code == 0
    assert shell("cache", "verify", "--farm").code == 0
    assert farm.knows("acoustic 1", "acoustic 2", "acoustic 3") == {"acoustic 3"}


def spoil(store: FarmStore, digest: Digest) -> None:
    """Put other bytes under a digest, as a broken disk would."""
    from quincunx_shared.stores.folder import FolderBlobStore
    from quincunx_shared.stores.s3 import S3BlobStore

    assert isinstance(store.shelf, FolderBlobStore | S3BlobStore)
    store.shelf.put(digest, b"x" * SIZE)


@pytest.mark.usefixtures("everything_is_old")
def test_what_nobody_promises_leaves_and_what_jobs_need_stays(farm: Farm, shell: Shell) -> None:
    orphan = content_of("of a worker that died")
    farm.store.blobs.put(digest_of_bytes(orphan), orphan)
    farm.render("one.ustx", "acoustic 1")
    farm.index.close()
    told = shell("cache", "gc", "--farm", "--dry-run", "--json").document
    assert (told["blobs"], told["size_bytes"], told["results"]) == (1, SIZE, 0)
    assert farm.store.blobs.missing([digest_of_bytes(orphan)]) == set()
    assert shell("cache", "gc", "--farm").code == 0
    left = {one.digest for one in farm.store.shelf.files()}
    assert digest_of_bytes(orphan) not in left
    assert digest_of_bytes(content_of("input of one.ustx")) in left
    assert farm.knows("acoustic 1") == {"acoustic 1"}


@pytest.mark.usefixtures("everything_is_old")
def test_what_is_scheduled_stays_until_it_is_not(farm: Farm, shell: Shell, redis: Redis) -> None:
    render = farm.render("night.ustx", "acoustic night")
    record = farm.jobs.get(render)
    assert record is not None
    job = Accepted(render, record.order, "work", Submission())
    farm.schedules.set(Schedule("night", "30 3 * * *", job))
    farm.jobs.forget_before(1e12)
    needed = {record.order, digest_of_bytes(content_of("input of night.ustx"))}
    assert shell("cache", "gc", "--farm").code == 0
    assert needed <= {one.digest for one in farm.store.shelf.files()}
    farm.schedules.remove("night")
    assert shell("cache", "gc", "--farm").code == 0
    assert not needed & {one.digest for one in farm.store.shelf.files()}
    redis.delete("qx:epoch")
    answer = shell("cache", "gc", "--farm")
    assert answer.code == 1
    assert "start a coordinator" in answer.err


@pytest.mark.usefixtures("everything_is_old")
def test_room_is_made_down_to_a_size_and_the_journal_follows(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", *(f"acoustic {number}" for number in range(10)))
    farm.index.close()
    assert len(farm.rebuilt()) == 10
    told = shell("cache", "gc", "--farm", "--to", f"{6 * SIZE}b", "--json").document
    assert told["left_bytes"] <= 6 * SIZE
    known = farm.knows(*(f"acoustic {number}" for number in range(10)))
    assert 0 < len(known) < 6
    assert farm.rebuilt() == {name_of(name) for name in known}


@pytest.mark.usefixtures("everything_is_old")
def test_a_pinned_song_stays_as_it_was_made_last_even_when_its_jobs_are_forgotten(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1")
    farm.render("two.ustx", "acoustic 2")
    assert shell("cache", "pin", "--farm").out == ""
    assert shell("cache", "pin", "one.ustx", "--farm").err == "one.ustx is pinned.\n"
    assert shell("cache", "pin", "--farm").out == "/songs/one.ustx\n"
    assert "song /songs/one.ustx (1 results, pinned)" in shell("cache", "stats", "--farm").out
    farm.render("one.ustx", "acoustic 3")
    farm.jobs.cancel(farm.render("one.ustx", "acoustic 4", ended=False))
    farm.index.close()
    assert shell("cache", "gc", "--farm").code == 0
    farm.jobs.forget_before(1e12)
    assert shell("cache", "gc", "--farm", "--to", "1b").code == 0
    every = [f"acoustic {number}" for number in range(1, 5)]
    assert farm.knows(*every) == {"acoustic 3"}
    assert farm.rebuilt() == {name_of("acoustic 3")}
    assert digest_of_bytes(content_of("input of one.ustx")) in {one.digest for one in farm.store.shelf.files()}
    assert shell("cache", "unpin", "one.ustx", "--farm").code == 0
    assert shell("cache", "gc", "--farm", "--to", "1b").code == 0
    assert farm.knows(*every) == set()
    assert shell("cache", "pin", "one.ustx", "--farm").code == 2
    assert shell("cache", "pin", "--voice", "demo", "--farm").code == 2


def test_nothing_that_was_just_stored_leaves(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1", ended=False)
    orphan = content_of("its record is on the way")
    farm.store.blobs.put(digest_of_bytes(orphan), orphan)
    told = shell("cache", "gc", "--farm", "--to", "1b", "--json").document
    assert told["blobs"] == 0


def test_a_song_is_purged_without_what_others_use(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1", "vocoder both")
    farm.render("two.ustx", "acoustic 2", "vocoder both")
    farm.index.close()
    answer = shell("cache", "purge", "--farm", "--song", "one.ustx", "--json")
    assert answer.document["results"] == 1
    assert farm.knows("acoustic 1", "acoustic 2", "vocoder both") == {"acoustic 2", "vocoder both"}
    assert farm.rebuilt() == {name_of("acoustic 2"), name_of("vocoder both")}
    assert shell("cache", "purge", "--farm", "--song", "three.ustx").code == 2
    assert shell("cache", "purge", "--farm", "--voice", "demo").code == 2


def test_everything_can_be_purged(farm: Farm, shell: Shell) -> None:
    farm.render("one.ustx", "acoustic 1", "vocoder 1")
    farm.index.close()
    answer = shell("cache", "purge", "--farm", "--all", "--yes", "--json")
    assert answer.document["left_bytes"] == 0
    assert list(farm.store.shelf.files()) == []
    assert farm.rebuilt() == set()
    assert list(farm.plain.records()) == []


def test_without_a_farm_it_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUINCUNX_FARM_STORE")
    assert shell("cache", "stats", "--farm").code == 6
