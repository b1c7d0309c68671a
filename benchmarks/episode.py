"""Make an episode of the corpus, to dub: scripts in three forms, a recording a line, a production track.

    python benchmarks/episode.py ../shared/corpus/emotiontts EPISODE [--lines 64] [--minutes 0]

EPISODE/script.xlsx, .srt, .ass   the same lines with their times, 29.97 drop frame from 01:00:00;00
EPISODE/takes/0001.wav …          each line's recording
EPISODE/track.wav                 all of them in their places, 48 kHz, 24 bit, with room tone
EPISODE/cast.toml                 voices by sex; pitch and gain for some
Nothing of it may be committed: the recordings are the corpus's.
"""

import datetime
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import openpyxl
import pysubs2
import soundfile
import typer

from moksori.corpus import emotiontts
from moksori.signal import audio
from moksori.timecode import FrameRate, format_timecode, from_frames, to_frames

RATE = FrameRate.parse("29.97df")
TRACK_RATE = 48000
HOUR = 3600.0
_NAMES = ("하나", "두리", "세찬", "네오", "다솜", "여름", "일곱이", "여덟", "아홉", "열매")
_VOICES = {"female": ("lmy", "ava", "avc"), "male": ("kih", "pmb", "pml")}


def main(
    corpus: Path,
    episode: Path,
    lines: int = 64,
    minutes: Annotated[
        float,
        typer.Option(
            help="Repeat the lines, each time a little quieter, until the track is so long."
        ),
    ] = 0.0,
    seed: int = 1,
) -> None:
    """Write an episode of lines of the test and training splits."""
    chance = np.random.default_rng(seed)
    everything = [line for line in emotiontts.read(corpus) if not line.problem]
    by_speaker: dict[str, list] = {}
    for line in sorted(everything, key=lambda line: (line.split != "test", line.id)):
        by_speaker.setdefault(line.speaker, []).append(line)
    order = sorted(by_speaker, key=lambda name: (name not in ("pfb", "pmc"), name))
    actors = [*order[:2], *order[2::4]][: len(_NAMES)]
    chosen = [
        (name, by_speaker[name][i])
        for i in range(lines)
        for name in actors
        if i < len(by_speaker[name])
    ]
    chosen = chosen[:lines]
    takes = episode / "takes"
    takes.mkdir(parents=True, exist_ok=True)
    rows, placed, at, number = [], [], HOUR + 2.0, 0
    for again in count():
        for name, line in chosen:
            number += 1
            recording = audio.read(line.audio)
            recording = replace(recording, samples=recording.samples * np.float32(0.9**again))
            start = from_frames(to_frames(at, RATE), RATE)
            seconds = recording.seconds
            end = from_frames(to_frames(start + seconds, RATE) + 1, RATE)
            soundfile.write(
                takes / f"{number:04d}.wav", recording.samples, recording.sample_rate, "PCM_16"
            )
            sex = "female" if line.sex == "female" else "male"
            rows.append(
                (
                    number,
                    start,
                    end,
                    _NAMES[actors.index(name)],
                    name,
                    line.script or line.text,
                    sex,
                )
            )
            placed.append((start - HOUR, recording))
            gap = -0.4 if number % 16 == 0 else float(chance.uniform(0.3, 1.5))  # some overlap
            at = end + gap
        if at - HOUR >= minutes * 60:
            break
    _write_track(episode / "track.wav", placed, chance)
    _write_xlsx(episode / "script.xlsx", rows)
    for kind in ("srt", "ass"):
        _write_subtitles(episode / f"script.{kind}", rows)
    _write_cast(episode / "cast.toml", rows)
    print(f"{episode}: {len(rows)} lines of {len(actors)} actors, {(at - HOUR) / 60:.1f} minutes")


def _write_track(path: Path, placed: list, chance: np.random.Generator) -> None:
    """In blocks of ten seconds, so that half an hour needs no more memory than a minute."""
    block, end = 10 * TRACK_RATE, max(start + r.seconds for start, r in placed) + 2.0
    sounding: list[tuple[int, np.ndarray]] = []
    waiting = sorted(placed, key=lambda row: row[0])
    with soundfile.SoundFile(path, "w", TRACK_RATE, 1, "PCM_24") as file:
        for begin in range(0, round(end * TRACK_RATE), block):
            mix = 1e-5 * chance.standard_normal(block)  # room tone
            while waiting and round(waiting[0][0] * TRACK_RATE) < begin + block:
                start, recording = waiting.pop(0)
                wave = audio.resample(recording.mono, recording.sample_rate, TRACK_RATE)
                sounding.append((round(start * TRACK_RATE), wave))
            for start, wave in sounding:
                low, high = max(begin, start), min(begin + block, start + len(wave))
                if low < high:
                    mix[low - begin : high - begin] += wave[low - start : high - start]
            sounding = [(s, w) for s, w in sounding if s + len(w) > begin + block]
            file.write(np.clip(mix, -1, 1))


def _write_xlsx(path: Path, rows: list) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "1화"
    sheet.append(["목소리 극장 1화"])
    sheet.append([])
    sheet.append(["번호", "TC in", "TC out", "배역", "성우", "대사", "지문", "파일"])
    for number, start, end, character, actor, text, _ in rows:
        codes = [format_timecode(time, RATE) for time in (start, end)]
        sheet.append([number, *codes, character, actor, text, "", f"{number:04d}"])
    book.save(path)


def _write_subtitles(path: Path, rows: list) -> None:
    """SRT has no field for the character: it stands before the text, as is usual."""
    cues = pysubs2.SSAFile()
    for _, start, end, character, _, text, _ in rows:
        spoken = f"{character}: {text}" if path.suffix == ".srt" else text
        cues.append(
            pysubs2.SSAEvent(round(start * 1000), round(end * 1000), spoken, name=character)
        )
    cues.save(str(path))


def _write_cast(path: Path, rows: list) -> None:
    sexes = {character: sex for _, _, _, character, _, _, sex in rows}
    told = [f"# {datetime.date(2026, 1, 1)}: voices by sex, in turn"]
    for i, (character, sex) in enumerate(sexes.items()):
        voices = _VOICES[sex]
        told += [f'[characters."{character}"]', f'voice = "{voices[i % len(voices)]}"']
        told += ["pitch = 2.0"] * (i == 2) + ["gain = -3.0"] * (i == 3) + ["pass = true"] * (i == 9)
    path.write_text("\n".join(told) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
