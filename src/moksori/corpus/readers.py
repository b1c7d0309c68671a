"""Readers of the layouts that speech corpora usually come in; each yields `SourceLine`s.

Corpora without a split of their own get one: a text of eleven goes to `test`, by its hash, so that the
same corpus is always split in the same way and a text is in one split only.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath

from moksori.corpus.lines import SourceLine, Split, places_of, refuse_twice
from moksori.errors import CorpusError, ScriptError
from moksori.files import read_text
from moksori.listed import find_file
from moksori.messages import Message, message, readable
from moksori.script.content import ScriptContent
from moksori.script.line import Line
from moksori.script.script import read_script
from moksori.signal.decoders import SUFFIXES, is_recording

KSS_LICENCE = "CC BY-NC-SA 4.0 (KSS Dataset, Kyubyong Park): research only"
_TEST_SHARE = 11  # one text of so many
Show = Callable[[ScriptContent], None]


def read_kss(source: Path) -> list[SourceLine]:
    """The KSS dataset: `transcript.v.*.txt` beside the folders of recordings.

    A row: path | as printed | as spoken | in jamo | seconds | English.

    Raises:
        CorpusError: no transcript, or a row with too few columns.
    """
    tables = sorted(source.glob("transcript*.txt"))
    if not tables:
        raise CorpusError.of("corpus.no_lists", folder=source, name="transcript.v.*.txt")
    rows = _piped(tables[-1], 3)
    return _checked(
        source,
        (
            _line(source, row[0], "kss", row[2], row[1], tables[-1], _row(number))
            for number, row in rows
        ),
    )


def read_metadata(table: Path, speaker: str | None = None) -> list[SourceLine]:
    """A list of `path|text|speaker` or `path|text`, paths from the list's own folder.

    Args:
        table: the list.
        speaker: of the rows that name none.

    Raises:
        CorpusError: no list, a row with too few columns, or one without a speaker.
    """
    lines = []
    for number, row in _piped(table, 2):
        name = (row[2].strip() if len(row) > 2 else "") or speaker
        if not name:
            raise CorpusError.of("corpus.no_speaker", file=table, row=number)
        lines.append(_line(table.parent, row[0], name, row[1], row[1], table, _row(number)))
    return _checked(table, iter(lines))


def read_librispeech(source: Path) -> list[SourceLine]:
    """A tree as LibriSpeech's: `SPEAKER/…/*.trans.txt`, a row `ID text`, and ID.flac or ID.wav beside.

    Raises:
        CorpusError: no such lists.
    """
    tables = sorted(source.rglob("*.trans.txt"))
    if not tables:
        raise CorpusError.of("corpus.no_lists", folder=source, name="*.trans.txt")

    def lines() -> Iterator[SourceLine]:
        for table in tables:
            for number, row in _numbered(table):
                id, _, text = row.partition(" ")
                place = message("file.row", file=table, row=number)
                yield _line(table.parent, id, id.partition("-")[0], text, text, table, place)

    return _checked(source, lines())


def read_script_corpus(
    script: Path,
    audio: Path,
    *,
    columns: Mapping[str, str] | None = None,
    hidden: bool = False,
    show: Show = lambda content: None,
) -> list[SourceLine]:
    """A dubbing script with columns of file, actor and line, and the folder of its recordings.

    Voices are actors, not characters. Recordings that no row names are reported as problems.

    Args:
        script: the script.
        audio: folder of its recordings.
        columns: as `read_script`.
        hidden: as `read_script`.
        show: is given what the script's reader noticed, before anything is refused.

    Raises:
        ScriptError: as `read_script`, or no column of files or actors.
        CorpusError: no such folder.
    """
    rows = _read(script, columns, hidden, show)
    for column, name in (("file", "파일"), ("actor", "성우")):
        if not any(getattr(row, column) for row in rows):
            raise ScriptError.of("corpus.no_column", file=script, name=name, column=column)
    if not audio.is_dir():
        raise CorpusError.of("corpus.no_folder", folder=audio)
    lines = [
        _line(audio, row.file, row.actor, row.text, row.text, script, row.place.message)
        if row.file and row.actor
        else SourceLine(
            id=str(row.place), speaker=row.actor or "?", split="train", audio=None, text=row.text,
            script=row.text, sex=None,
            problem=message("corpus.unnamed", file=script, place=row.place.message),
            place=row.place.message,
        )
        for row in rows
    ]  # fmt: skip
    lines += _unnamed(audio, script, lines)
    return _checked(script, iter(lines))


def read_voice(folder: Path, name: str) -> list[SourceLine]:
    """One voice's recordings, each beside a text file of the same name: `hello.wav`, `hello.txt`.

    Raises:
        CorpusError: no recordings there, or two of one name.
    """
    lines = []
    for audio in _recordings(folder):
        place = audio.with_suffix(".txt")
        text = " ".join(" ".join(_rows(place)).split()) if place.is_file() else ""
        problem = None if text else message("corpus.no_text", file=place)
        id = "_".join(audio.relative_to(folder).with_suffix("").parts)
        lines.append(
            SourceLine(
                id=id,
                speaker=name,
                split="train",
                audio=audio,
                text=text,
                script=text,
                sex=None,
                problem=problem,
            )
        )
    if not lines:
        raise CorpusError.of("audio.none_there", file=folder, kinds=", ".join(SUFFIXES))
    return _checked(folder, iter(lines))


def read_script_voice(
    script: Path,
    folder: Path,
    *names: str,
    columns: Mapping[str, str] | None = None,
    hidden: bool = False,
    show: Show = lambda content: None,
) -> list[SourceLine]:
    """One voice's recordings and a script that names them.

    Of a script with actors only the rows of this one are taken; rows without a recording here are taken
    to be others'.

    Args:
        script: with columns of file and line.
        folder: of the recordings.
        names: what the voice is called; the first is its speaker's name from now on.
        columns: as `read_script`.
        hidden: as `read_script`.
        show: as `read_script_corpus`.

    Raises:
        ScriptError: as `read_script`, no column of files, or actors among whom the voice is not.
        CorpusError: no recording of the script is there.
    """
    rows = [row for row in _read(script, columns, hidden, show) if row.file]
    if not rows:
        raise ScriptError.of("corpus.no_column", file=script, name="파일", column="file")
    if actors := sorted({row.actor for row in rows if row.actor}):
        rows = [row for row in rows if row.actor in names]
        if not rows:
            raise ScriptError.of(
                "corpus.not_an_actor", file=script, names=", ".join(names), actors=", ".join(actors)
            )
    lines = [
        _line(folder, row.file, names[0], row.text, row.text, script, row.place.message)
        for row in rows
    ]
    lines = [replace(line, split="train") for line in lines if line.audio]
    return _checked(folder, iter([*lines, *_unnamed(folder, script, lines)]))


def _read(script: Path, columns: Mapping[str, str] | None, hidden: bool, show: Show) -> list[Line]:
    content = read_script(script, columns=columns, only=("file", "actor"), hidden=hidden)
    show(content)
    return content.whole(script)


def _recordings(folder: Path) -> list[Path]:
    """All recordings below a folder."""
    return sorted(filter(is_recording, folder.rglob("*")))


def _unnamed(folder: Path, script: Path, lines: list[SourceLine]) -> list[SourceLine]:
    """The recordings of a folder that none of `lines` is, as problems."""
    named = {line.audio.stem for line in lines if line.audio}
    return [
        SourceLine(
            id=path.stem,
            speaker="?",
            split="train",
            audio=path,
            text="",
            script="",
            sex=None,
            problem=message("corpus.no_row", file=path, script=script.name),
        )
        for path in _recordings(folder)
        if path.stem not in named
    ]


def split_of(text: str) -> Split:
    """`test` for one text of eleven, by its hash."""
    digest = hashlib.sha256(" ".join(text.split()).encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") % _TEST_SHARE == 0 else "train"


def _line(
    folder: Path, written: str, speaker: str, text: str, script: str, table: Path, place: Message
) -> SourceLine:
    """A line whose recording is named as `listed.find_file` reads names."""
    text = " ".join(text.split())
    found = find_file(folder, written, SUFFIXES)
    path = PurePath(readable(written).strip().replace("\\", "/"))
    problem = None if found else message("corpus.no_audio", file=folder / path)
    if not path.name:
        problem = message("corpus.no_name", file=table)
    if found and not text:
        problem = message("corpus.textless", file=table)
    id = path.stem if path.suffix.lower() in SUFFIXES else path.name
    return SourceLine(
        id=unicodedata.normalize("NFC", id) or text[:20] or "?", speaker=speaker,
        split=split_of(text), audio=found, text=text, script=script.strip(), sex=None,
        problem=problem, place=place,
    )  # fmt: skip


def _row(number: int) -> Message:
    return message("place.line", number=number, sheet="")


def _checked(source: Path, lines: Iterator[SourceLine]) -> list[SourceLine]:
    """All lines, sorted by id."""
    listed = sorted(lines, key=lambda line: line.id)
    refuse_twice(source, places_of(listed))
    if not listed:
        raise CorpusError.of("corpus.no_lines", place=source)
    return listed


def _piped(table: Path, columns: int) -> list[tuple[int, list[str]]]:
    """The rows' numbers in the table, and their cells."""
    rows = [(number, row.split("|")) for number, row in _numbered(table)]
    for number, row in rows:
        if len(row) < columns:
            raise CorpusError.of(
                "corpus.few_columns", file=table, row=number, number=len(row), least=columns
            )
    return rows


def _numbered(table: Path) -> list[tuple[int, str]]:
    rows = enumerate(read_text(table, CorpusError).split("\n"), 1)
    return [(number, row) for number, row in rows if row.strip()]


def _rows(table: Path) -> list[str]:
    return [row for _, row in _numbered(table)]
