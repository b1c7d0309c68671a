"""Recordings of one synthetic person, whom the bundled model understands: the demo's lines, converted."""

from pathlib import Path

from moksori.conversion.converter import Converter
from moksori.studio.folders import demo_source

LINES = {"004_두리": "여덟시까지 모여주시면 됩니다.", "005_해설": "여덟시까지 모여주시면 됩니다."}


def make_recordings(folder: Path, voice: str = "lmy", seconds: float = 36.0) -> dict[str, str]:
    """Write so much speech of a voice, `1.wav` and so on; the texts by file."""
    converter, source = Converter.from_pretrained(), demo_source()
    long = (source / "demo.txt").read_text(encoding="utf-8").strip()
    said = [*LINES.items(), *[("demo", long)] * 20]
    texts: dict[str, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, text) in enumerate(said, 1):
        if seconds <= 0:
            break
        pitch = number % 5 - 2.0
        result = converter.convert(source / f"{name}.flac", text, voice, pitch=pitch)
        result.save(folder / f"{number}.wav")
        texts[f"{number}.wav"] = text
        seconds -= len(result.samples) / result.sample_rate
    return texts
