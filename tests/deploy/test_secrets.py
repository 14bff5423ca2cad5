"""The secrets of a farm: made once, read by those who need them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_shared.farm.secret_file import read_secret


def fill(root: Path) -> SecretFolder:
    folder = SecretFolder(root)
    folder.fill("qx", "quincunx")
    return folder


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_what_is_there_stays(tmp_path: Path) -> None:
    assert fill(tmp_path).made
    before = contents(tmp_path)
    assert fill(tmp_path).made == []
    assert contents(tmp_path) == before


def test_a_password_is_changed_by_removing_it(tmp_path: Path) -> None:
    fill(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "worker" / "redis_password").unlink()
    assert fill(tmp_path).made == ["worker/redis_password"]
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"worker/redis_password", "redis/users.acl"}


def test_all_who_speak_to_workers_have_one_key(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "worker" / "envelope_key").unlink()
    fill(tmp_path)
    assert len({(tmp_path / role / "envelope_key").read_text() for role in ("coordinator", "worker", "client")}) == 1


def test_redis_is_told_digests_alone(tmp_path: Path) -> None:
    fill(tmp_path)
    told = (tmp_path / "redis" / "users.acl").read_text()
    for role in ("coordinator", "worker", "client", "flower"):
        password = read_secret(tmp_path / role / "redis_password")
        assert password.decode() not in told
        assert f"#{sha256(password).hexdigest()}" in told


def test_the_store_lets_roles_into_one_bucket(tmp_path: Path) -> None:
    fill(tmp_path)
    told = json.loads((tmp_path / "store" / "s3.json").read_text())["identities"]
    rights = {one["name"]: set(one["actions"]) for one in told}
    assert rights.pop("bucket") == {"Admin"}
    assert set(rights) == {"coordinator", "worker", "client"}
    assert all(each == {"Read:quincunx", "Write:quincunx", "List:quincunx"} for each in rights.values())


@pytest.mark.parametrize(("mode", "shown"), [(0o400, 0o400), (0o444, 0o444)])
def test_files_are_read_by_those_who_may(tmp_path: Path, mode: int, shown: int) -> None:
    SecretFolder(tmp_path, mode).fill("qx", "quincunx")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {shown}
