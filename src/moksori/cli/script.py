"""What a script's reader noticed, as the commands print it."""

from pathlib import Path

from moksori.cli.console import err
from moksori.messages import Lang, say
from moksori.script.content import ScriptContent

_SHOWN = 40  # faults


def print_noticed(path: Path, content: ScriptContent, lang: Lang = "en") -> None:
    """Print what was left out or chosen, and what is wrong in single lines."""
    for warning in content.warnings:
        err.print(
            f"{say('severity.warning', lang)}: {warning.say(lang)}", style="yellow", markup=False
        )
    for _, where, why in content.faults[:_SHOWN]:
        told = say("script.fault", lang, file=path, where=where, why=why)
        err.print(f"{say('severity.error', lang)}: {told}", style="red", markup=False)
    if (more := len(content.faults) - _SHOWN) > 0:
        err.print(say("script.more_faults", lang, number=more), style="red", markup=False)
