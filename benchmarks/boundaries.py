"""When words begin and end: our alignment beside whisper's word times, and beside the sound's own level.

    python benchmarks/boundaries.py ../shared/corpus/emotiontts [--lines 20]

Whisper-base (extra `eval`) writes down each test line by itself; a word that it heard as the text has it is
compared. Its times come from its attention in steps of 20 ms, so the table tells how far two aligners that
know nothing of each other are apart, not how right either is. At a pause the sound itself tells: where its
level rises to 15 dB above the line's floor a word begins, in steps of 2 ms, and where it falls one ends.
That holds for words beside pauses only, and breath and the room's decay count as sound; so the same at 25 dB
below the line's loudest 10 ms, where what is heard as the word begins and ends.
"""

import tempfile
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.metrics.models import WhisperASR, whisper_base
from moksori.signal import audio

_WHISPER_RATE = 16000
_STEP, _WINDOW = 0.002, 0.010  # seconds
_ABOVE, _BELOW = 15.0, 25.0  # dB over the line's floor, and under its loudest
_PAUSE, _NEAR = 0.12, 0.20  # seconds: of a pause between words; of the sound's edge from the word's


def main(corpus: Path, lines: int = 20) -> None:
    """Print how far the boundaries of words are apart, in ms."""
    found = [line for line in emotiontts.read(corpus) if line.split == "test" and not line.problem]
    chosen = found[:: max(1, len(found) // lines)][:lines]
    converter = Converter.from_pretrained()
    whisper, sound, heard = ([], []), ([], []), ([], [])
    compared = words = 0
    with tempfile.TemporaryDirectory() as folder:
        model = WhisperASR(whisper_base(Path(folder)), threads=1)._model
        for line in track(chosen, "aligning", console=Console(stderr=True)):
            ours = converter.align(line.audio, line.text).alignment.word_intervals()
            recording = audio.read(line.audio)
            theirs = _whisper_words(model, recording)
            words += len(ours)
            for own, other in _same(ours, theirs):
                compared += 1
                whisper[0].append(own.begin - other.start)
                whisper[1].append(own.end - other.end)
            for kept, from_floor in ((sound, True), (heard, False)):
                for side, differences in enumerate(_beside_pauses(ours, recording, from_floor)):
                    kept[side].extend(differences)
    table = Table("", "boundaries", "median", "median of |d|", "90% within", "within 50 ms")
    for name, pair in {
        "whisper's words": whisper,
        f"{_ABOVE:.0f} dB above the floor": sound,
        f"{_BELOW:.0f} dB below the loudest": heard,
    }.items():
        for side, differences in zip(("begins", "ends"), pair, strict=True):
            ms = 1000 * np.array(differences)
            table.add_row(
                f"{name}: {side}", str(len(ms)), f"{np.median(ms):+.0f}",
                f"{np.median(abs(ms)):.0f}", f"{np.quantile(abs(ms), 0.9):.0f}",
                f"{(abs(ms) <= 50).mean():.0%}",
            )  # fmt: skip
    Console().print(table)
    print(
        f"{len(chosen)} lines, {words} words, {compared} heard by whisper as written; ours minus theirs, ms"
    )


def _whisper_words(model, recording) -> list:
    wave = audio.resample(recording.mono, recording.sample_rate, _WHISPER_RATE)
    segments, _ = model.transcribe(
        wave.astype(np.float32), language="ko", beam_size=1, temperature=0.0, word_timestamps=True,
        condition_on_previous_text=False,
    )  # fmt: skip
    return [word for segment in segments for word in segment.words]


def _same(ours, theirs):
    """Words that both have, in their order."""
    one, other = [w.label for w in ours], [_letters(w.word) for w in theirs]
    matcher = SequenceMatcher(None, [_letters(word) for word in one], other, autojunk=False)
    for block in matcher.get_matching_blocks():
        for i in range(block.size):
            yield ours[block.a + i], theirs[block.b + i]


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _beside_pauses(words, recording, from_floor: bool) -> tuple[list[float], list[float]]:
    """Ours minus the sound's, where a word follows a pause, and where one precedes it."""
    rate, wave = recording.sample_rate, recording.mono
    hop, size = round(_STEP * rate), round(_WINDOW * rate)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(wave, size // 2), size)[::hop]
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    loud = level > (np.quantile(level, 0.05) + _ABOVE if from_floor else level.max() - _BELOW)
    begins, ends = [], []
    gaps = zip([None, *words], [*words, None], strict=True)
    for before, after in gaps:
        if before and after and after.begin - before.end < _PAUSE:
            continue
        for word, place, differences in ((after, "begin", begins), (before, "end", ends)):
            if word is None:
                continue
            at = getattr(word, place)
            edge = _edge(loud, at, rising=place == "begin", hop=hop / rate)
            if edge is not None:
                differences.append(at - edge)
    return begins, ends


def _edge(loud: np.ndarray, at: float, rising: bool, hop: float) -> float | None:
    """Where the sound begins (or ends) nearest to a time; None if nowhere near."""
    low, high = (max(0, round((at + d) / hop)) for d in (-_NEAR, _NEAR))
    change = np.diff(loud[low : high + 1].astype(int))
    places = np.flatnonzero(change == (1 if rising else -1))
    if not len(places):
        return None
    times = (low + places + 1) * hop
    return float(times[np.abs(times - at).argmin()])


if __name__ == "__main__":
    typer.run(main)
