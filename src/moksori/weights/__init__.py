"""The models that come with Moksori, by name."""

from pathlib import Path

_HERE = Path(__file__).parent
MODEL = _HERE / "emotiontts"
RECOGNISER = _HERE / "recogniser"
VOCODERS = {name: _HERE / name for name in ("wide", "clean", "fast")}
DEFAULT_VOCODER = "wide"
