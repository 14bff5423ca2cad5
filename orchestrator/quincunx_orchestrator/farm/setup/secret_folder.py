"""The secrets of a farm as files: one folder for each reader, so that each can be given its own and nobody else's.

    redis/users.acl             store/s3.json            what the servers are told: digests of passwords; keys
    coordinator/ worker/ client/   redis_password, store_access_key, store_secret_key, envelope_key
    bucket/                     store_access_key, store_secret_key
    flower/                     redis_password, login

What is there stays: who wants another password removes its file and runs this again. What the servers read follows
from the rest and is written anew each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from quincunx_orchestrator.farm.setup.redis_users import ROLES, acl_file
from quincunx_orchestrator.farm.setup.store_users import RIGHTS, AccessKey, identities

#: The roles that speak to workers, or are spoken to: they share the key that signs messages.
SIGNING = ("coordinator", "worker", "client")

#: Who opens Flower in a browser.
FLOWER_NAME = "farm"


class SecretFolder:
    """A folder of secrets. `mode` is what each file may be read by: 0o400 on a machine, 0o444 in a volume."""

    def __init__(
        self, root: Path, mode: int = 0o400, draw: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    ) -> None:
        self._root = root
        self._mode = mode
        self._draw = draw
        #: Every file that this made, of those that were not there.
        self.made: list[str] = []

    def fill(self, namespace: str, bucket: str) -> None:
        """Make what is missing, and write what the servers are told."""
        passwords = {user.name: self._once(f"{user.name}/redis_password") for user in ROLES}
        keys = {role: self._access_key(role) for role in RIGHTS}
        shared = self._shared_key()
        for role in SIGNING:
            self._once(f"{role}/envelope_key", shared)
        self._once("flower/login", f"{FLOWER_NAME}:{self._draw()}")
        self._write("redis/users.acl", acl_file(namespace, _digests(passwords)))
        self._write("store/s3.json", identities(bucket, keys))

    def _access_key(self, role: str) -> AccessKey:
        # The name tells a person who reads the store's log which role it was.
        access = self._once(f"{role}/store_access_key", f"{role}-{secrets.token_hex(6)}")
        return AccessKey(access, self._once(f"{role}/store_secret_key"))

    def _shared_key(self) -> str:
        """The key that is there already, if any role has it: two would not understand each other."""
        for role in SIGNING:
            path = self._root / role / "envelope_key"
            if path.is_file():
                return path.read_text(encoding="ascii").strip()
        return self._draw()

    def _once(self, name: str, text: str | None = None) -> str:
        path = self._root / name
        if not path.is_file():
            self._write(name, (text or self._draw()) + "\n")
            self.made.append(name)
        return path.read_text(encoding="ascii").strip()

    def _write(self, name: str, text: str) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        beside.write_text(text, encoding="ascii")
        beside.chmod(self._mode)
        beside.replace(path)


def _digests(passwords: Mapping[str, str]) -> Mapping[str, str]:
    return {name: sha256(password.encode("ascii")).hexdigest() for name, password in passwords.items()}
