"""The blackboard as one message sees it: read once for all its bundles, written by whoever ends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from quincunx_shared.errors import MissingInputs
from quincunx_shared.names import Address, Digest
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import Bundle
from quincunx_workers.executor import outside_of


class MessageBoard:
    """What the bundles of a message read, fetched in one round trip."""

    def __init__(self, board: Blackboard, bundles: Iterable[Bundle]) -> None:
        self._board = board
        self._bundles = tuple(bundles)
        self._known: Mapping[Address, ParamRef] = {}
        wanted = list(dict.fromkeys(address for bundle in self._bundles for address in outside_of(bundle)))
        if wanted:
            try:
                self._known = board.take(wanted)
            except MissingInputs:
                # Some bundle's input is not there: each asks for itself, and that one hears it.
                self._known = {}

    def large(self) -> list[Digest]:
        """The blobs that the bundles read, in the order in which they run."""
        refs: list[ParamRef] = []
        for bundle in self._bundles:
            refs += [self._known[address] for address in outside_of(bundle) if address in self._known]
            sources = (source for task in bundle.tasks for sources in task.inputs for source in sources)
            refs += [source.value for source in sources if source.value is not None]
        return list(dict.fromkeys(ref.digest for ref in refs if ref.inline is None))

    def put(self, values: Mapping[Address, ParamRef]) -> None:
        """Nothing: exports go to the board with the report that ends their bundle, or not at all."""

    def take(self, addresses: Sequence[Address]) -> Mapping[Address, ParamRef]:
        """Return the references, or name what is missing."""
        if all(address in self._known for address in addresses):
            return {address: self._known[address] for address in addresses}
        return self._board.take(addresses)

    def close(self) -> None:
        """Nothing: the board is the coordinator's."""
