"""A project: a song as it was imported, and what was done to it since, in units that are undone as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_orchestrator.project.changes import Change, KeptSong, Place, Restore, Source, Text
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean


@dataclass(frozen=True)
class Unit:
    """What one call of `edit` did. `number` never returns; `said` are its operations as a person wrote them."""

    number: Place
    at: Text
    said: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def restored(self) -> tuple[int, ...] | None:
        """The units whose effect this one brings back, if that is what it does."""
        return next((one.units for one in self.changes if isinstance(one, Restore)), None)


@dataclass(frozen=True)
class Project:
    """The song as imported, all units that still matter, and which are in effect and which undone (oldest first).

    `voices` are the digests of the voices it was made with. `snapshots` name units that were in effect together.
    """

    source: Source
    score: KeptSong
    voices: Mapping[Text, Text] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    done: tuple[Place, ...] = ()
    undone: tuple[Place, ...] = ()
    snapshots: Mapping[Text, tuple[Place, ...]] = field(default_factory=dict)

    @property
    def by_number(self) -> Mapping[int, Unit]:
        """The units by their numbers."""
        return {unit.number: unit for unit in self.units}

    def in_effect(self) -> tuple[Unit, ...]:
        """The units whose changes make up the song as it is, oldest first; what a restore set aside is left out."""
        units, tail = self.by_number, list[Unit]()
        sequence: Sequence[int] = self.done
        while True:
            place = next(
                (one for one in reversed(range(len(sequence))) if units[sequence[one]].restored is not None), -1
            )
            tail = [*(units[number] for number in sequence[place + 1 :]), *tail]
            if place < 0:
                return tuple(tail)
            sequence = units[sequence[place]].restored or ()

    def push(self, at: str, said: Iterable[str], changes: Iterable[Change]) -> Project:
        """Do something. What was undone before is gone, unless a snapshot holds it."""
        number = max((unit.number for unit in self.units), default=0) + 1
        unit = Unit(number, at, tuple(said), tuple(changes))
        return replace(self, units=(*self.units, unit), done=(*self.done, number), undone=())._tidied()

    def undo(self) -> tuple[Project, Unit | None]:
        """Take the last unit back and return it; with nothing to undo, the same project and None."""
        if not self.done:
            return self, None
        last = self.done[-1]
        return replace(self, done=self.done[:-1], undone=(*self.undone, last)), self.by_number[last]

    def redo(self) -> tuple[Project, Unit | None]:
        """Do the last undone unit again and return it; with nothing to redo, the same project and None."""
        if not self.undone:
            return self, None
        last = self.undone[-1]
        return replace(self, done=(*self.done, last), undone=self.undone[:-1]), self.by_number[last]

    def snapshot(self, name: str) -> Project:
        """Keep the state of now under a name, which must be new."""
        if not name.strip() or len(name) > 100:
            raise BadInput("a snapshot needs a name of at most 100 characters", where="snapshot")
        if name in self.snapshots:
            raise BadInput(f"there is a snapshot {name!r} already", where="snapshot", remedy="choose another name")
        return replace(self, snapshots={**self.snapshots, name: self.done})

    def restore(self, name: str, at: str) -> Project:
        """Be as the snapshot was. That is a unit of its own, and can be undone."""
        if name not in self.snapshots:
            hint = did_you_mean(name, self.snapshots) or "; there are none"
            raise BadInput(f"there is no snapshot {name!r}{hint}", where="snapshot")
        return self.push(at, (f"restore {name}",), (Restore(name, self.snapshots[name]),))

    def _tidied(self) -> Project:
        """Return the project without units that nothing can bring back."""
        units, kept = self.by_number, set[int]()
        further = [*self.done, *self.undone, *(one for kept_units in self.snapshots.values() for one in kept_units)]
        while further:
            number = further.pop()
            if number not in kept:
                kept.add(number)
                further.extend(units[number].restored or ())
        return replace(self, units=tuple(unit for unit in self.units if unit.number in kept))
