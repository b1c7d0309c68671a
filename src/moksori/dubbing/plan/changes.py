"""What a director asks of single lines, put over script and cast."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import PER_LINE, Change, Role
from moksori.script.line import Line


def change_texts(
    lines: Sequence[Line], ids: Sequence[str], changes: Mapping[str, Change]
) -> tuple[list[Line], list[Issue]]:
    """The lines with the texts that are asked for, and which of these no longer fit the script.

    A text that was written over another than the script's present one is left out, with a warning.
    """
    changed, issues = list(lines), list[Issue]()
    for i, (line, id) in enumerate(zip(lines, ids, strict=True)):
        change = changes.get(id)
        if change is None or change.text is None:
            continue
        if change.script_text == line.text:
            changed[i] = replace(line, text=change.text, replaced=line.text)
        else:
            values = {"text": change.text, "other": change.script_text or ""}
            issues.append(Issue("warning", line.place, "script_changed", values))
    return changed, issues


def change_role(role: Role | None, change: Change | None) -> Role | None:
    """A character's role with what is asked for one line."""
    if change is None:
        return role
    wanted = {name: value for name in PER_LINE if (value := getattr(change, name)) is not None}
    if not wanted or (role is None and "voice" not in wanted):
        return role
    if "voice" in wanted:
        wanted["as_recorded"] = False
    return (role or Role()).model_copy(update=wanted)
