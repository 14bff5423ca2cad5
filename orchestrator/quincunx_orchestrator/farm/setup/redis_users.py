"""Who may do what in Redis: the file of users that Valkey and Redis read.

Pure: names and digests of passwords in, text out. All keys of a farm begin with its namespace, so farms that share a
Redis cannot touch each other. No role may switch anything off, look at other connections, or empty a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: What changes the server, shows other people's connections, or walks over every key.
_NOT_OURS = "-@admin -@dangerous -script|flush -function -randomkey"

#: What `quincunx doctor` asks a server about itself.
_ASKING = "+info +config|get +acl|whoami"

#: The databases of a server as it comes; a farm may use any.
_DATABASES = 16


@dataclass(frozen=True)
class RedisUser:
    """A user of Redis: which keys and channels, and which commands. `{ns}` stands for the namespace."""

    name: str
    rules: str


def _role(name: str, keys: str, commands: str = "", beside: str = "") -> RedisUser:
    """A role that works: all commands but those that are nobody's business, on some of the farm's keys."""
    return RedisUser(name, " ".join(f"{keys} {_CHANNELS} +@all {_NOT_OURS} {_ASKING} {commands} {beside}".split()))


#: All of a farm's channels: Celery's events and results.
_CHANNELS = "&{ns}:*"

#: What is kept for single renders (the name of the render stands in braces), and what doctor tries its rights on.
_RENDERS = "~{ns}:{{* ~{ns}:doctor:*"

#: Runs jobs, and looks after everything that a farm keeps.
COORDINATOR = _role("coordinator", "~{ns}:*")

#: Submits jobs, watches and cancels them, drains nodes. It wakes coordinators and reads how long queues are, but sends
#: no work to workers, tells no node's story, and forgets results without ever writing one.
CLIENT = _role(
    "client",
    f"{_RENDERS} ~{{ns}}:job:* ~{{ns}}:jobs* ~{{ns}}:queue:* ~{{ns}}:running ~{{ns}}:active:* ~{{ns}}:song:* "
    "~{ns}:schedules* ~{ns}:drains ~{ns}:celery:quincunx.control* ~{ns}:celery:_kombu.binding* "
    "%R~{ns}:nodes %R~{ns}:classes %R~{ns}:celery:* %R~{ns}:sig:* %R~{ns}:epoch %R~{ns}:counters %R~{ns}:refused",
    beside="(~{ns}:sig:* +unlink) (~{ns}:nodes +hdel)",
)

#: Runs bundles: knows the state of renders and of results, and nothing of who submitted what, or of what waits.
WORKER = _role(
    "worker",
    f"{_RENDERS} ~{{ns}}:sig:* ~{{ns}}:claim:* ~{{ns}}:celery:* ~{{ns}}:nodes ~{{ns}}:classes %R~{{ns}}:drains "
    "~{ns}:counters ~{ns}:refused",
    commands="-scan",
)

#: Looks at queues and listens to events. What it writes is one thing: that it listens, without which it hears nothing.
#: It cannot speak to workers, who do not listen to such messages either.
FLOWER = RedisUser(
    "flower",
    "%R~{ns}:celery:quincunx.* %RW~{ns}:celery:_kombu.binding* %RW~{ns}:celery:celeryev.* {events} "
    "+ping +hello +auth +select +client|setinfo +client|setname +multi +exec +discard +time "
    "+llen +exists +type +smembers +sadd +srem +del +zadd +zrem +zrange +zrangebyscore "
    "+eval +evalsha +script|load +script|exists +subscribe +psubscribe +unsubscribe +punsubscribe",
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
