"""A folder of blobs that a disk, a crash or a person has meddled with: never wrong bytes, and it heals."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreError
from quincunx_shared.names import Digest
from quincunx_shared.stores.folder import STALE_SECONDS, FolderBlobStore

SONG = bytes(range(256)) * 80
DIGEST = digest_of_bytes(SONG)

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit flipped": lambda whole: bytes([whole[0] ^ 1]) + whole[1:],
    "cut short": lambda whole: whole[: len(whole) // 2],
    "emptied": lambda _whole: b"",
    "grown": lambda whole: whole + b"\0",
    "zeroed": lambda whole: bytes(len(whole)),
}


def place_of(root: Path, digest: Digest) -> Path:
    return root / digest[:2] / digest[2:]


@pytest.fixture
def store(tmp_path: Path) -> FolderBlobStore:
    store = FolderBlobStore(tmp_path)
    store.put(DIGEST, SONG)
    return store


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_blob_is_dropped_and_a_new_one_heals_it(
    store: FolderBlobStore, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    place_of(tmp_path, DIGEST).write_bytes(damage(SONG))
    with pytest.raises(BlobCorrupt) as told:
        store.get(DIGEST)
    assert told.value.digests == (DIGEST,)
    assert store.missing([DIGEST]) == {DIGEST}
    with pytest.raises(BlobMissing):
        store.get(DIGEST)
    store.put(DIGEST, SONG)
    assert store.get(DIGEST) == SONG


@pytest.mark.parametrize("damage", ["cut short", "emptied", "grown"])
def test_a_blob_of_the_wrong_size_is_healed_by_a_put_alone(store: FolderBlobStore, tmp_path: Path, damage: str) -> None:
    place_of(tmp_path, DIGEST).write_bytes(DAMAGES[damage](SONG))
    store.put(DIGEST, SONG)
    assert store.get(DIGEST) == SONG


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=st.binary(max_size=300))
def test_whatever_lies_in_the_place_of_a_blob_it_is_never_taken_for_another(tmp_path: Path, left: bytes) -> None:
    store = FolderBlobStore(tmp_path)
    store.put(DIGEST, SONG)
    place_of(tmp_path, DIGEST).write_bytes(left)
    with pytest.raises(BlobCorrupt):
        store.get(DIGEST)


def test_an_empty_file_is_missing_before_anybody_reads_it(store: FolderBlobStore, tmp_path: Path) -> None:
    place_of(tmp_path, DIGEST).write_bytes(b"")
    assert store.missing([DIGEST]) == {DIGEST}


def test_what_another_one_dropped_meanwhile_is_missing(store: FolderBlobStore, tmp_path: Path) -> None:
    place_of(tmp_path, DIGEST).unlink()
    with pytest.raises(BlobMissing):
        store.get(DIGEST)
    assert store.missing([DIGEST]) == {DIGEST}


def test_a_folder_in_the_place_of_a_blob_is_told_and_is_no_blob(store: FolderBlobStore, tmp_path: Path) -> None:
    place_of(tmp_path, DIGEST).unlink()
    place_of(tmp_path, DIGEST).mkdir()
    assert store.missing([DIGEST]) == {DIGEST}
    for attempt in (lambda: store.get(DIGEST), lambda: store.put(DIGEST, SONG)):
        with pytest.raises(StoreError, match="directory") as told:
            attempt()
        assert told.value.where == str(place_of(tmp_path, DIGEST))
        assert told.value.remedy
    assert list((tmp_path / "parts").iterdir()) == [], "what could not be put in place is not left lying"


def test_a_cache_that_is_emptied_while_it_is_in_use_is_filled_again(store: FolderBlobStore, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    with pytest.raises(BlobMissing):
        store.get(DIGEST)
    store.put(DIGEST, SONG)
    assert store.get(DIGEST) == SONG


def test_what_dead_writers_left_is_removed_and_what_others_are_writing_is_not(tmp_path: Path) -> None:
    FolderBlobStore(tmp_path)
    dead, alive = tmp_path / "parts" / "dead", tmp_path / "parts" / "alive"
    for part in (dead, alive):
        part.write_bytes(b"half")
    long_ago = alive.stat().st_mtime - STALE_SECONDS - 60
    os.utime(dead, (long_ago, long_ago))
    store = FolderBlobStore(tmp_path)
    assert not dead.exists()
    assert alive.exists()
    assert store.count() == 0, "a part is no blob"


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_a_file_where_the_cache_should_be_is_told_with_a_remedy(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(StoreError, match=r"cannot be used as a cache.*choose another --cache-dir") as told:
        FolderBlobStore(tmp_path / place)
    assert told.value.where == str(tmp_path / place)
    assert (tmp_path / "file").read_bytes() == b"mine"


FILL_A_DISK = """
import resource, sys
from pathlib import Path
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import StoreError
from quincunx_shared.stores.folder import FolderBlobStore

song = b"la" * 10_000
digest = digest_of_bytes(song)
store = FolderBlobStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (len(song) // 2, resource.RLIM_INFINITY))
try:
    store.put(digest, song)
except StoreError as error:
    print(error.what, "|", error.remedy)
assert store.missing([digest]) == {digest}
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.put(digest, song)
assert store.get(digest) == song
"""


def test_a_disk_that_takes_half_a_blob_keeps_none_of_it_and_is_tried_again(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FILL_A_DISK, str(tmp_path)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "the cache cannot be written: File too large | choose another --cache-dir\n"
    assert list((tmp_path / "parts").iterdir()) == []
