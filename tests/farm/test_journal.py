"""An index that lost everything is rebuilt from the journal in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.test_signature_index import inline_of, made, name_of
from tests.farm.waiting import until

from quincunx_shared.errors import StoreUnreachable
from quincunx_shared.names import Digest, Signature
from quincunx_shared.ports import Documents, Outputs
from quincunx_shared.stores import journal, journal_upkeep
from quincunx_shared.stores.documents import FolderDocuments, MemoryDocuments
from quincunx_shared.stores.journal import RECORDS, JournalledIndex, rebuild
from quincunx_shared.stores.journal_upkeep import compact, join
from quincunx_shared.stores.memory import MemoryBlobStore, MemoryIndex
from quincunx_shared.stores.s3 import S3Documents

FORMS: dict[str, Callable[[Path], Documents]] = {
    "memory": lambda _root: MemoryDocuments(),
    "folder": lambda root: FolderDocuments(root),
}


@pytest.fixture(params=[*FORMS, "s3"])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Documents]:
    if request.param == "s3":
        yield S3Documents(request.getfixturevalue("bucket"))
    else:
        yield FORMS[request.param](tmp_path / "documents")


class Moody(MemoryDocuments):
    """Documents in a store that is cut off for a while."""

    cut = False

    def put(self, name: str, content: bytes) -> None:
        if self.cut:
            raise StoreUnreachable("cut off")
        super().put(name, content)


def records(*numbers: object) -> dict[Signature, Outputs]:
    return {name_of(number): made(number) for number in numbers}


def assert_knows(index: MemoryIndex, *numbers: object) -> None:
    found = index.find(records(*numbers))
    assert found == records(*numbers)
    for name, outputs in records(*numbers).items():
        assert inline_of(found[name]) == inline_of(outputs)


def test_what_several_workers_added_is_rebuilt(documents: Documents) -> None:
    shared = MemoryIndex()
    for worker in range(3):
        with closing(JournalledIndex(shared, documents)) as index:
            index.add(records(*range(worker * 100, worker * 100 + 150)))
            index.flush()
            assert index.find([name_of(0)])
    fresh = MemoryIndex()
    assert rebuild(fresh, documents) == 450
    assert_knows(fresh, *range(350))
    assert rebuild(fresh, documents) == 450, "may be done again"


def test_an_empty_store_rebuilds_to_nothing(documents: Documents) -> None:
    assert rebuild(MemoryIndex(), documents) == 0
    with closing(JournalledIndex(MemoryIndex(), documents)):
        pass
    assert documents.names() == []


def test_the_first_writer_wins_in_a_rebuilt_index_too(documents: Documents) -> None:
    for second, text in ((2.0, "second"), (1.0, "first"), (1e6, "third")):
        with closing(JournalledIndex(MemoryIndex(), documents, now=lambda second=second: second)) as index:  # type: ignore[misc]
            index.add({name_of("a"): made(text)})
    fresh = MemoryIndex()
    assert rebuild(fresh, documents) == 3
    assert fresh.find([name_of("a")]) == {name_of("a"): made("first")}


def test_a_worker_that_falls_idle_journals_all_the_same() -> None:
    documents = MemoryDocuments()
    index = JournalledIndex(MemoryIndex(), documents, waiting_seconds=0.01)
    index.add(records("a"))
    until(lambda: documents.names(RECORDS), 5)
    index.add(records("b"))
    until(lambda: len(documents.names(RECORDS)) == 2, 5)


def test_many_records_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "WAITING", 10)
    documents = MemoryDocuments()
    with closing(JournalledIndex(MemoryIndex(), documents)) as index:
        index.add(records(*range(9)))
        assert documents.names() == []
        index.add(records(9))
        assert len(documents.names()) == 1


def test_what_the_store_did_not_take_is_written_later() -> None:
    documents = Moody()
    with closing(JournalledIndex(MemoryIndex(), documents)) as index:
        documents.cut = True
        index.add(records("a"))
        with pytest.raises(StoreUnreachable):
            index.write()
        documents.cut = False
        index.add(records("b"))
    fresh = MemoryIndex()
    rebuild(fresh, documents)
    assert_knows(fresh, "a", "b")


def test_what_is_forgotten_before_it_is_written_is_not_journalled() -> None:
    documents = MemoryDocuments()
    with closing(JournalledIndex(MemoryIndex(), documents)) as index:
        index.add(records("a", "b"))
        index.forget([name_of("a")])
        assert index.find(records("a", "b")).keys() == {name_of("b")}
    assert rebuild(MemoryIndex(), documents) == 1


def test_a_spoilt_document_costs_only_what_it_held(tmp_path: Path) -> None:
    documents = FolderDocuments(tmp_path)
    for number in range(3):
        with closing(JournalledIndex(MemoryIndex(), documents)) as index:
            index.add(records(number))
    spoilt = tmp_path / documents.names(RECORDS)[1]
    spoilt.write_bytes(spoilt.read_bytes()[:-3])
    documents.put(f"{RECORDS}00000000000001-strange", b"no journal at all")
    fresh = MemoryIndex()
    assert rebuild(fresh, documents) == 2


def with_blobs(*numbers: object) -> MemoryBlobStore:
    """A store that holds the large outputs of these records."""
    blobs = MemoryBlobStore()
    for outputs in records(*numbers).values():
        blobs.put(outputs[1].digest, b"large")
    return blobs


def test_compacting_keeps_what_can_still_be_recalled(documents: Documents) -> None:
    shared = MemoryIndex()
    for number in range(12):
        with closing(JournalledIndex(shared, documents)) as index:
            index.add(records(number, f"also {number}"))
    blobs = with_blobs(*(number for number in range(12) if number not in (3, 7)), "also 0", "also 11")
    dropped = {name_of("also 11")}
    assert compact(blobs, documents, dropped) == 0
    assert len(documents.names(RECORDS)) == 12, "young documents are left alone"
    assert compact(blobs, documents, dropped, settled_seconds=-1) == 1
    assert len(documents.names(RECORDS)) == 1
    fresh = MemoryIndex()
    assert rebuild(fresh, documents) == 11
    assert_knows(fresh, 0, "also 0", 11)
    before = documents.names(RECORDS)
    assert compact(blobs, documents, dropped, settled_seconds=-1) == 1
    assert documents.names(RECORDS) == before, "nothing to merge, nothing to write"


def test_joining_keeps_everything_and_asks_for_no_blob(documents: Documents) -> None:
    shared = MemoryIndex()
    for number in range(6):
        with closing(JournalledIndex(shared, documents, now=lambda at=number: at + 1.0)) as index:  # type: ignore[misc]
            index.add(records(number))
    assert join(documents, 10.0) == 6
    assert len(documents.names(RECORDS)) == 1
    with closing(JournalledIndex(MemoryIndex(), documents)) as index:
        index.add(records("young"))
    assert join(documents) == 0, "one that was merged and one that is young"
    fresh = MemoryIndex()
    assert rebuild(fresh, documents) == 7
    assert_knows(fresh, 0, 5, "young")


def test_of_a_record_that_was_written_twice_the_first_holds_after_joining() -> None:
    documents = MemoryDocuments()
    before, after = records(1), {name_of(1): next(iter(records(2).values()))}
    for second, written in ((1, records(8)), (2, before), (8, after), (9, records(9))):
        with closing(JournalledIndex(MemoryIndex(), documents, now=lambda at=second: float(at))) as index:  # type: ignore[misc]
            index.add(written)
        assert join(documents, time.time() - 5) == (2 if second == 2 else 0)
    assert join(documents) == 2
    assert len(documents.names(RECORDS)) == 2
    fresh = MemoryIndex()
    rebuild(fresh, documents)
    assert fresh.find(before) == before


def test_large_journals_are_merged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_upkeep, "MERGED", 10)
    documents = MemoryDocuments()
    for number in range(35):
        with closing(JournalledIndex(MemoryIndex(), documents)) as index:
            index.add(records(number))
    assert compact(with_blobs(*range(35)), documents, settled_seconds=-1) == 4
    assert rebuild(MemoryIndex(), documents) == 35


def test_a_store_that_does_not_answer_is_no_reason_to_throw_anything_away() -> None:
    documents = MemoryDocuments()
    with closing(JournalledIndex(MemoryIndex(), documents)) as index:
        index.add(records(1))

    class Cut(MemoryBlobStore):
        def missing(self, digests: Iterable[Digest]) -> set[Digest]:
            raise StoreUnreachable(f"cut off from {digests}")

    with pytest.raises(StoreUnreachable):
        compact(Cut(), documents, settled_seconds=-1)
    assert rebuild(MemoryIndex(), documents) == 1
