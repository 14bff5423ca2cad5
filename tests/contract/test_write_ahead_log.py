"""An index whose writer died: the log it left behind is read, as far as it is good."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.rounds import assert_right, outputs_of, signature_of

from quincunx_shared.stores.database import SqliteDatabase
from quincunx_shared.stores.sqlite import SqliteIndex

RECORDS = 40
FILES = ("", "-wal", "-shm")


def file_of(root: Path, suffix: str) -> Path:
    return root / f"index.sqlite{suffix}"


@pytest.fixture(scope="module")
def wreck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a writer leaves that dies after writing some records, a transaction each."""
    alive, wreck = tmp_path_factory.mktemp("alive"), tmp_path_factory.mktemp("wreck")
    with closing(SqliteDatabase(file_of(alive, ""))) as database:
        index = SqliteIndex(database)
        for number in range(RECORDS):
            index.add({signature_of("a", number): outputs_of("a", number)})
            index.flush()
        for suffix in FILES:
            shutil.copy(file_of(alive, suffix), file_of(wreck, suffix))
    return wreck


def found_in(root: Path) -> list[int]:
    """Open an index, return the numbers of the records that are right, and see that it can go on."""
    with closing(SqliteDatabase(file_of(root, ""))) as database:
        index = SqliteIndex(database)
        numbers = {signature_of("a", number): number for number in range(RECORDS)}
        found = index.find(numbers)
        for name, outputs in found.items():
            assert_right(outputs, "a", numbers[name])
        index.add({signature_of("new", 0): outputs_of("new", 0)})
        index.flush()
        assert index.find([signature_of("new", 0)])
    return sorted(numbers[name] for name in found)


def copied(wreck: Path, root: Path) -> Path:
    shutil.rmtree(root)
    shutil.copytree(wreck, root)
    return root


def test_everything_a_dead_writer_wrote_is_found(wreck: Path, tmp_path: Path) -> None:
    assert found_in(copied(wreck, tmp_path)) == list(range(RECORDS))


SPOIL: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _whole: b"",
    "garbage": lambda whole: random.Random(1).randbytes(len(whole)),
    "cut short": lambda whole: whole[: len(whole) // 3],
    "zeroed": lambda whole: bytes(len(whole)),
}


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("damage", SPOIL)
def test_with_any_of_its_files_spoilt_the_index_goes_on(wreck: Path, tmp_path: Path, suffix: str, damage: str) -> None:
    place = file_of(copied(wreck, tmp_path), suffix)
    place.write_bytes(SPOIL[damage](place.read_bytes()))
    found = found_in(tmp_path)
    assert found == list(range(len(found))), "what is lost is lost from the end"
    assert suffix != "-shm" or len(found) == RECORDS, "the shared memory only speeds up reading"


@pytest.mark.parametrize("suffix", FILES)
def test_with_any_of_its_files_gone_the_index_goes_on(wreck: Path, tmp_path: Path, suffix: str) -> None:
    file_of(copied(wreck, tmp_path), suffix).unlink()
    found_in(tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0), change=st.integers(1, 255))
def test_a_log_with_any_byte_changed_is_good_up_to_there(wreck: Path, tmp_path: Path, place: int, change: int) -> None:
    log = file_of(copied(wreck, tmp_path), "-wal")
    content = bytearray(log.read_bytes())
    content[place % len(content)] ^= change
    log.write_bytes(content)
    found = found_in(tmp_path)
    assert found == list(range(len(found)))


def test_the_log_of_another_index_does_no_harm(wreck: Path, tmp_path: Path) -> None:
    with closing(SqliteDatabase(file_of(tmp_path, ""))):
        pass
    shutil.copy(file_of(wreck, "-wal"), file_of(tmp_path, "-wal"))
    found_in(tmp_path)
