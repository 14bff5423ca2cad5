"""A real S3 server for the tests: OpenStack Swift with its S3 front end, all of it in one process, from wheels.

`python swift_server.py FOLDER PORT` serves on the loopback until it is ended, and prints a line when it is ready.
Swift keeps what it stores in FOLDER. Runs alone: nothing of the project is imported here.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()  # before anything else is imported

import getpass  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from eventlet import wsgi  # noqa: E402
from swift.common import constraints, storage_policy, utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

HOST = "127.0.0.1"

SWIFT = """
[swift-hash]
swift_hash_path_prefix = quincunx
swift_hash_path_suffix = quincunx
[storage-policy:0]
name = one
default = yes
"""

COMMON = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
log_level = ERROR
log_address = {folder}/log
user = {user}
"""

#: The cache is one dictionary, see `cache_filter`.
PROXY = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
node_timeout = 5
conn_timeout = 1

[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = swift_server:cache_filter
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
auth_pipeline_check = false
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_farm_worker = {secret} .admin
user_farm_guest = {secret}
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
"""

STORAGE = """
[pipeline:main]
pipeline = server
[app:server]
use = egg:swift#{kind}
replication_server = false
"""


class DictionaryCache:
    """What Swift expects of memcached, as far as it uses it."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def get(self, key: str, **_: object) -> object:
        return self._values.get(key)

    def set(self, key: str, value: object, **_: object) -> None:
        self._values[key] = value

    def delete(self, key: str, **_: object) -> None:
        self._values.pop(key, None)

    def incr(self, key: str, delta: int = 1, **_: object) -> int:
        self._values[key] = int(str(self._values.get(key, 0))) + delta
        return int(str(self._values[key]))


def cache_filter(_conf: object, **_local: object) -> Any:
    """Lay one cache over every request."""
    cache = DictionaryCache()

    def over(app: Any) -> Any:
        def call(env: Any, start_response: Any) -> Any:
            env["swift.cache"] = cache
            return app(env, start_response)

        return call

    return over


def build_ring(folder: Path, kind: str, port: int) -> None:
    """One device holds everything."""
    ring = RingBuilder(4, 1, 0)
    ring.add_dev(
        {"region": 1, "zone": 1, "ip": HOST, "port": port, "device": "one", "weight": 1.0}
        | {"replication_ip": HOST, "replication_port": port}
    )
    ring.rebalance()
    ring.get_ring().save(str(folder / f"{kind}.ring.gz"))


def main() -> None:
    """Serve until ended; port 0 takes a free one. The secret key stands in the environment."""
    folder, port, secret = Path(sys.argv[1]), int(sys.argv[2]), os.environ["SECRET"]
    sys.modules["swift_server"] = sys.modules["__main__"]
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT)
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    utils.validate_hash_conf()
    constraints.reload_constraints()
    storage_policy.reload_storage_policies()
    common = COMMON.format(folder=folder, user=getpass.getuser())
    threads = []
    for kind in ("object", "container", "account"):
        listener = eventlet.listen((HOST, 0), backlog=256)
        build_ring(folder, kind, listener.getsockname()[1])
        conf = folder / f"{kind}.conf"
        conf.write_text(common + STORAGE.format(kind=kind))
        threads.append(serve(listener, loadapp(str(conf))))
    conf = folder / "proxy.conf"
    conf.write_text(common + PROXY.format(secret=secret))
    front = eventlet.listen((HOST, port), backlog=256)
    threads.append(serve(front, loadapp(str(conf))))
    print("ready on", front.getsockname()[1], flush=True)
    for thread in threads:
        thread.wait()


def serve(listener: Any, app: Any) -> Any:
    """Serve an application on a green thread."""
    return eventlet.spawn(wsgi.server, listener, app, protocol=SwiftHttpProtocol, log_output=False)


if __name__ == "__main__":
    main()
