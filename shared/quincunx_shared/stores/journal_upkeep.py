"""Looking after the journal of an index: many small documents become few large ones, without what nobody can recall.

records/<milliseconds>-m<chance>    a document that was merged from others, named by the first of them
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from quincunx_shared.names import Signature
from quincunx_shared.ports import BlobStore, Documents, Outputs
from quincunx_shared.stores.journal import RECORDS, journalled, packed, written_at

#: Documents younger than this may not be listed yet, or have neighbours on their way; they are left alone.
SETTLED_SECONDS = 600.0

#: A merged document holds so many records: a few megabytes.
MERGED = 20_000

_MERGED_MARK = "m"

#: So many documents are deleted at once, and read for one turn of joining.
_DELETED_AT_ONCE, _JOINED_AT_ONCE = 12, 20_000


def compact(
    blobs: BlobStore,
    documents: Documents,
    dropped: AbstractSet[Signature] = frozenset(),
    settled_seconds: float = SETTLED_SECONDS,
) -> int:
    """Merge the documents of the journal, without what was dropped and what has lost its blobs; return how many are
    left of them.

    The blobs decide and not the index, which may have lost what the journal is for. Nothing is deleted before what it
    held is written again, so this may be broken off, or run twice at once.
    """
    merged: dict[Signature, Outputs] = {}
    replaced: list[str] = []
    left = 0
    for name, records in journalled(documents, _settled(documents, settled_seconds)):
        replaced.append(name)
        for signature, outputs in records.items():
            merged.setdefault(signature, outputs)
        if len(merged) >= MERGED:
            left += _merge(blobs, documents, merged, replaced, dropped)
            merged, replaced = {}, []
    return left + (_merge(blobs, documents, merged, replaced, dropped) if replaced else 0)


def _merge(
    blobs: BlobStore,
    documents: Documents,
    merged: Mapping[Signature, Outputs],
    replaced: Sequence[str],
    dropped: AbstractSet[Signature],
) -> int:
    promised = {ref.digest for outputs in merged.values() for ref in outputs if ref.inline is None}
    missing = blobs.missing(promised)
    kept = {
        name: outputs
        for name, outputs in merged.items()
        if name not in dropped and not any(ref.inline is None and ref.digest in missing for ref in outputs)
    }
    if len(replaced) == 1 and len(kept) == len(merged) > 0:
        return 1
    _replace(documents, replaced, kept)
    return int(bool(kept))


def join(documents: Documents, settled_seconds: float = SETTLED_SECONDS) -> int:
    """Merge documents of the journal that follow each other and were never merged; return how many there were.

    Nothing is left out, so that neither blobs nor index need be asked. May be broken off, or run twice at once.
    """
    names = _settled(documents, settled_seconds)[:_JOINED_AT_ONCE]
    joined = 0
    # Across one that was merged nothing is joined: of a record that was written twice, the first holds.
    for is_merged, some in groupby(names, _is_merged):
        run = list(some)
        if not is_merged and len(run) > 1:
            _join_run(documents, run)
            joined += len(run)
    return joined


def _join_run(documents: Documents, names: Sequence[str]) -> None:
    merged: dict[Signature, Outputs] = {}
    replaced: list[str] = []
    for name, records in journalled(documents, names):
        replaced.append(name)
        for signature, outputs in records.items():
            merged.setdefault(signature, outputs)
        if len(merged) >= MERGED:
            _replace(documents, replaced, merged)
            merged, replaced = {}, []
    if replaced:
        _replace(documents, replaced, merged)


def _replace(documents: Documents, names: Sequence[str], records: Mapping[Signature, Outputs]) -> None:
    """Write records in the place of documents, and only then delete these."""
    if records:
        place = names[0].partition("-")[0]
        documents.put(f"{place}-{_MERGED_MARK}{os.urandom(6).hex()}", packed(records))
    with ThreadPoolExecutor(_DELETED_AT_ONCE, thread_name_prefix="quincunx-journal") as pool:
        list(pool.map(documents.delete, names))


def _settled(documents: Documents, settled_seconds: float) -> list[str]:
    before = time.time() - settled_seconds
    return [name for name in documents.names(RECORDS) if written_at(name) < before]


def _is_merged(name: str) -> bool:
    return name.partition("-")[2].startswith(_MERGED_MARK)
