"""How full the memory of this worker's device is, as the driver tells it. Without a driver nothing is told."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from typing import Any

#: Comes with NVIDIA's driver, in containers through its runtime.
_LIBRARY = "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    """nvmlMemory_t of nvml.h."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Vram:
    """The memory of one device; of none if the driver or the device is not there."""

    def __init__(self, library: Any = None, device: ctypes.c_void_p | None = None) -> None:
        self._library = library
        self._device = device

    @classmethod
    def of_this_device(cls) -> Vram:
        """The device that this process was given: the driver counts all of the machine's."""
        chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip() or "0"
        try:
            library = ctypes.CDLL(_LIBRARY)
            device = ctypes.c_void_p()
            found = library.nvmlInit_v2() or (
                library.nvmlDeviceGetHandleByIndex_v2(int(chosen), ctypes.byref(device))
                if chosen.isdigit()
                else library.nvmlDeviceGetHandleByUUID(chosen.encode(), ctypes.byref(device))
            )
        except (OSError, AttributeError):
            return cls()
        return cls() if found else cls(library, device)

    def gauges(self) -> Mapping[str, float]:
        """`vram_used_bytes` and `vram_total_bytes`, of all processes on the device; nothing if it does not tell."""
        memory = _Memory()
        if self._library is None or self._library.nvmlDeviceGetMemoryInfo(self._device, ctypes.byref(memory)):
            return {}
        return {"vram_used_bytes": float(memory.used), "vram_total_bytes": float(memory.total)}
