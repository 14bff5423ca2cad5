"""Every exception Quincunx raises on purpose, what it carries, and the exit code of a process that ends by it.

QuincunxError                 what, where, why and remedy, as fields
├── BadInput                  a file, value or option a person gave is wrong: exit code 2
│   ├── BadScore              a song file that cannot be sung as it stands
│   ├── BadVoicebank          a bank that is incomplete or contradicts itself
│   └── BadOption             an option outside what the manifest allows
├── CompileError              a graph that cannot become recipes
│   ├── InvalidGraph          orphan edges, unknown ports, two producers on one input
│   ├── CyclicGraph           names the nodes of the cycle
│   ├── MissingInputs         {node: [ports]} that nothing feeds
│   ├── RecursiveNesting      a nested graph that contains itself
│   └── SeveralFaults         more than one of these, in the order of the checks
├── StepError                 a step ran and did not deliver
│   ├── StepFailed            the step itself raised
│   │   └── DeviceFailed      what it computes on is broken or full: elsewhere it may succeed
│   └── WrongOutputs          too few, too many, unnamed or ambiguous outputs
└── StoreError                bytes that should be there are not
    ├── StoreUnreachable      nobody knows, because the store did not answer in time: exit code 6
    ├── StoreRefused          it answered that this key may not: exit code 4
    └── BlobsLost             an index promised them
        ├── BlobMissing
        └── BlobCorrupt       the bytes do not have the digest they are stored under
FarmError                     a farm did not do what was asked of it (a QuincunxError, too)
├── FarmUnreachable           no answer, or no farm is named: exit code 6
├── FarmRefused               it answered that this user may not: exit code 4
└── NotOnFarm                 it knows no such job, phrase or node: exit code 5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class QuincunxError(Exception):
    """Base of the tree. `str()` reads as one sentence: where, what, and what to do next."""

    #: The same for every program of ours, so that a script can tell what is wrong without reading.
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{self.what}{advice}"


class BadInput(QuincunxError):
    """Something a person gave cannot be used; nothing was queued and nothing was written."""

    exit_code = 2


class BadScore(BadInput):
    """A song file is wrong; `where` is `file:line` or a field path such as `voice_parts[2].notes[17]`."""


class BadVoicebank(BadInput):
    """A voicebank is incomplete or contradicts itself."""


class BadOption(BadInput):
    """An option has a value its manifest does not allow, or no manifest knows it."""


class CompileError(QuincunxError):
    """A graph cannot become recipes."""


class InvalidGraph(CompileError):
    """The graph contradicts itself; `problems` names every contradiction, not only the first."""

    def __init__(self, problems: Sequence[str], *, where: str = "") -> None:
        super().__init__("; ".join(problems), where=where)
        self.problems = tuple(problems)


class CyclicGraph(CompileError):
    """Some nodes feed themselves."""

    def __init__(self, nodes: Sequence[str], *, where: str = "") -> None:
        super().__init__(f"these nodes feed themselves: {', '.join(nodes)}", where=where)
        self.nodes = tuple(nodes)


class MissingInputs(CompileError):
    """Required inputs that have neither connection nor preset nor default."""

    def __init__(self, ports: Mapping[str, Sequence[str]], *, where: str = "") -> None:
        named = "; ".join(f"{node} needs {', '.join(names)}" for node, names in ports.items())
        super().__init__(f"missing input: {named}", where=where)
        self.ports = {node: tuple(names) for node, names in ports.items()}


class RecursiveNesting(CompileError):
    """A nested graph contains itself; `path` is the way down to the repetition."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"a nested graph contains itself: {' / '.join(path)}")
        self.path = tuple(path)


class SeveralFaults(CompileError):
    """A graph is wrong in several ways; `faults` are all of them, in the order of the checks."""

    def __init__(self, faults: Sequence[CompileError], *, where: str = "") -> None:
        super().__init__("; ".join(map(str, faults)), where=where)
        self.faults = tuple(faults)


class StepError(QuincunxError):
    """A step did not deliver."""


class StepFailed(StepError):
    """The step raised; the cause is chained."""


class DeviceFailed(StepFailed):
    """A device is broken or out of memory. `started`: it has computed before, so what it computed may be to blame."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", started: bool = True) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.started = started


class WrongOutputs(StepError):
    """What a step returned does not fit the outputs its recipe names."""


class StoreError(QuincunxError):
    """A store does not hold what was asked of it."""


class StoreUnreachable(StoreError):
    """The store did not answer, or not sensibly, however often it was asked; what it holds is not known."""

    exit_code = 6


class StoreRefused(StoreError):
    """The store answered that this key may not do this, or is not whose it says."""

    exit_code = 4


class BlobsLost(StoreError):
    """Blobs that an index promised are missing or corrupt; the steps that made them have to run again."""

    def __init__(self, digests: Sequence[str], what: str = "") -> None:
        super().__init__(what or f"{len(digests)} blobs are missing or corrupt")
        self.digests = tuple(digests)


class BlobMissing(BlobsLost):
    """No blob has this digest here."""

    def __init__(self, digest: str) -> None:
        super().__init__((digest,), f"no blob {digest}")
        self.digest = digest


class BlobCorrupt(BlobsLost):
    """A blob's bytes no longer have the digest they are stored under; the store has dropped it."""

    def __init__(self, digest: str) -> None:
        super().__init__((digest,), f"blob {digest} is corrupt")
        self.digest = digest


class FarmError(QuincunxError):
    """A farm did not do what was asked of it."""


class FarmUnreachable(FarmError):
    """A server of the farm does not answer, or nothing says where it is."""

    exit_code = 6


class FarmRefused(FarmError):
    """A server of the farm answered that this user may not do this, or is not who it says."""

    exit_code = 4


class NotOnFarm(FarmError):
    """The farm knows nothing of this name."""

    exit_code = 5
