"""What every role of a farm is told about it: where its servers are, and how long things may take.

A frozen value, read once at the start (`settings_layers.load_settings`) and handed on. Secrets are never in it: it
names the files that hold them, and `secret_file.read_secret` reads those when they are needed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from quincunx_shared.farm.store_address import parse_store

#: What a name of a farm may be made of: it stands in Redis keys, ACL patterns and queue names.
_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

_SCHEMES = ("redis", "rediss", "unix")


def _redis_url(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{one}://' for one in _SCHEMES)}")
    if parts.password is not None or parts.username is not None:
        # It would be shown wherever the address is: in messages, in logs, in the list of processes.
        raise ValueError("must not hold a name or a password; use redis_username and redis_password_file")
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("must name a socket: unix:///run/quincunx/redis.sock")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("must name a machine: redis://HOST:PORT/0")
    return text


def _store(text: str) -> str:
    if text:
        parse_store(text)
    return text


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise ValueError("must be 1 to 32 of a-z, 0-9, - and _, and begin with a letter or digit")
    return text


class FarmSettings(BaseModel):
    """One farm, as one process sees it. Paths are absolute; None or an empty text is "not set"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        default="", description="redis://HOST:PORT/DB, rediss://… with TLS, or unix:///PATH; Valkey is spoken to alike"
    )
    redis_username: str = Field(default="", description="this role's user in Redis; empty is the default user")
    redis_password_file: Path | None = Field(default=None, description="the file that holds its password")
    redis_ca_file: Path | None = Field(default=None, description="whom to trust with rediss://; none is the system's")
    store: Annotated[str, AfterValidator(_store)] = Field(
        default="", description="s3://HOST:PORT/BUCKET, s3+https://HOST/BUCKET, or file:///FOLDER"
    )
    store_region: str = Field(default="us-east-1", description="the region the bucket is in")
    store_access_key_file: Path | None = Field(default=None, description="the file that holds the access key's name")
    store_secret_key_file: Path | None = Field(default=None, description="the file that holds the secret key")
    store_ca_file: Path | None = Field(default=None, description="whom to trust with s3+https://; none is the system's")
    envelope_key_file: Path | None = Field(default=None, description="the file with the key that signs messages")
    namespace: Annotated[str, AfterValidator(_namespace)] = Field(
        default="qx", description="the name of the farm: several may share a Redis"
    )
    lease_seconds: float = Field(default=15.0, ge=0.2, le=3600, description="how long a lease lasts unless renewed")
    step_seconds: float = Field(
        default=1800.0, ge=0.2, le=604_800, description="a step that runs for longer hangs: its worker ends it"
    )
    redis_timeout_seconds: float = Field(default=5.0, gt=0, le=600, description="the longest wait for Redis")
    store_timeout_seconds: float = Field(default=10.0, gt=0, le=600, description="the longest wait for the store")
    store_retries: int = Field(default=8, ge=0, le=20, description="tries again after an error of the store")
    max_jobs: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="jobs that may wait; more are refused. The smaller of a client's and a coordinator's",
    )
    keep_days: float = Field(default=30.0, gt=0, le=3650, description="how long the record of an ended job is kept")
    cache_dir: Path | None = Field(default=None, description="this machine's cache of blobs; none is the user's own")
    cache_size: int = Field(default=20_000_000_000, ge=1_000_000, description="bytes the cache of blobs may take")
    isolate: str = Field(
        default="", description="packages whose steps a worker runs in processes of their own, with commas; or all"
    )
    isolate_seconds: float = Field(default=300.0, gt=0, le=604_800, description="the longest run of such a step")
    isolate_memory: float = Field(default=4.0, gt=0, le=10_000, description="gigabytes that it may take")
    model_seconds: float = Field(
        default=0.0, ge=0, le=604_800, description="the longest run of a model on a worker; 0 is as its phrase allows"
    )
    model_memory: float = Field(
        default=0.0, ge=0, le=10_000, description="gigabytes for all models of a process; 0 is no limit"
    )
    metrics_address: str = Field(default="", description="HOST:PORT to serve metrics on; empty serves none")
    alive_file: Path | None = Field(default=None, description="a file to touch every few seconds, for a supervisor")
    log_format: Literal["text", "json"] = Field(default="text", description="text or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    @property
    def named(self) -> bool:
        """Whether a farm is named at all."""
        return bool(self.redis_url and self.store)


#: What belongs to a server and means nothing, or too much, to another one: see `settings_layers`.
BELONGS_TO = {
    "redis_url": ("redis_username", "redis_password_file", "redis_ca_file", "envelope_key_file"),
    "store": ("store_region", "store_access_key_file", "store_secret_key_file", "store_ca_file"),
}
