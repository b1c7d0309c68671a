"""`moksori mark`, `moksori change` and `moksori audition`: what the director does in Studio, by command."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from moksori.cli import console
from moksori.cli.console import out, watching
from moksori.cli.options import JobArgument, LangOption
from moksori.errors import ConfigError, OutputError
from moksori.messages import message, say

if TYPE_CHECKING:
    from moksori.dubbing.check import Checked
    from moksori.dubbing.states import LineState

_KOREAN = {"재녹음": "retake", "보류": "hold", "해제": "none"}
LineArgument = Annotated[
    str,
    typer.Argument(
        help="The line, as `moksori dub -o JOB --status` lists it; its number is enough."
    ),
]


def mark(
    job: JobArgument,
    line: LineArgument,
    state: Annotated[
        Literal["ok", "retake", "hold", "none", "재녹음", "보류", "해제"],
        typer.Argument(
            case_sensitive=False,  # the page and the lists say OK
            help="ok, to be recorded again, to be decided later; none takes the mark away.",
        ),
    ],
    note: Annotated[
        str | None,
        typer.Option(
            help="A note beside the mark; without this option the note that is there stays."
        ),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Mark a line; marks and notes come back in Studio, retakes.xlsx and the report.

    Example: moksori mark ep01 0012_하나 retake --note "더 크게"
    """
    from moksori.dubbing.review import Review

    found = _line(job, line)
    said: dict[str, Any] = {} if note is None else {"note": note}
    named = _KOREAN.get(state, state)
    mark = "" if named == "none" else named
    if mark == "ok" and found.status not in ("converted", "passed"):
        raise ConfigError.of("review.unheard")
    kept = Review(job).mark(found.id, found.script_text, state=mark, key=found.key, **said)
    shown = say(f"mark.{named}", console.language)
    out.print(f"{found.id}: {shown}{f' ({kept.note})' if kept.note else ''}", markup=False)


