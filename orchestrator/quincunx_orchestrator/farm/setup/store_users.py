"""Who may do what in the store: the file of identities that SeaweedFS's S3 side reads.

Pure. Other stores have other ways; the roles and what each needs are the same there (deploy/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AccessKey:
    """A name and a secret of S3."""

    access: str
    secret: str


#: Role → what it may do in the bucket. Deleting is writing; only the set-up may make buckets.
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "bucket": ("Admin",),
    "coordinator": ("Read", "Write", "List"),
    "worker": ("Read", "Write", "List"),
    "client": ("Read", "Write", "List"),
}


def identities(bucket: str, keys: Mapping[str, AccessKey]) -> str:
    """Return the text of the file of identities."""
    found = [
        {
            "name": role,
            "credentials": [{"accessKey": keys[role].access, "secretKey": keys[role].secret}],
            "actions": [right if right == "Admin" else f"{right}:{bucket}" for right in rights],
        }
        for role, rights in RIGHTS.items()
    ]
    return json.dumps({"identities": found}, indent=2) + "\n"
