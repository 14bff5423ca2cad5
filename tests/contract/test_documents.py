"""What every form of documents does: in memory, in a folder, and on a real S3 server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quincunx_shared.errors import StoreError
from quincunx_shared.ports import Documents
from quincunx_shared.stores.documents import FolderDocuments, MemoryDocuments, seal, unseal
from quincunx_shared.stores.s3 import S3Documents

FORMS: dict[str, Callable[[Path], Documents]] = {
    "memory": lambda _root: MemoryDocuments(),
    "folder": lambda root: FolderDocuments(root),
}
ON_A_SERVER = "s3"


@pytest.fixture(params=[*FORMS, ON_A_SERVER])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Documents:
    if request.param == ON_A_SERVER:
        return S3Documents(request.getfixturevalue("bucket"))
    return FORMS[request.param](tmp_path / "documents")


def test_what_was_put_comes_back(documents: Documents) -> None:
    documents.put("orders/a", b"one")
    documents.put("orders/b", b"")
    assert documents.get("orders/a") == b"one"
    assert documents.get("orders/b") == b""


def test_what_was_never_put_is_none(documents: Documents) -> None:
    assert documents.get("orders/a") is None
    documents.put("orders/a", b"one")
    assert documents.get("orders") is None
    assert documents.get("orders/a/b") is None


def test_the_last_writer_wins(documents: Documents) -> None:
    documents.put("orders/a", b"a longer first one")
    documents.put("orders/a", b"second")
    assert documents.get("orders/a") == b"second"


def test_names_are_sorted_and_begin_as_asked(documents: Documents) -> None:
    for name in ("records/2", "records/10", "orders/a", "records-of-old", "records/deep/er"):
        documents.put(name, name.encode())
    assert documents.names("records/") == ["records/10", "records/2", "records/deep/er"]
    assert documents.names("records") == ["records-of-old", "records/10", "records/2", "records/deep/er"]
    assert documents.names("records/1") == ["records/10"]
    assert documents.names() == sorted(documents.names())
    assert len(documents.names()) == 5
    assert documents.names("nothing/") == []


def test_what_was_deleted_is_gone_and_deleting_nothing_is_fine(documents: Documents) -> None:
    documents.put("orders/a", b"one")
    for _ in range(2):
        documents.delete("orders/a")
        assert documents.get("orders/a") is None
        assert documents.names() == []
    documents.put("orders/a", b"two")
    assert documents.get("orders/a") == b"two"


@pytest.mark.parametrize("name", ["", "/", "a/", "/a", "a//b", "../a", "a/../b", ".a", "a b", "ä", "a\n", "x" * 800])
def test_a_name_that_could_lead_elsewhere_is_refused(documents: Documents, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a document"):
        documents.put(name, b"")
    with pytest.raises(ValueError, match="no name of a document"):
        documents.get(name)


def test_many_writers_leave_one_whole_document(documents: Documents) -> None:
    contents = {bytes([number]) * 20_000 for number in range(16)}

    def put_and_get(content: bytes) -> bytes | None:
        documents.put("state", content)
        return documents.get("state")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put_and_get, contents)) <= contents
    assert documents.names() == ["state"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=3000))
def test_any_bytes_come_back_as_they_were(documents: Documents, content: bytes) -> None:
    documents.put("any", content)
    assert documents.get("any") == content


@given(content=st.binary(max_size=300), place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_a_document_with_any_byte_changed_or_of_another_name_is_none(content: bytes, place: int, flip: int) -> None:
    stored = bytearray(seal("a", content))
    assert unseal("b", bytes(stored)) is None
    assert unseal("a", bytes(stored[:-1])) is None
    stored[place % len(stored)] ^= flip
    assert unseal("a", bytes(stored)) is None


def test_a_spoilt_file_is_told_and_not_given_out(tmp_path: Path) -> None:
    documents = FolderDocuments(tmp_path)
    documents.put("orders/a", b"one")
    (tmp_path / "orders" / "a").write_bytes(b"something else altogether, long enough")
    with pytest.raises(StoreError, match="not as it was written"):
        documents.get("orders/a")
