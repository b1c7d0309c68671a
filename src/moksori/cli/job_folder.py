"""What `moksori dub` says of a job without dubbing: where its lines stand, what it can do without."""

import math
from collections import Counter
from pathlib import Path

from rich.cells import cell_len
from rich.table import Column, Table
from rich.text import Text

from moksori.cli.console import out, set_language
from moksori.errors import ConfigError
from moksori.messages import Lang, say


def follow_language(output: Path, given: Lang | None) -> Lang:
    """What is said from now on is in the language that is given, or else in the job's."""
    from moksori.dubbing.request import JobFile, load_job

    try:
        lang = given or load_job(output).lang
    except ConfigError:  # lines can be shown though job.toml is damaged
        lang = JobFile().lang
    set_language(lang)
    return lang


def print_status(output: Path, lang: Lang) -> None:
    """A table of the lines."""
    from moksori.dubbing.states import known_actors, line_states

    states = line_states(output)
    names = [
        say(f"status.{name}", lang) for name in ("place", "character", "state", "tries", "text")
    ]
    width = max((cell_len(line.id) for line in states), default=0)  # commands ask for it whole
    table = Table(Column(say("status.line", lang), no_wrap=True, min_width=width), *names)
    for line in states:
        content = Text(line.error.say(lang) if line.error else line.text)
        character, state = Text(line.character), say(line.status, lang)
        table.add_row(
            Text(line.id), line.place.say(lang), character, state, str(line.tries), content
        )
    out.print(table)
    counts = Counter(line.status for line in states)
    out.print(", ".join(f"{say(name, lang)} {n}" for name, n in counts.items()), markup=False)
    means = {name: row.mean_log_f0 for name, (row, _) in known_actors(output).items()}
    said = [f"{name} {math.exp(mean):.1f} Hz" for name, mean in means.items() if mean is not None]
    if said:
        out.print(say("cli.actors", lang, means=", ".join(said)), markup=False)


def print_pruned(output: Path, lang: Lang, voice: str = "") -> None:
    """Prune the folder, of a voice altogether, and say what was removed."""
    from moksori.dubbing.prune import prune

    done, mega = prune(output, voice), 1e-6
    counts = Counter(file.suffix for file in done.files)
    kinds = ", ".join(f"{count} {kind or '-'}" for kind, count in sorted(counts.items()))
    for line in done.lines:
        out.print(say("cli.pruned_line", lang, line=line.id, text=line.text), markup=False)
    code = "cli.pruned" if done.files else "cli.pruned_nothing"
    removed = say(code, lang, out=output, files=len(done.files), kinds=kinds or "-",
                  size=done.size * mega, kept=done.kept * mega, versions=done.versions * mega)  # fmt: skip
    out.print(removed, markup=False)
