"""`moksori mark` and `moksori audition`: what the director does in Studio, by command."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from moksori.cli.console import out, watching
from moksori.cli.options import JobArgument, LangOption
from moksori.errors import ConfigError
from moksori.messages import message


def mark(
    job: JobArgument,
    line: Annotated[str, typer.Argument(help="The line, as `moksori dub --status` lists it.")],
    state: Annotated[
        Literal["ok", "retake", "hold", "none"],
        typer.Argument(
            help="ok, to be recorded again, to be decided later; none takes the mark away."
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
    from moksori.dubbing.records import Mark
    from moksori.dubbing.review import Review
    from moksori.dubbing.store import line_states

    found = next((row for row in line_states(job) if row.id == line), None)
    if found is None:
        raise ConfigError.of("review.no_line", job=job, line=line)
    review = Review(job)
    before = review.marks().get(line, Mark())
    said = before.note if note is None else note
    review.mark(line, Mark("" if state == "none" else state, said, found.key, found.text))
    out.print(f"{line}: {state}{f' ({said})' if said else ''}", markup=False)


def audition(
    job: JobArgument,
    line: Annotated[str, typer.Argument(help="The line, as `moksori dub --status` lists it.")],
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
