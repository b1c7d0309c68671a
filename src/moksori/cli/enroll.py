"""`moksori enroll`: a voice of one's own, with consent."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from moksori.cli import console
from moksori.cli.console import out, progress
from moksori.cli.options import (
    ColumnsOption,
    ForceOption,
    HiddenOption,
    LangOption,
    ModelOption,
    PacksOption,
)
from moksori.cli.script import column_pairs, print_noticed
from moksori.extras import extra
from moksori.messages import say
from moksori.weights import MODEL


def enroll(
    name: Annotated[
        str,
        typer.Argument(help="What the voice is to be called, as `convert --voice` will name it."),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            help="1 to 20 minutes of recordings, each with its text beside it in a .txt of "
            "the same name."
        ),
    ],
    consent: Annotated[
        Path,
        typer.Option(
            help="TOML with who, purpose, until and contact; see examples/consent.toml. Required: no "
            "voice is enrolled without its owner's consent."
        ),
    ],
    spoken: Annotated[
        Path | None,
        typer.Option(
            metavar="SPOKEN.wav",
            help="A recording in which the person says the consent's sentence. Words and voice are checked; "
            "keep the file, the pack has its checksum.",
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            help="A .xlsx or .csv with 파일 and 대사 that holds the texts instead; of one with 성우, "
            "only the rows of NAME or of the consent's who."
        ),
    ] = None,
    columns: ColumnsOption = None,
    hidden: HiddenOption = False,
    model: ModelOption = None,
    packs: PacksOption = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder for prepared audio and checkpoints, so that a killed enrolment resumes; it keeps "
            "the prepared audio until you delete it. A temporary one by default."
        ),
    ] = None,
    force: ForceOption = False,
    lang: LangOption = None,
) -> None:
    """Learn a voice from a few minutes of recordings, for `convert --voice NAME`.

    Recordings that do not say their text, or sound like somebody else, are left out and listed. Takes about
    a minute on two cores. The voice pack, one small file, keeps the consent; when that ends, the
    voice is refused. Deleting the file withdraws the voice.

    Example: moksori enroll hong recordings/ --consent consent.toml --spoken consent.wav
    """
    with extra("train"):
        from moksori.corpus.readers import read_script_voice, read_voice
        from moksori.training.enrol import enroll as learn
        from moksori.training.scratch import scratch
    from moksori.conversion.consents import packs_folder, read_consent

    agreed = read_consent(consent)
    lines = (
        read_script_voice(
            script,
            folder,
            name,
            agreed.who,
            columns=column_pairs(columns),
            hidden=hidden,
            show=partial(print_noticed, script),
        )
        if script
        else read_voice(folder, name)
    )

    def bar(stage: str, steps: Iterable[Any], total: int) -> Iterable[Any]:
        return progress(say(f"stage.{stage}", console.language))(steps, total)

    with scratch() as temporary:
        done = learn(
            name, lines, agreed, model or MODEL, work or temporary, packs or packs_folder(),
            replace=force, progress=bar, spoken=spoken,
        )  # fmt: skip
    for why in done.left_out:
        out.print(say("enrol.left_out", console.language, why=why), markup=False)
    notice = say(
        "enrol.done", console.language, file=done.path, lines=done.lines, minutes=done.minutes,
        who=agreed.who, until=agreed.until, voice=name,
    )  # fmt: skip
    out.print(notice, markup=False)
