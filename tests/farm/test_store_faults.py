"""A whole farm whose store has a bad day: errors, silence, cut answers, answers that never come, wrong bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.farm.audit import Expected, audit
from tests.farm.fault_proxy import BAD_DAY, Faults, fault_proxy
from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.real_farm import real_farm

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

    from quincunx_shared.stores.bucket import Bucket


@pytest.mark.parametrize("faults", [BAD_DAY, Faults(wrong=0.2)], ids=["a bad day", "wrong bytes with 200"])
def test_a_store_on_a_bad_day_loses_and_spoils_nothing(
    s3_server: S3Server, bucket: Bucket, tmp_path: Path, faults: Faults
) -> None:
    for name, secret in (("access", s3_server.access_key), ("secret", s3_server.secret_key)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "farm").mkdir()
    with fault_proxy(s3_server.endpoint) as proxy:
        on_server = {
            "store": f"s3://{proxy.endpoint}/{bucket.where.rpartition('/')[2]}",
            "store_access_key_file": tmp_path / "access",
            "store_secret_key_file": tmp_path / "secret",
            "store_timeout_seconds": 1.0,
        }
        with real_farm(tmp_path / "farm", **on_server) as farm:
            farm.coordinator()
            # Two machines: each has a cache of its own, and reads what the other has made from the store.
            farm.worker("one", slots=2)
            farm.worker("two", "gpu", 2, QUINCUNX_FARM_CACHE_DIR=str(tmp_path / "other"))
            farm.ready()
            proxy.faults = faults
            song = ProofSong(8, floats=2000, trace=farm.new_trace(), colours=STAGED)
            reference = song.reference()
            with farm.client() as near:
                result = near.render(song)
            seen = dict(proxy.seen)
            proxy.faults = Faults()
            assert result.state == "succeeded", result.failed
            assert np.array_equal(result.payloads[TARGET], reference.sound)
            audit(farm, Expected(result.id, 8, reference, result.payloads[TARGET], injected=sum(seen.values())))
            assert set(seen) - {"passed"}, seen
