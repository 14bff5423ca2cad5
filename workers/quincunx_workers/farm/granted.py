"""What a worker was granted: which bundles it can read and may run, and why not the others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.farm.wire import BadMessage, bundle_from_json
from quincunx_shared.farm.work_state import BundleId
from quincunx_shared.names import Digest
from quincunx_shared.recipe import Bundle


@dataclass(frozen=True)
class Granted:
    """Bundles to run, and the names of those to hand back: by a word for the counters, and the reason."""

    bundles: dict[BundleId, Bundle] = field(default_factory=dict)
    refused: dict[tuple[str, str], list[BundleId]] = field(default_factory=dict)


def sort_out(
    contents: Mapping[BundleId, bytes], meant: Mapping[BundleId, Digest], misfit: Callable[[Bundle], str]
) -> Granted:
    """Sort bundles by whether they are what was `meant`, can be read, and fit; `misfit` says why one does not."""
    granted = Granted()
    for name, content in contents.items():
        word, why = "misfit", ""
        if digest_of_bytes(content) != meant[name]:
            word, why = "forged", "was not what its message said"
        else:
            try:
                bundle = bundle_from_json(content)
                why = misfit(bundle)
            except BadMessage as error:
                # From a newer coordinator, as it may be during an upgrade: a newer worker reads it.
                why = f"cannot read it: {error}"
        if why:
            granted.refused.setdefault((word, why), []).append(name)
        else:
            granted.bundles[name] = bundle
    return granted
