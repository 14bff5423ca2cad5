"""The address of the farm's Redis as Celery writes it, with the user and password of this role in it.

It is made when an app is, and never shown: Celery replaces the password wherever it tells of its broker.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urlsplit

from quincunx_shared.errors import FarmUnreachable
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings


def broker_address(settings: FarmSettings) -> str:
    """Return the address. Raises `FarmUnreachable` if none is set, and `BadSecret`."""
    if not settings.redis_url:
        raise FarmUnreachable("no farm is named", where="redis_url", remedy="set QUINCUNX_FARM_REDIS_URL")
    parts = urlsplit(settings.redis_url)
    secret = settings.redis_password_file
    password = read_secret(secret).decode() if secret else ""
    user = f"{quote(settings.redis_username, safe='')}:{quote(password, safe='')}@" if password else ""
    if parts.scheme == "unix":
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{user}{quote(parts.path)}?{urlencode({'virtual_host': database})}"
    trust = f"?{urlencode({'ssl_ca_certs': settings.redis_ca_file})}" if settings.redis_ca_file else ""
    return f"{parts.scheme}://{user}{parts.netloc}{parts.path or '/0'}{trust}"
