"""Make the demo line: a sentence of our own, of words that a speaker of the corpus said in several lines.

It is converted twice, so that nobody's recording is left in it.

    python scripts/make_demo.py CORPUS examples/demo.wav

CORPUS: "Emotion TTS open DB" in its original layout. What is made carries its licence, CC BY-NC-SA 4.0.
"""

from pathlib import Path

import numpy as np
import typer

from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.signal import audio, levels
from moksori.signal.audio import Recording

RATE = 48000
# A line of the corpus, which of its words (from, to before), and the pause after them in seconds.
PIECES = (
    ("pfb00016", 0, 1, 0.35),
    ("pfb00002", 0, 1, 0.0),
    ("pfb00023", 0, 1, 0.0),
    ("pfb00023", 5, 7, 0.45),
    ("pfb00022", 5, 6, 0.0),
    ("pfb00022", 9, 11, 0.0),
)
VOICES = ("ava", "pma")
_AROUND, _JOIN, _ENDS = 0.03, 0.008, 0.15  # seconds
_ROOM = 10 ** (-72 / 20)  # of full scale


def main(corpus: Path, dest: Path) -> None:
    """Write DEST; the text is read from the .txt beside it."""
    text = dest.with_suffix(".txt").read_text(encoding="utf-8").strip()
    lines = {line.id: line for line in emotiontts.read(corpus)}
    converter = Converter.from_pretrained()
    chance = np.random.default_rng(0)
    wave = room(chance, _ENDS)
    for name, first, last, pause in PIECES:
        recording = audio.read(lines[name].audio)
        words = converter.align(recording, lines[name].text).alignment.word_intervals()
        begin = quietest(recording, words[first].begin)
        end = quietest(recording, words[last - 1].end)
        piece = recording.mono[begin:end]
        piece = piece * levels.gain_to(piece, recording.sample_rate, -23.0)
        piece = audio.resample(piece, recording.sample_rate, RATE)
        wave = joined(wave, piece)
        if pause:
            wave = joined(wave, room(chance, pause))
    wave = joined(wave, room(chance, _ENDS))
    for voice in VOICES:
        samples = wave[:, None].astype(np.float32)
        wave = converter.convert(Recording(samples, RATE, "PCM_16"), text, voice).samples[:, 0]
    audio.write(dest, wave, RATE, "PCM_16")


def quietest(recording: Recording, at: float) -> int:
    """The sample in the middle of the quietest 10 ms near a time."""
    rate = recording.sample_rate
    first, size = max(0, round((at - _AROUND) * rate)), rate // 100
    power = recording.mono[first : round((at + _AROUND) * rate)].astype(np.float64) ** 2
    if len(power) < size:
        return first + len(power)
    return first + int(np.convolve(power, np.ones(size), "valid").argmin()) + size // 2


def room(chance: np.random.Generator, seconds: float) -> np.ndarray:
    """A quiet room."""
    return _ROOM * chance.standard_normal(round(seconds * RATE))


def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One after the other, over a short cross-fade."""
    size = round(_JOIN * RATE)
    fade = np.linspace(0, 1, size)
    middle = a[-size:] * (1 - fade) + b[:size] * fade
    return np.concatenate([a[:-size], middle, b[size:]])


if __name__ == "__main__":
    typer.run(main)
