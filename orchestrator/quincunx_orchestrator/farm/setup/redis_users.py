"""Who may do what in Redis: the file of users that Valkey and Redis read.

Pure: names and digests of passwords in, text out. All keys of a farm begin with its namespace, so farms that share a
Redis cannot touch each other. No role may switch anything off, look at other connections, or empty a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: What changes the server, shows other people's connections, or walks over every key.
_NOT_OURS = "-@admin -@dangerous"

#: What `quincunx doctor` asks a server about itself.
_ASKING = "+info +config|get +acl|whoami"

#: The databases of a server as it comes; a farm may use any.
_DATABASES = 16


@dataclass(frozen=True)
class RedisUser:
    """A user of Redis: which keys and channels, and which commands. `{ns}` stands for the namespace."""

    name: str
    rules: str


#: Runs jobs and speaks for the farm: all of its keys.
COORDINATOR = RedisUser("coordinator", f"~{{ns}}:* &{{ns}}:* +@all {_NOT_OURS} {_ASKING}")

#: Submits jobs, watches and cancels them, drains nodes. Its command line runs the doctor.
CLIENT = RedisUser("client", f"~{{ns}}:* &{{ns}}:* +@all {_NOT_OURS} {_ASKING}")

#: Runs bundles.
WORKER = RedisUser("worker", f"~{{ns}}:* &{{ns}}:* +@all {_NOT_OURS} {_ASKING}")

#: Looks at queues and listens to events. What it writes is one thing: that it listens, without which it hears nothing.
FLOWER = RedisUser(
    "flower",
    "%R~{ns}:celery:quincunx.* %RW~{ns}:celery:_kombu.binding* {events} "
    "+ping +hello +auth +select +client|setinfo +client|setname +llen +exists +type +smembers +sadd +srem +multi +exec "
    "+discard +subscribe +psubscribe +unsubscribe +punsubscribe +info",
)

#: Asks whether the server answers. Its name is no secret: it can do nothing else.
HEALTH = RedisUser("health", "+ping")

#: Those with a password.
ROLES = (COORDINATOR, CLIENT, WORKER, FLOWER)


def acl_file(namespace: str, password_digests: Mapping[str, str]) -> str:
    """Return the text of an ACL file: of every role, the SHA-256 of its password. Nobody gets in without a name."""
    lines = ["user default reset off"]
    for user in ROLES:
        # `reset` first: a file that is read again must not leave an old password or key beside the new ones.
        rules = user.rules.format(ns=namespace, events=_events(namespace))
        lines.append(f"user {user.name} reset on #{password_digests[user.name]} {rules}")
    lines.append(f"user {HEALTH.name} reset on nopass {HEALTH.rules}")
    return "\n".join(lines) + "\n"


def _events(namespace: str) -> str:
    """The channels of Celery's events. Who listens to a pattern must be let in to exactly that pattern."""
    return " ".join(f"&{namespace}:celery:/{database}.celeryev/*" for database in range(_DATABASES))
