"""`moksori prepare`: corpora into the form that training reads."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import out, progress, resumable, warn
from moksori.cli.options import (
    ColumnsOption,
    CommercialOption,
    ConsentsOption,
    DestArgument,
    HiddenOption,
    JobsOption,
    LangOption,
    LicenceOption,
)
from moksori.cli.script import column_pairs, print_noticed
from moksori.errors import ConfigError, CorpusError
from moksori.extras import extra
from moksori.messages import Message, say

if TYPE_CHECKING:
    from moksori.corpus.lines import SourceLine

_SPLITS = ("train", "valid", "test")
_SLOWEST, _FASTEST = 0.25, 4.0  # of --speeds


def prepare_emotiontts(
    source: Annotated[
        Path, typer.Argument(help="The corpus in its original layout; never changed.")
    ],
    dest: DestArgument,
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare the "Emotion TTS open DB" (KAIST, SELVAS AI).

    Resamples, trims, levels, finds F0, and writes Lhotse manifests with a report. Killed, it resumes
    where it was; run twice, it does nothing the second time.
    """
    with extra("train"):
        from moksori.corpus import emotiontts
    _prepare(emotiontts.read(source), [source], dest, emotiontts.LICENCE, jobs)


def prepare_kss(
    source: Annotated[
        Path, typer.Argument(help="The KSS folder: the one with transcript.v.4.txt.")
    ],
    dest: DestArgument,
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare the KSS dataset (one Korean woman); as `prepare emotiontts`."""
    from moksori.corpus import readers

    _prepare(readers.read_kss(source), [source], dest, readers.KSS_LICENCE, jobs)


def prepare_metadata(
    table: Annotated[
        Path,
        typer.Argument(
            help="A list, a row a recording: path|text|speaker or path|text; paths are relative to it."
        ),
    ],
    dest: DestArgument,
    licence: LicenceOption,
    speaker: Annotated[
        str | None,
        typer.Option(help="Speaker of the rows that name none; required if there are such rows."),
    ] = None,
    commercial: CommercialOption = None,
    consents: ConsentsOption = None,
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare recordings that a list names; as `prepare emotiontts`.

    Example: moksori prepare metadata corpus/metadata.txt data/mine --licence "our own, internal"
    """
    from moksori.corpus.readers import read_metadata

    _prepare(read_metadata(table, speaker), [table], dest, licence, jobs, commercial, consents)


def prepare_librispeech(
    source: Annotated[
        Path,
        typer.Argument(
            help="The top folder of a tree SPEAKER/…/*.trans.txt with its .flac files beside."
        ),
    ],
    dest: DestArgument,
    licence: LicenceOption,
    commercial: CommercialOption = None,
    consents: ConsentsOption = None,
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare a tree as LibriSpeech's or Zeroth's; as `prepare emotiontts`."""
    from moksori.corpus.readers import read_librispeech

    _prepare(read_librispeech(source), [source], dest, licence, jobs, commercial, consents)


def prepare_recordings(
    lists: Annotated[
        list[Path],
        typer.Argument(metavar="LIST.csv…", help="Lists with the columns file, set and split."),
    ],
    dest: DestArgument,
    licence: Annotated[
        list[str],
        typer.Option(
            metavar="SET=LICENCE",
            help="Of a set of the lists; once for each set to be used. Other sets are left out.",
        ),
    ],
    sample_rate: Annotated[
        int, typer.Option(min=8000, help="Sample rate of the vocoder that will be trained, Hz.")
    ] = 44100,
    speeds: Annotated[
        str,
        typer.Option(
            help="Each training recording is also used at one of these speeds; empty: none."
        ),
    ] = "0.75,0.85,1.12",
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare recordings without transcripts, for a vocoder: any language, any rate.

    The band that each one really holds is found, so that training leaves out what lies above. Killed, it
    resumes; run twice, it does nothing the second time.

    Example: moksori prepare recordings wideband/splits.csv data/clean --licence "kathleen=CC0 1.0"
    """
    with extra("train"):
        from moksori.corpus.recordings import prepare_recordings as prepare
        from moksori.corpus.recordings import read_lists
    from moksori.corpus.origin import check_origin, note_origin

    pairs = dict(pair.split("=", 1) for pair in licence if "=" in pair)
    if len(pairs) < len(licence):
        raise ConfigError.of("prepare.licence_form")
    if not all(text.strip() for text in pairs.values()):
        raise ConfigError.of("prepare.no_licence")
    try:
        factors = [float(speed) for speed in speeds.split(",") if speed.strip()]
    except ValueError:
        factors = [0.0]
    if not all(_SLOWEST <= factor <= _FASTEST for factor in factors):
        raise ConfigError.of("prepare.speeds", given=speeds, least=_SLOWEST, most=_FASTEST)
    sources = read_lists(lists, pairs, factors)
    recorded = [source for source in sources if source.prepared.speed == 1]
    recordings = {"/".join(source.prepared.key): source.path for source in recorded}
    check_origin(recordings, lists, dest, "recordings")
    with resumable():
        rows = prepare(
            sources, dest, pairs, sample_rate=sample_rate, jobs=jobs,
            progress=progress(say("bar.preparing", console.language)),
        )  # fmt: skip
    used = {"/".join(row.key) for row in rows if not row.problem}
    note_origin({id: path for id, path in recordings.items() if id in used}, lists, dest)
    heads = ("set", "split", "recordings", "minutes", "band")
    table = Table(*(say(f"prepare.{head}", console.language) for head in heads))
    for name in pairs:
        for split in _SPLITS:
            own = [r for r in rows if (r.set, r.split) == (name, split) and not r.problem]
            if own:
                minutes = sum(r.samples for r in own) / sample_rate / 60
                band = sorted(r.band for r in own)[len(own) // 2] / 1000
                table.add_row(name, split, str(len(own)), f"{minutes:.1f}", f"{band:.1f}")
    out.print(table)
    for row in rows:
        if row.problem:
            why = Message.load(row.problem)
            out.print(say("prepare.not_used", console.language, name=row.id, why=why), markup=False)


def prepare_script(
    script: Annotated[
        Path, typer.Argument(help="A dubbing script (.xlsx, .csv) with 파일, 성우 and 대사.")
    ],
    audio: Annotated[
        Path, typer.Argument(help="Folder of its recordings, which the column 파일 names.")
    ],
    dest: DestArgument,
    licence: LicenceOption,
    columns: ColumnsOption = None,
    hidden: HiddenOption = False,
    commercial: CommercialOption = None,
    consents: ConsentsOption = None,
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Prepare a dubbed show: its script and its actors' recordings; as `prepare emotiontts`.

    Of several episodes make one script with the lines of all, and one folder with all their recordings.
    """
    from moksori.corpus.readers import read_script_corpus

    lines = read_script_corpus(
        script, audio, columns=column_pairs(columns), hidden=hidden,
        show=partial(print_noticed, script),
    )  # fmt: skip
    _prepare(lines, [script, audio], dest, licence, jobs, commercial, consents)


def _prepare(
    lines: list["SourceLine"],
    source: list[Path],
    dest: Path,
    licence: str,
    jobs: int | None,
    commercial: bool | None = None,
    consents: Path | None = None,
) -> None:
    with extra("train"):
        from moksori.corpus.prepare import prepare
    from moksori.conversion.consents import read_consents
    from moksori.conversion.terms import Terms
    from moksori.corpus.origin import check_origin, note_origin

    if not licence.strip():
        raise ConfigError.of("prepare.no_licence")
    speakers = {line.speaker for line in lines if not line.problem}
    agreed = read_consents(consents, speakers) if consents else {}
    terms = Terms.declared(licence, commercial, agreed)
    recordings = {line.id: line.audio for line in lines if line.audio and not line.problem}
    check_origin(recordings, source, dest)
    with resumable():
        report = prepare(
            lines, dest, licence, jobs=jobs, terms=terms.dump(),
            progress=progress(say("bar.preparing", console.language)),
        )  # fmt: skip
    rejected = {line["id"] for line in report["rejected"]}
    used = {id: path for id, path in recordings.items() if id not in rejected}
    note_origin(used, source, dest)
    _print_report(report, dest)
    notice = say("prepare.use", console.language, licence=licence, use=terms.say_use())
    out.print(notice, markup=False)
    if not report["speakers"]:
        raise CorpusError.of("prepare.none", dest=dest)
    _print_unlearnt(report["speakers"])


def _print_unlearnt(speakers: dict[str, Any]) -> None:
    """Who has no lines to be learnt from, and whether there are any to train with at all."""
    splits = {name: entry["lines"].keys() for name, entry in speakers.items()}
    learnt = {name for name, own in splits.items() if "train" in own}
    if left_out := ", ".join(sorted(splits.keys() - learnt)):
        out.print(say("prepare.unlearnt", console.language, names=left_out), markup=False)
    if not any("valid" in splits[name] for name in learnt):
        warn(say("prepare.too_few", console.language))


def _print_report(report: dict[str, Any], dest: Path) -> None:
    lang = console.language
    units = say("prepare.lines", lang), say("prepare.minutes", lang)
    columns = [f"{unit}: {split}" for unit in units for split in _SPLITS]
    table = Table(say("prepare.speaker", lang), say("prepare.sex", lang), *columns)
    totals = [0.0] * 2 * len(_SPLITS)
    for name, entry in sorted(report["speakers"].items()):
        lines = [entry["lines"].get(split, 0) for split in _SPLITS]
        minutes = [entry["seconds"].get(split, 0.0) / 60 for split in _SPLITS]
        totals = [a + b for a, b in zip(totals, lines + minutes, strict=True)]
        sex = say(f"sex.{entry['sex']}", lang) if entry["sex"] else ""
        table.add_row(name, sex, *map(str, lines), *(f"{m:.1f}" for m in minutes))
    table.add_section()
    table.add_row(
        say("prepare.all", lang),
        "",
        *(f"{t:.0f}" for t in totals[:3]),
        *(f"{t:.1f}" for t in totals[3:]),
    )
    out.print(table)
    hours = sum(totals[len(_SPLITS) :]) / 60
    new, rejected = report["new"], len(report["rejected"])
    done = say("prepare.done", lang, hours=hours, dest=dest, new=new, rejected=rejected)
    out.print(done, markup=False)
    for line in report["rejected"]:
        why = Message.load(line["message"]).say(console.language)
        out.print(f"  {line['speaker']}/{line['id']}: {why}", markup=False)
