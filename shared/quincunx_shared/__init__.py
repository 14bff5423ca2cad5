"""What authors of steps import; roles reach for the modules themselves.

    from quincunx_shared import Input, Manifest, Option, Output, Step

Names are fetched from their modules when they are first asked for, so that importing one module of this package
does not import NumPy and pydantic for all the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quincunx_shared.errors import BadInput, BadOption, BadScore, BadVoicebank, QuincunxError, StepError
    from quincunx_shared.frames import FrameGrid
    from quincunx_shared.manifest import Input, Manifest, Option, Output
    from quincunx_shared.payload import Param, ParamRef, Payload
    from quincunx_shared.phrase import DrawnCurve, Lyrics, Melody, Timing
    from quincunx_shared.step import Model, Step, StepContext
    from quincunx_shared.tempo import TempoEvent, TempoMap

__all__ = [
    # Declare a step
    "Input",
    "Manifest",
    "Option",
    "Output",
    "Step",
    # What a running step is lent
    "Model",
    "StepContext",
    # What flows
    "Param",
    "ParamRef",
    "Payload",
    # The music of a phrase
    "DrawnCurve",
    "FrameGrid",
    "Lyrics",
    "Melody",
    "TempoEvent",
    "TempoMap",
    "Timing",
    # What may go wrong
    "BadInput",
    "BadOption",
    "BadScore",
    "BadVoicebank",
    "QuincunxError",
    "StepError",
]

_HOMES = {
    "errors": ("BadInput", "BadOption", "BadScore", "BadVoicebank", "QuincunxError", "StepError"),
    "frames": ("FrameGrid",),
    "manifest": ("Input", "Manifest", "Option", "Output"),
    "payload": ("Param", "ParamRef", "Payload"),
    "phrase": ("DrawnCurve", "Lyrics", "Melody", "Timing"),
    "step": ("Model", "Step", "StepContext"),
    "tempo": ("TempoEvent", "TempoMap"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
