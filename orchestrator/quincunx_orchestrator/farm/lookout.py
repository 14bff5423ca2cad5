"""Looks for the ends of bundles, once for all stages of a render that are under way at the same time.

With no barrier between phrases a render waits on dozens of threads, and every message that is worked off wakes it. Each
of them asking for its own bundles was measured at ten times the work of a whole render; so one of them looks for all,
and whoever has heard all it waited for leaves the looking to another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quincunx_orchestrator.farm.wake import Wake


@dataclass(eq=False)
class Ear:
    """What one stage has heard and not taken yet."""

    found: dict[str, bytes] = field(default_factory=dict)
    called: threading.Event = field(default_factory=threading.Event)


class Lookout:
    """The ends of all bundles of a render; `look` asks for those of these names."""

    def __init__(self, wake: Wake, look: Callable[[Sequence[str]], Mapping[str, bytes]]) -> None:
        self._wake = wake
        self._look = look
        self._heard = wake.calls()
        self._guard = threading.Lock()
        self._listening: dict[str, Ear] = {}
        self._is_looking = False
        self._error: Exception | None = None

    def listen(self, names: Iterable[str]) -> Ear:
        """Look for these, too, from now on, each until it is found."""
        ear = Ear()
        with self._guard:
            self._listening.update(dict.fromkeys(names, ear))
        return ear

    def news(self, ear: Ear, seconds: float) -> Mapping[str, bytes]:
        """Wait for what is new, but no longer than that, or until the render is stopped.

        Raises what a look raised, whoever looked.
        """
        with self._guard:
            looks = not self._is_looking and not ear.found and self._error is None
            self._is_looking = self._is_looking or looks
        if looks:
            self._look_for_all(ear, seconds)
        elif not ear.found:
            ear.called.wait(seconds)
        with self._guard:
            ear.called.clear()
            if self._error is not None:
                raise self._error
            found, ear.found = ear.found, {}
        return found

    def _look_for_all(self, ear: Ear, seconds: float) -> None:
        found: Mapping[str, bytes] = {}
        try:
            self._heard = self._wake.wait(self._heard, seconds)
            if not self._wake.stopped:
                with self._guard:
                    names = list(self._listening)
                found = self._look(names)
        except Exception as error:
            self._error = error
        finally:
            self._tell(found, ear)

    def _tell(self, found: Mapping[str, bytes], looked: Ear) -> None:
        """Call those for whom something was found, and one who looks on."""
        with self._guard:
            called = {self._listening[name]: None for name in found}
            for name, content in found.items():
                self._listening.pop(name).found[name] = content
            left = dict.fromkeys(ear for ear in self._listening.values() if ear not in called)
            self._is_looking = False
            if self._error is not None or self._wake.stopped:
                called.update(left)
            elif looked not in left:
                called.update(dict.fromkeys(list(left)[:1]))
            for ear in called:
                ear.called.set()
