"""Values of ports as files: .npz for programs, .csv for tables; what `edit` reads back is written here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quincunx_orchestrator.song.port_values import Spoken
from quincunx_shared.errors import BadInput
from quincunx_shared.payload import Payload


@dataclass(frozen=True)
class Exported:
    """A port of a phrase: its value, and the seconds of its frames, if it has any."""

    phrase: str
    port: str
    value: Payload
    seconds: npt.NDArray[np.float64]
    phones: Sequence[Spoken] = ()


def write_npz(exported: Sequence[Exported]) -> bytes:
    """Return arrays by `phrase/port`, each with `phrase/port.seconds`; phones as texts with `.start` and `.end`.

    What is no array is its JSON, as a text.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for one in exported:
        name = f"{one.phrase}/{one.port}"
        if one.phones:
            arrays[name] = np.array([phone.text for phone in one.phones])
            arrays[f"{name}.start"] = np.array([phone.start for phone in one.phones])
            arrays[f"{name}.end"] = np.array([phone.end for phone in one.phones])
            continue
        is_array = isinstance(one.value, np.ndarray)
        arrays[name] = one.value if is_array else np.array(json.dumps(one.value, ensure_ascii=False))
        if is_array and _is_framed(one):
            arrays[f"{name}.seconds"] = one.seconds
    content = io.BytesIO()
    named: Mapping[str, npt.NDArray[np.generic]] = arrays
    np.savez(content, **named)  # type: ignore[arg-type]  # the stub takes the names for the other keyword
    return content.getvalue()


def write_csv(exported: Sequence[Exported]) -> bytes:
    """Return a table, a line a frame: seconds, then the values; or a line a phone. One port a file.

    Of several phrases, the first column is the phrase.
    """
    if len({one.port for one in exported}) > 1:
        raise BadInput("a table holds one port", where="--port", remedy="write .npz for several")
    rows: list[list[str | float]] = []
    heads: list[str] = []
    several = len(exported) > 1
    for one in exported:
        heads, lines = _table(one)
        rows += [[*([one.phrase] if several else []), *line] for line in lines]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(["phrase"] if several else []), *heads])
    writer.writerows(rows)
    return text.getvalue().encode()


def _table(one: Exported) -> tuple[list[str], list[list[str | float]]]:
    if one.phones:
        return ["phone", "start", "end"], [[phone.text, phone.start, phone.end] for phone in one.phones]
    if not isinstance(one.value, np.ndarray) or one.value.ndim not in (1, 2):
        raise BadInput(f"{one.port} is no row of numbers", where="--port", remedy="write .npz")
    columns = one.value.reshape(len(one.value), -1)
    names = ["value"] if columns.shape[1] == 1 else [f"value{number}" for number in range(columns.shape[1])]
    # `tolist` of float32 gives doubles, whose shortest text is long; the text of the float32 itself is what was made.
    values: list[list[str | float]] = [[str(number) for number in line] for line in columns]
    if not _is_framed(one):
        return names, values
    return ["seconds", *names], [[float(at), *line] for at, line in zip(one.seconds, values, strict=True)]


def _is_framed(one: Exported) -> bool:
    return isinstance(one.value, np.ndarray) and one.value.ndim > 0 and len(one.value) == len(one.seconds)
