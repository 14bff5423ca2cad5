"""The store of a farm is opened from its settings."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BadInput
from quincunx_shared.farm.secret_file import BadSecret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.stores.farm_store import FarmStore, store_from

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

    from quincunx_shared.stores.bucket import Bucket

SONG = b"la" * 20_000
DIGEST = digest_of_bytes(SONG)


def secret(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


def assert_works(store: FarmStore, again: FarmStore) -> None:
    with closing(store.behind()) as blobs:
        blobs.put(DIGEST, SONG)
        blobs.flush()
    store.documents.put("orders/a", b"one")
    assert again.blobs.get(DIGEST) == SONG
    assert again.blobs.missing([DIGEST]) == set()
    assert again.documents.get("orders/a") == b"one"


def test_a_store_on_a_server_with_a_cache_on_each_machine(s3_server: S3Server, bucket: Bucket, tmp_path: Path) -> None:
    name = bucket.where.rpartition("/")[2]
    settings = FarmSettings(
        store=f"s3://{s3_server.endpoint}/{name}/studio",
        store_access_key_file=secret(tmp_path / "access", s3_server.access_key + "\n"),
        store_secret_key_file=secret(tmp_path / "secret", s3_server.secret_key),
        cache_dir=tmp_path / "one machine",
    )
    other = settings.model_copy(update={"cache_dir": tmp_path / "other machine"})
    with closing(store_from(settings)) as store, closing(store_from(other)) as again:
        assert_works(store, again)
        assert store.where == f"s3://{s3_server.endpoint}/{name}/studio"
    assert (tmp_path / "other machine" / "blobs" / DIGEST[:2] / DIGEST[2:]).read_bytes() == SONG
    assert [one.key.split("/")[0] for one in bucket.objects("")] == ["studio", "studio"]


def test_a_store_in_a_folder_needs_no_cache_of_it(tmp_path: Path) -> None:
    settings = FarmSettings(store=(tmp_path / "store").as_uri())
    with closing(store_from(settings)) as store, closing(store_from(settings)) as again:
        assert_works(store, again)
        assert store.machine is None


def test_a_store_without_a_name_or_keys_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no store is named"):
        store_from(FarmSettings())
    with pytest.raises(BadInput, match="store_access_key_file"):
        store_from(FarmSettings(store="s3://127.0.0.1:1/bucket"))
    with pytest.raises(BadSecret):
        store_from(FarmSettings(store="s3://127.0.0.1:1/bucket", store_access_key_file=tmp_path / "absent"))
