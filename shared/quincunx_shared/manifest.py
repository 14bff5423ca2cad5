"""What a step declares about itself: everything an editor needs to offer it and a planner to schedule it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from quincunx_shared.errors import BadOption
from quincunx_shared.hints import did_you_mean

OptionType = Literal["int", "float", "str", "bool", "model"]

_PYTHON_TYPES: Mapping[OptionType, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
    "model": (str,),
}


class Declared(BaseModel):
    """Base of everything that stands in a manifest: frozen, strict, nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Input(Declared):
    """An input port. Without a connection it takes the node's preset, then `default`; `required` ones have none.

    A port that is not required and has no default of its own hands the step None.

    A `multi` port takes any number of connections and hands the step a list. If it is `partial` too, the step goes
    on without those that failed and finds None in their place: a song is mixed without the phrase that broke.
    """

    name: str
    type: str
    required: bool = True
    default: Any = None
    multi: bool = False
    partial: bool = False
    summary: str = ""


class Output(Declared):
    """An output port and the type of data it carries."""

    name: str
    type: str
    summary: str = ""


class Option(Declared):
    """A setting of a step. An option of type `model` holds the digest of a model file the step needs.

    Options enter the signature unless `in_signature` is false, which is right only where no value can change
    the output.
    """

    name: str
    type: OptionType
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    in_signature: bool = True
    summary: str = ""

    def check(self, value: Any, *, where: str) -> Any:
        """Return the value in its declared type, or say what is allowed."""
        if not isinstance(value, _PYTHON_TYPES[self.type]) or (isinstance(value, bool) != (self.type == "bool")):
            raise BadOption(f"{self.name} must be {self.type}, not {value!r}", where=where)
        if self.choices and value not in self.choices:
            raise BadOption(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}", where=where)
        if isinstance(value, int | float) and self.type in ("int", "float"):
            self._check_range(value, where)
        return float(value) if self.type == "float" else value

    def resolve_default(self, *, where: str) -> Any:
        """Return the default in the declared type; None means that the step works it out."""
        return None if self.default is None else self.check(self.default, where=where)

    def _check_range(self, value: float, where: str) -> None:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not low <= value <= high or value in (math.inf, -math.inf):
            raise BadOption(f"{self.name} must be {_range_in_words(low, high)}, not {value!r}", where=where)


def _range_in_words(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"between {low:g} and {high:g}"


def _check_default(option: Option, step: str) -> None:
    try:
        option.resolve_default(where=step)
    except BadOption as error:
        raise ValueError(f"the default contradicts the option: {error}") from error


class Manifest(Declared):
    """The declaration of a step.

    `version` changes whenever the same inputs may give other outputs: it is the step's part of the cache key.
    `device` is the class of machine it is made for (`cpu`, `gpu`): the colour a phrase's graph gives its nodes.
    `numeric` steps depend in their last bits on the numeric class of the machine, so that class enters their
    signature. A step that is not `deterministic` is cached only if it has a `seed` option.
    """

    name: str
    version: str
    #: The distribution that offers the step, filled in where it is loaded: two packages may use one name.
    origin: str = ""
    summary: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...]
    options: tuple[Option, ...] = ()
    device: str = "cpu"
    deterministic: bool = True
    numeric: bool = False

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, declared in (("input", self.inputs), ("output", self.outputs), ("option", self.options)):
            names = [one.name for one in declared]
            if len(set(names)) != len(names):
                raise ValueError(f"an {what} of {self.name} is declared twice")
        if not self.outputs:
            raise ValueError(f"{self.name} declares no output")
        return self

    @model_validator(mode="after")
    def _declarations_agree(self) -> Self:
        for port in self.inputs:
            if port.required and port.default is not None:
                raise ValueError(f"input {port.name} of {self.name} is required and has a default: it cannot be both")
            if port.partial and not port.multi:
                raise ValueError(f"input {port.name} of {self.name} takes one value, so it cannot be partial")
        for option in self.options:
            _check_default(option, self.name)
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The options that name model files."""
        return tuple(option.name for option in self.options if option.type == "model")

    @property
    def cacheable(self) -> bool:
        """Whether results may be stored: chance is cacheable only when its seed is part of the key."""
        return self.deterministic or any(option.name == "seed" for option in self.options)

    def resolve_options(self, given: Mapping[str, Any], *, where: str = "") -> dict[str, Any]:
        """Return all options with defaults filled in, each checked; raise the first of `option_faults`."""
        for fault in self.option_faults(given, where=where):
            raise fault
        where = where or self.name
        return {
            one.name: one.check(given[one.name], where=where) if one.name in given else one.resolve_default(where=where)
            for one in self.options
        }

    def option_faults(self, given: Mapping[str, Any], *, where: str = "") -> tuple[BadOption, ...]:
        """Return everything that is wrong with these options, in their order; unknown names come with a hint."""
        where = where or self.name
        declared = {option.name: option for option in self.options}
        faults: list[BadOption] = []
        for name, value in given.items():
            if name not in declared:
                faults.append(BadOption(f"unknown option {name!r}{did_you_mean(name, declared)}", where=where))
                continue
            try:
                declared[name].check(value, where=where)
            except BadOption as fault:
                faults.append(fault)
        return tuple(faults)
