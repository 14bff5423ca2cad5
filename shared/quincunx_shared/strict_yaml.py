"""YAML as plain text: every scalar stays the string that was written, and what could surprise is refused.

Files of this field hold `no`, `on` and `1:30` where words are meant, so nothing is guessed. Anchors and aliases are
refused because they make a kilobyte unfold into gigabytes; tags because they ask a reader to make something other
than text; a key that stands twice because YAML readers silently keep one of the two. The reader walks events with a
stack of its own and bounds the nesting, so no file can exhaust Python's stack, here or where the value is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import yaml

from quincunx_shared.errors import BadInput

#: Real files of this field nest five deep.
DEPTH_LIMIT = 64

Yaml: TypeAlias = "str | list[Yaml] | dict[str, Yaml]"
_Collection: TypeAlias = "list[Yaml] | dict[str, Yaml]"

#: The reader in C where PyYAML has it: twenty times as fast, the same events.
_Events: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

#: What stands around the one value of a file.
_FRAME = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)


def read_yaml(content: bytes, *, where: str) -> Yaml:
    """Return the one document of a YAML file; an empty file is an empty mapping.

    Raises `BadInput` with `file:line` for broken syntax, anchors, tags, duplicate keys, keys that are no text, and
    a second document.
    """
    try:
        loader = _Events(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"this is not YAML in UTF-8: {error}", where=where) from error
    try:
        return _Builder(where).build(loader)
    except yaml.YAMLError as error:
        raise BadInput(f"broken YAML: {_problem(error)}", where=_place(where, error)) from error
    finally:
        loader.dispose()


def line_of(content: bytes, path: Sequence[str | int]) -> int:
    """Return the line, counted from 1, where the value at a path begins, in a file that `read_yaml` has accepted.

    Where the path leads nowhere, as to a key that is missing, it is the line of the collection that should hold it.
    The file is read a second time: an error may cost that, a file without errors keeps no places.
    """
    loader = _Events(content.decode("utf-8-sig"))
    try:
        events = (event for event in iter(loader.get_event, None) if not isinstance(event, _FRAME))
        node = next(events, None)
        found = node
        for step in path:
            node = _inner(events, node, step)
            if node is None:
                break
            found = node
        return 1 if found is None else int(found.start_mark.line) + 1
    finally:
        loader.dispose()


class _Builder:
    """Turns events into values; `_open` holds the collections begun and not yet ended."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._open: list[_Collection] = []
        #: For each open collection the key that waits for its value; None where a key is due, and in lists.
        self._keys: list[str | None] = []
        self._roots: list[Yaml] = []

    def build(self, loader: Any) -> Yaml:
        next_event = loader.get_event
        while (event := next_event()) is not None:
            if isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
        return self._roots[0] if self._roots else {}

    def _node(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._bad(event, "anchors and aliases are not allowed here", "write the value out")
        if event.tag is not None:
            raise self._bad(event, f"the tag {event.tag!r} is not allowed here", "remove it")
        if len(self._open) > DEPTH_LIMIT:
            raise self._bad(event, f"this is nested deeper than {DEPTH_LIMIT} levels", "flatten it")
        if isinstance(event, yaml.ScalarEvent):
            self._place(event, event.value)
        else:
            opened: _Collection = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._place(event, opened)
            self._open.append(opened)
            self._keys.append(None)

    def _place(self, event: Any, value: Yaml) -> None:
        if not self._open:
            self._add_root(event, value)
        elif isinstance(target := self._open[-1], list):
            target.append(value)
        elif (key := self._keys[-1]) is not None:
            target[key] = value
            self._keys[-1] = None
        else:
            self._keys[-1] = self._key(event, target, value)

    def _add_root(self, event: Any, value: Yaml) -> None:
        if self._roots:
            raise self._bad(event, "a second document begins here", "keep one document a file")
        self._roots.append(value)

    def _key(self, event: Any, target: dict[str, Yaml], value: Yaml) -> str:
        if not isinstance(value, str):
            raise self._bad(event, "a key must be plain text", "put the list or mapping on the right of the colon")
        if value in target:
            raise self._bad(event, f"the key {value!r} stands here twice", "keep one of them")
        return value

    def _bad(self, event: Any, what: str, remedy: str) -> BadInput:
        return BadInput(what, where=f"{self._where}:{event.start_mark.line + 1}", remedy=remedy)


def _inner(events: Iterator[Any], node: Any, step: str | int) -> Any:
    """Read on to the event that begins a value of the collection just begun; None if it has no such value."""
    keyed = isinstance(node, yaml.MappingStartEvent)
    if isinstance(node, yaml.ScalarEvent) or isinstance(step, int) is keyed:
        return None
    place = 0
    while not isinstance(event := next(events), yaml.CollectionEndEvent):
        key: str | int = event.value if keyed else place
        if keyed:
            event = next(events)
        if key == step:
            return event
        _skip(events, event)
        place += 1
    return None


def _skip(events: Iterator[Any], event: Any) -> None:
    """Read on to the end of the value that an event begins."""
    depth = int(isinstance(event, yaml.CollectionStartEvent))
    while depth:
        event = next(events)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)


def _place(where: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return where if mark is None else f"{where}:{mark.line + 1}"
