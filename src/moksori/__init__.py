"""Moksori: Korean, script-guided voice conversion for dubbing.

>>> import moksori
>>> converter = moksori.Converter.from_pretrained()
>>> converter.convert("line.wav", "밥은 먹었어?", "lmy").save("out.wav")  # doctest: +SKIP

The reading of a line alone: `moksori.text`. Errors a user can fix: `moksori.errors`.
"""

import os
from importlib import import_module

# ONNX Runtime, which tracks F0, would look up its maker's host at every conversion; read at its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["Conversion", "Converter", "MoksoriError"]

_HOMES = {
    "Conversion": "conversion.results",
    "Converter": "conversion.converter",
    "MoksoriError": "errors",
}


def __getattr__(name: str) -> object:
    """Load what is asked for only now, so that `import moksori` does not wait for PyTorch."""
    if name not in _HOMES:
        raise AttributeError(f"module “moksori” has no “{name}”")
    return getattr(import_module(f"moksori.{_HOMES[name]}"), name)
