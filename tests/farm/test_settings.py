"""Settings of a farm: the strongest place wins, every value knows where it comes from, secrets stay in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from quincunx_shared.errors import BadInput
from quincunx_shared.farm.secret_file import BadSecret, read_secret
from quincunx_shared.farm.settings_layers import Loaded, load_settings
from quincunx_shared.farm.store_address import BucketAddress, FolderAddress, parse_store


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "songs"
    folder.mkdir(parents=True)
    return folder


def loaded(work: Path, files: dict[str, str], env: dict[str, str] | None = None, **flags: object) -> Loaded:
    root = work.parent.parent
    user = root / "user"
    user.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return load_settings(flags, {"QUINCUNX_CONFIG_DIR": str(user), **(env or {})}, directory=work)


def test_the_strongest_place_wins_and_is_named(work: Path) -> None:
    files = {
        "project/quincunx.toml": "[farm]\nmax_jobs = 2\nkeep_days = 2\nnamespace = 'project'\n",
        "user/quincunx.toml": "[farm]\nmax_jobs = 1\nkeep_days = 1\nnamespace = 'user'\nstore_retries = 1\n",
    }
    env = {"QUINCUNX_FARM_MAX_JOBS": "3", "QUINCUNX_FARM_KEEP_DAYS": "3"}
    found = loaded(work, files, env, max_jobs=4, namespace=None)
    settings = found.settings
    assert (settings.max_jobs, settings.keep_days, settings.namespace, settings.store_retries) == (4, 3, "project", 1)
    assert found.origins["max_jobs"] == "flag --max-jobs"
    assert found.origins["keep_days"] == "environment QUINCUNX_FARM_KEEP_DAYS"
    assert found.origins["namespace"] == f"{work.parent / 'quincunx.toml'}: farm.namespace"
    assert found.origins["store_retries"] == f"{work.parent.parent / 'user' / 'quincunx.toml'}: farm.store_retries"
    assert found.origins["lease_seconds"] == "default"


def test_a_path_is_relative_to_the_file_that_names_it(work: Path) -> None:
    files = {"project/quincunx.toml": "[farm]\nenvelope_key_file = 'keys/envelope'\n"}
    assert loaded(work, files).settings.envelope_key_file == work.parent / "keys" / "envelope"
    assert loaded(work, {}, cache_dir="cache").settings.cache_dir == work / "cache"


def test_no_password_is_sent_to_a_server_that_someone_else_named(work: Path) -> None:
    files = {
        "project/quincunx.toml": "[farm]\nredis_url = 'redis://elsewhere/0'\n",
        "user/quincunx.toml": "[farm]\nredis_url = 'redis://mine/0'\nredis_password_file = '/secret'\n",
    }
    assert loaded(work, files).settings.redis_password_file is None
    files["user/quincunx.toml"] = "[farm]\nredis_password_file = '/secret'\n"
    assert loaded(work, files).settings.redis_password_file == Path("/secret")


def test_a_farm_of_this_machine_serves_when_nothing_names_one(work: Path, tmp_path: Path) -> None:
    own = tmp_path / "dev.toml"
    own.write_text("[farm]\nredis_url = 'redis://127.0.0.1:7000/0'\nstore = 'file:///srv'\n")
    env = {"QUINCUNX_CONFIG_DIR": str(tmp_path / "none")}
    assert load_settings({}, env, directory=work, fallback=own).settings.named
    env["QUINCUNX_FARM_REDIS_URL"] = "redis://real/0"
    assert load_settings({}, env, directory=work, fallback=own).settings.store == ""


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("[farm]\nmax_job = 3\n", "farm.max_job", "did you mean 'max_jobs'?"),
        ("[farm]\nmax_jobs = 0\n", "farm.max_jobs", "greater than or equal to 1"),
        ("[farm]\nredis_password = 'canary'\n", "farm.redis_password", "redis_password_file"),
        ("[farm]\nredis_url = 'redis://me:canary@host/0'\n", "farm.redis_url", "redis_password_file"),
        ("[farm]\nredis_url = 'http://host'\n", "farm.redis_url", "redis://"),
        ("[farm]\nstore = 's3://key:canary@host/bucket'\n", "farm.store", "store_secret_key_file"),
        ("[farm]\nstore = 's3://host/B'\n", "farm.store", "bucket"),
        ("[farm]\nstore = 'file://relative/x'\n", "farm.store", "file:///srv/quincunx"),
        ("[farm]\nnamespace = 'a:b'\n", "farm.namespace", "a-z"),
        ("[fram]\n", "quincunx.toml", "did you mean 'farm'?"),
        ("farm = 3\n", "quincunx.toml", "[farm]"),
        ("[farm\n", "quincunx.toml", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_without_its_value(
    work: Path, text: str, where: str, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(work, {"project/quincunx.toml": text})
    assert caught.value.where.startswith(str(work.parent / "quincunx.toml"))
    assert caught.value.where.endswith(where)
    assert said in caught.value.what
    assert "canary" not in str(caught.value)


def test_stores_are_buckets_or_folders() -> None:
    assert parse_store("s3://127.0.0.1:9000/songs") == BucketAddress("127.0.0.1:9000", "songs")
    assert parse_store("s3+https://s3.example/songs/a/b") == BucketAddress("s3.example", "songs", "a/b/", secure=True)
    assert parse_store("file:///srv/blobs") == FolderAddress(Path("/srv/blobs"))


def test_a_secret_is_read_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b"canary\n")
    secret.chmod(0o600)
    assert read_secret(secret) == b"canary"
    for mode, said in ((0o604, "read it"), (0o602, "change it"), (0o620, "group may change")):
        secret.chmod(mode)
        with pytest.raises(BadSecret, match=said) as caught:
            read_secret(secret)
        assert "canary" not in str(caught.value)
    secret.chmod(0o600)
    secret.write_bytes(b"")
    with pytest.raises(BadSecret, match="empty"):
        read_secret(secret)
    with pytest.raises(BadSecret, match="cannot be read"):
        read_secret(tmp_path / "missing")
