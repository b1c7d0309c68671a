"""Reader of the "Emotion TTS open DB" (KAIST, SELVAS AI) in its original layout.

splits.csv                                   id,speaker,split      (optional)
<set>/[<group>/]<speaker>/wav/<id>.{wav,flac}
                          script/<id>.txt    what the actor was handed
                          transcript/<id>.txt  the spelling of what was said
"""

from collections import Counter
from pathlib import Path

from moksori.corpus.lines import Sex, SourceLine, Split
from moksori.errors import CorpusError
from moksori.files import read_csv, read_text

LICENCE = "CC BY-NC-SA 4.0 (Emotion TTS open DB, KAIST and SELVAS AI): research only"
_AUDIO = (".wav", ".flac")


def read(source: Path) -> list[SourceLine]:
    """All lines under `source`, sorted by id; those that cannot be used carry their problem.

    Without `splits.csv` every line is for training.

    Raises:
        CorpusError: no folder, no speakers in it, a `splits.csv` with a wrong header or row, or two
            recordings or folders for one line.
    """
    if not source.is_dir():
        raise CorpusError(f"{source}: no such folder")
    folders = sorted({path.parent for name in ("wav", "transcript") for path in source.rglob(name)})
    if not folders:
        raise CorpusError(f"{source}: no <speaker>/wav and <speaker>/transcript folders below it")
    splits = _read_splits(source / "splits.csv")
    lines = [line for folder in folders for line in _read_speaker(folder, splits)]
    found = Counter(line.id for line in lines)
    if twice := [id for id, count in found.items() if count > 1]:
        raise CorpusError(f"{source}: several folders have a line “{twice[0]}”; rename all but one")
    lines += [
        SourceLine(
            id=id,
            speaker=speaker,
            split=split,
            audio=None,
            text="",
            script="",
            sex=None,
            problem="no audio, no text: only in splits.csv",
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
        raise CorpusError(f"{path}: the first line must be “id,speaker,split”")
    for row in rows:
        if row["split"] not in ("train", "test"):
            raise CorpusError(
                f"{path}, line {rows.line_num}: split “{row['split']}”; use train or test"
            )
        splits[row["id"]] = (row["speaker"], "train" if row["split"] == "train" else "test")
    return splits


def _read_speaker(folder: Path, splits: dict[str, tuple[str, Split]] | None) -> list[SourceLine]:
    speaker = folder.name
    audio: dict[str, Path] = {}
    for path in sorted(folder.glob("wav/*")):
        if path.suffix.lower() in _AUDIO:
            if path.stem in audio:
                raise CorpusError(f"{path}: {audio[path.stem].name} is there too; keep one of them")
            audio[path.stem] = path
    transcripts = {path.stem: path for path in folder.glob("transcript/*.txt")}
    lines = []
    for id in sorted(audio.keys() | transcripts.keys()):
        split = "train" if splits is None else splits.get(id, (speaker, None))[1]
        text, problem = _read_text(transcripts.get(id))
        script, _ = _read_text(folder / "script" / f"{id}.txt")
        if id not in audio:
            problem = f"no audio: {folder / 'wav' / id}{{.wav,.flac}} is missing"
        if split is None:
            problem, split = "not in splits.csv", "train"
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
            )
        )
    return lines


def _read_text(path: Path | None) -> tuple[str, str]:
    """The text of a file and what is wrong with it."""
    if path is None or not path.exists():
        return "", "no text: the transcript is missing"
    try:
        text = " ".join(read_text(path, CorpusError).split())
    except CorpusError as error:
        return "", f"unreadable: {error}"
    return text, "" if text else f"empty: {path} has no text"


def _sex(speaker: str) -> Sex | None:
    """The Personality set names its speakers pf? and pm?; the others' names do not tell."""
    sexes: dict[str, Sex] = {"pf": "female", "pm": "male"}
    return sexes.get(speaker[:2]) if len(speaker) == 3 else None
