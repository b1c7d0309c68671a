"""What is to be evaluated: lines, the voices they are to have, and real recordings of those voices."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.errors import CorpusError
from moksori.files import read_csv
from moksori.listed import find_file
from moksori.messages import Message, message
from moksori.signal.decoders import SUFFIXES, is_recording
from moksori.text.directions import take_out
from moksori.text.marks import clean

_COLUMNS = {
    "recording": ("recording", "file", "파일", "녹음"),
    "text": ("text", "line", "대사"),
    "voice": ("voice", "목소리", "성우"),
    "own": ("own", "target", "원본"),
    "group": ("group", "묶음"),
    "actor": ("actor", "배우"),
}
_FIT = 15  # recordings that make a voice's centroid


@dataclass(frozen=True, kw_only=True)
class EvaluationLine:
    """A recording to be converted and judged.

    Attributes:
        id: of the recording.
        recording: the source.
        text: what is said in it.
        voice: the target.
        group: of the summary, such as `seen` and `unseen` sources.
        own: the target's own recording of the same text, if there is one.
        actor: whose recording it is; empty if nobody says.
    """

    id: str
    recording: Path
    text: str
    voice: str
    group: str = "all"
    own: Path | None = None
    actor: str = ""

    @property
    def name(self) -> str:
        """Of the converted file."""
        return f"{self.id}_{self.voice}"

    @property
    def spoken(self) -> str:
        """Of the text what is said: without directions, laughs and cries."""
        return take_out(clean(self.text).text)[0]


@dataclass(frozen=True)
class RealVoice:
    """Real recordings of a voice: those that its centroid is made of, and others to compare with."""

    fit: list[Path]
    held: list[Path]


def read_list(path: Path) -> list[EvaluationLine]:
    """Lines of a CSV with the columns recording, text and voice, and own and group where known.

    Lines of one `actor` are compared with each other, as in a dubbing job.
    Korean headers serve too: 파일, 대사, 목소리, 원본, 묶음, 배우. Paths are as seen from the list's folder.

    Raises:
        CorpusError: a missing column, an empty cell, a recording that is not there, a line given twice.
    """
    rows = read_csv(path, CorpusError)
    headers = {(header or "").strip().lower(): header for header in rows.fieldnames or ()}
    columns = {
        key: headers[alias]
        for key, aliases in _COLUMNS.items()
        for alias in aliases
        if alias in headers
    }
    for key in ("recording", "text", "voice"):
        if key not in columns:
            raise CorpusError.of("evaluate.no_column", file=path, names=", ".join(_COLUMNS[key]))
    lines: dict[str, EvaluationLine] = {}
    for row in rows:
        place = message("file.row", file=path, row=rows.line_num)
        cells = {key: (row[header] or "").strip() for key, header in columns.items()}
        for key in ("recording", "text", "voice"):
            if not cells[key]:
                raise CorpusError.of("evaluate.empty_cell", place=place, name=columns[key])
        recording = _recording(path, place, cells["recording"])
        own = _recording(path, place, cells["own"]) if cells.get("own") else None
        line = EvaluationLine(
            id=recording.stem, recording=recording, text=cells["text"], voice=cells["voice"],
            group=cells.get("group") or "all", own=own, actor=cells.get("actor", ""),
        )  # fmt: skip
        if line.name in lines:
            raise CorpusError.of("evaluate.twice", place=place, line=line.id, voice=line.voice)
        lines[line.name] = line
    if not lines:
        raise CorpusError.of("corpus.no_lines", place=path)
    return [*lines.values()]


def _recording(table: Path, place: Message, written: str) -> Path:
    found = find_file(table.parent, written, SUFFIXES)
    if found is None:
        raise CorpusError.of("evaluate.no_recording", place=place, file=table.parent / written)
    return found


def read_voices(folder: Path) -> dict[str, RealVoice]:
    """Real recordings of voices, a subfolder each; every fourth is held out to compare with.

    Raises:
        CorpusError: no subfolder with at least two recordings.
    """
    voices = {}
    for home in sorted(path for path in folder.iterdir() if path.is_dir()):
        audio = sorted(filter(is_recording, home.rglob("*")))
        if len(audio) > 1:
            held = audio[1::4]
            voices[home.name] = RealVoice([p for p in audio if p not in held][:_FIT], held[:_FIT])
    if not voices:
        raise CorpusError.of("evaluate.no_voices", folder=folder)
    return voices


def corpus_lines(
    corpus: Path, voices: list[str], unseen: int, seen: int
) -> tuple[list[EvaluationLine], dict[str, RealVoice]]:
    """Lines of the corpus's `test` split to each of `voices`, and all the corpus's real voices.

    Args:
        corpus: "Emotion TTS open DB" in its original layout, with `splits.csv`.
        voices: the targets; a source is never converted to itself.
        unseen: how many lines of speakers without training lines, spread evenly over them.
        seen: how many lines of the others.

    Raises:
        CorpusError: as its reader; a voice that has no training lines there.
    """
    lines = emotiontts.read(corpus)
    by_speaker: dict[str, dict[str, list[SourceLine]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if not line.problem:
            by_speaker[line.speaker][line.split].append(line)
    trained = {name for name, splits in by_speaker.items() if splits["train"]}
    if unknown := [name for name in voices if name not in trained]:
        raise CorpusError.of("evaluate.untrained", folder=corpus, voice=unknown[0])
    owned = {(line.speaker, line.text): line.audio for line in lines if line.split == "test"}
    chosen = []
    for group, count in (("unseen", unseen), ("seen", seen)):
        for line in _spread(by_speaker, trained, group == "seen")[:count]:
            assert line.audio is not None  # those without carry a problem
            chosen += [
                EvaluationLine(
                    id=line.id,
                    recording=line.audio,
                    text=line.text,
                    voice=name,
                    group=group,
                    own=owned.get((name, line.text)),
                    actor=line.speaker,
                )
                for name in voices
                if name != line.speaker
            ]
    real = {
        name: RealVoice(_paths(by_speaker[name]["train"]), _paths(by_speaker[name]["test"]))
        for name in sorted(trained)
    }
    return chosen, real


def _paths(lines: list[SourceLine]) -> list[Path]:
    return [line.audio for line in lines if line.audio][:_FIT]


def _spread(
    by_speaker: dict[str, dict[str, list[SourceLine]]], trained: set[str], seen: bool
) -> list[SourceLine]:
    """Test lines of one kind of speaker: always one whose text, and then whose speaker, came least yet.

    Several speakers have recorded the same texts, and a few hard ones would decide a figure.
    """
    own = {n: s["test"] for n, s in by_speaker.items() if (n in trained) == seen and s["test"]}
    order = sorted(own, key=lambda name: (-len(own[name]), name))
    left, taken, chosen = [line for name in order for line in own[name]], Counter[str](), []
    while left:
        line = min(left, key=lambda line: (taken[line.text], taken[line.speaker]))
        left.remove(line)
        taken.update((line.text, line.speaker))
        chosen.append(line)
    return chosen
