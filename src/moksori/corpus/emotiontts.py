"""Reader of the "Emotion TTS open DB" (KAIST, SELVAS AI) in its original layout.

splits.csv                                   id,speaker,split      (optional)
<set>/[<group>/]<speaker>/wav/<id>.{wav,flac}
                          script/<id>.txt    what the actor was handed
                          transcript/<id>.txt  the spelling of what was said
"""

from pathlib import Path

from moksori.corpus.lines import Sex, SourceLine, Split, places_of, refuse_twice
from moksori.errors import CorpusError
from moksori.files import read_csv, read_text
from moksori.messages import Message, message

LICENCE = "CC BY-NC-SA 4.0 (Emotion TTS open DB, KAIST and SELVAS AI): research only"
_AUDIO = (".wav", ".flac")


def read(source: Path) -> list[SourceLine]:
    """All lines under `source`, sorted by id; those that cannot be used carry their problem.

    Without `splits.csv` every line is for training.

    Raises:
        CorpusError: no folder, no speakers in it, a `splits.csv` with a wrong header or row, or two
            rows, recordings or folders for one line.
    """
    if not source.is_dir():
        raise CorpusError.of("corpus.no_folder", folder=source)
    folders = sorted({path.parent for name in ("wav", "transcript") for path in source.rglob(name)})
    if not folders:
        raise CorpusError.of("corpus.no_speakers", folder=source)
    splits = _read_splits(source / "splits.csv")
    lines = [line for folder in folders for line in _read_speaker(folder, splits)]
    refuse_twice(source, places_of(lines))
    found = {line.id for line in lines}
    lines += [
        SourceLine(
            id=id,
            speaker=speaker,
            split=split,
            audio=None,
            text="",
            script="",
            sex=None,
            problem=message("corpus.only_listed"),
        )
        for id, (speaker, split) in (splits or {}).items()
        if id not in found
    ]
    return sorted(lines, key=lambda line: line.id)


def _read_splits(path: Path) -> dict[str, tuple[str, Split]] | None:
    if not path.exists():
        return None
    splits: dict[str, tuple[str, Split]] = {}
    rows = read_csv(path, CorpusError)
    if rows.fieldnames != ["id", "speaker", "split"]:
        raise CorpusError.of("corpus.first_row", file=path, head="id,speaker,split")
    named = []
    for row in rows:
        named.append((row["id"], message("place.line", number=rows.line_num, sheet="")))
        if row["split"] not in ("train", "test"):
            raise CorpusError.of("corpus.split", file=path, row=rows.line_num, split=row["split"])
        splits[row["id"]] = (row["speaker"], "train" if row["split"] == "train" else "test")
    refuse_twice(path, named)
    return splits


def _read_speaker(folder: Path, splits: dict[str, tuple[str, Split]] | None) -> list[SourceLine]:
    speaker = folder.name
    audio: dict[str, Path] = {}
    for path in sorted(folder.glob("wav/*")):
        if path.suffix.lower() in _AUDIO:
            if path.stem in audio:
                raise CorpusError.of("corpus.two_endings", file=path, other=audio[path.stem].name)
            audio[path.stem] = path
    transcripts = {path.stem: path for path in folder.glob("transcript/*.txt")}
    lines = []
    for id in sorted(audio.keys() | transcripts.keys()):
        split = "train" if splits is None else splits.get(id, (speaker, None))[1]
        text, problem = _read_text(transcripts.get(id))
        script, _ = _read_text(folder / "script" / f"{id}.txt")
        if id not in audio:
            problem = message("corpus.no_audio", file=folder / "wav" / id)
        if split is None:
            problem, split = message("corpus.not_listed"), "train"
        lines.append(
            SourceLine(
                id=id,
                speaker=speaker,
                split=split,
                audio=audio.get(id),
                text=text,
                script=script,
                sex=_sex(speaker),
                problem=problem,
                place=message("plain", text=folder),
            )
        )
    return lines


def _read_text(path: Path | None) -> tuple[str, Message | None]:
    """The text of a file and what is wrong with it."""
    if path is None or not path.exists():
        return "", message("corpus.no_transcript")
    try:
        text = " ".join(read_text(path, CorpusError).split())
    except CorpusError as error:
        return "", error.message
    return text, None if text else message("corpus.textless", file=path)


def _sex(speaker: str) -> Sex | None:
    """The Personality set names its speakers pf? and pm?; the others' names do not tell."""
    sexes: dict[str, Sex] = {"pf": "female", "pm": "male"}
    return sexes.get(speaker[:2]) if len(speaker) == 3 else None
