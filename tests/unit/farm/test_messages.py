"""Messages come back as they were, and only at the side they are for."""

from __future__ import annotations

import pytest

from quincunx_shared.farm.envelope import BadEnvelope, seal
from quincunx_shared.farm.messages import RunBundles, open_advance, open_run, seal_advance, seal_run
from quincunx_shared.names import Digest, RenderId

KEY = b"k" * 32
RUN = RunBundles(RenderId("r"), 3, ("3/p/cpu", "3/句/cpu"), (Digest("a"), Digest("b")))


def test_messages_come_back_as_they_were() -> None:
    assert open_run(seal_run(RUN, KEY, 0), KEY, 1) == RUN
    assert open_advance(seal_advance(RenderId("r"), KEY, 0), KEY, 1) == "r"


def test_a_message_for_one_side_is_none_for_the_other() -> None:
    with pytest.raises(BadEnvelope):
        open_advance(seal_run(RUN, KEY, 0), KEY, 1)
    with pytest.raises(BadEnvelope):
        open_run(seal_advance(RenderId("r"), KEY, 0), KEY, 1)


@pytest.mark.parametrize("fields", [{}, {"render": "r", "generation": 1, "bundles": ["a"], "digests": []}])
def test_a_message_that_lacks_something_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadEnvelope):
        open_run(seal("run", fields, KEY, 0), KEY, 1)