def change(
    job: JobArgument,
    line: LineArgument,
    text: Annotated[
        str | None,
        typer.Option(help="What is said instead of the script's text; '' takes it back."),
    ] = None,
    voice: Annotated[
        str | None, typer.Option(help="Its voice, instead of its character's.")
    ] = None,
    pitch: Annotated[
        float | None,
        typer.Option(min=-12, max=12, help="Semitones, instead of its character's."),
    ] = None,
    gain: Annotated[
        float | None, typer.Option(min=-40, max=40, help="dB, instead of its character's.")
    ] = None,
    effort: Annotated[
        float | None,
        typer.Option(min=0, max=1.5, help="Vocal effort: 1 as acted, 0 none, 1.5 exaggerated."),
    ] = None,
    take: Annotated[
        Path | None,
        typer.Option(help="Another recording of the line; it is copied into the job's folder."),
    ] = None,
    as_script: Annotated[
        bool,
        typer.Option("--as-script", help="Take back all that was changed before, the take too."),
    ] = False,
    convert: Annotated[
        bool, typer.Option("--convert", help="Convert this line at once, and say where it is.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Change one line's text, voice, pitch, gain, effort or take; script and cast stay as they are.

    Without an option it shows what is changed. `moksori dub -o JOB` converts and delivers it.

    Example: moksori change ep01 0012_하나 --pitch 2 --gain 3 --convert
    """
    from moksori.dubbing.new_takes import bring_take
    from moksori.dubbing.records import Change
    from moksori.dubbing.review import Review

    found, review = _line(job, line), Review(job)
    line = found.id
    named = {"text": text, "voice": voice, "pitch": pitch, "gain": gain, "effort": effort}
    values: dict[str, Any] = dict.fromkeys(("take", *named)) if as_script else {}
    values |= {name: value for name, value in named.items() if value is not None}
    if voice is not None:
        _see_voice(job, voice)
    if take is not None:
        values["take"] = bring_take(job, line, take)
    asked = review.changes().get(line, Change())
    if values:
        asked = review.ask(line, found.script_text, values)
    shown = asked.model_dump(mode="json", exclude_none=True, exclude={"script_text"})
    words = [say(f"change.{key}", console.language, value=value) for key, value in shown.items()]
    out.print(f"{line}: {', '.join(words) or '–'}", markup=False)
    if convert:
        _convert(job, line)


def _see_voice(job: Path, voice: str) -> None:
    """See that there is such a voice before anything is kept.

    Raises:
        VoiceError: there is none, or it cannot be used.
    """
    from moksori.dubbing.request import load_job

    load_job(job).request().setup.converter().voice(voice)


def _convert(job: Path, line: str) -> None:
    from moksori.dubbing import job as jobs
    from moksori.dubbing.request import load_job
    from moksori.dubbing.review import Review
    from moksori.dubbing.steps import faults_of
    from moksori.dubbing.work.engines import LocalEngine

    request = load_job(job).request()
    watch, interrupted = watching()
    with interrupted:
        checked = jobs.check(request, watch, Review(job))
        line = _now(job, line, checked)
        if line not in {take.id for take in checked.takes} and line in checked.lines:
            why = faults_of(checked, line)
            raise ConfigError.of("review.faulty", line=line, job=job, why=why)
        (row,) = jobs.again(
            request, checked, job, lambda: LocalEngine(request.setup, 1), [line], watch
        )
    if row.wave is None:
        why = row.error or message("reason.failed")
        raise ConfigError.of("review.not_converted", line=line, voice=row.take.role.voice, why=why)
    out.print(f"{line}: {row.wave}", markup=False)


def _line(job: Path, named: str) -> "LineState":
    """A line of a job, by its id or by its number alone.

    Raises:
        ConfigError: none is named so, or several are.
        OutputError: there is no job.
    """
    from moksori.dubbing.records import HOME
    from moksori.dubbing.states import line_states

    if not (job / HOME / "job.sqlite").is_file():
        raise OutputError.of("review.no_job", out=job)
    rows = {row.id: row for row in line_states(job)}
    return rows[_id_of(job, named, rows)]


def _id_of(job: Path, named: str, ids: Iterable[str]) -> str:
    """The id that is named.

    Raises:
        ConfigError: none is named so, or several are.
    """
    found = _id_among(ids, job, named)
    if found is None:
        raise ConfigError.of("review.no_line", job=job, line=named)
    return found


def _id_among(ids: Iterable[str], job: Path, named: str) -> str | None:
    """The id that is named: by itself, or by its number, since “3” is typed sooner than “0003_하나”.

    Raises:
        ConfigError: several are named so.
    """
    ids = [*ids]
    wanted = unicodedata.normalize("NFC", named)
    found = [id for id in ids if id == wanted]
    if not found and wanted.isdecimal():
        found = [
            id for id in ids if (no := id.split("_")[0]).isdecimal() and int(no) == int(wanted)
        ]
    if len(found) > 1:
        raise ConfigError.of("review.several", job=job, line=named, ids=", ".join(found))
    return found[0] if found else None


def _now(job: Path, named: str, checked: "Checked") -> str:
    """The id that a line has now; the job's list may be older than the script.

    Raises:
        ConfigError: it is not in the script any more, or as `_id_of`.
    """
    from moksori.dubbing.records import HOME
    from moksori.dubbing.review import Review
    from moksori.dubbing.states import line_states

    begun = (job / HOME / "job.sqlite").is_file()
    id = _id_among([row.id for row in line_states(job)], job, named) if begun else None
    if id is None:  # of a job that was never dubbed, or put into the script since
        return _id_of(job, named, checked.lines)
    now = Review(job).where(id, checked.lines)
    if now is None:
        raise ConfigError.of("review.gone", job=job, line=id)
    return now


def audition(
    job: JobArgument,
    line: LineArgument,
    voices: Annotated[
        list[str], typer.Argument(help="One to four voices; `moksori voices` lists them.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also copy the results into this folder.")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Hear one line of a job in up to four voices, exactly as the job would convert it.

    The results are kept, so that the job need not convert the line again in the voice that is chosen.

    Example: moksori audition ep01 0012_하나 lmy ava
    """
    import shutil

    from moksori.dubbing import job as jobs
    from moksori.dubbing.request import load_job
    from moksori.dubbing.review import Review
    from moksori.dubbing.work.engines import LocalEngine
    from moksori.provenance.statement import LineSaid, state, write_statement

    request = load_job(job).request()
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    watch, interrupted = watching()
    with interrupted:
        checked = jobs.check(request, watch, Review(job))
        line = _now(job, line, checked)
        workers = min(os.cpu_count() or 1, len(voices))
        rows = jobs.audition(
            request, checked, job, lambda: LocalEngine(request.setup, workers), line, voices, watch
        )
    for voice, row in rows.items():
        if row.wave is None:
            why = row.error or message("reason.failed")
            raise ConfigError.of("review.not_converted", line=line, voice=voice, why=why)
        wave = row.wave
        if output is not None:
            wave = Path(shutil.copyfile(wave, output / f"{line}_{voice}.wav"))
            said = LineSaid(id=line, take=checked.heard[line].digest, voice=voice)
            usage, watermark = request.setup.usage, request.setup.watermark
            write_statement(wave, state(checked.converter, (said,), usage.title, watermark))
        out.print(f"{voice}: {wave}", markup=False)
