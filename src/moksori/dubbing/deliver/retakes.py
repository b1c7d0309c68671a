"""The retake list: the lines that a person should look at, the most severe first, as an .xlsx."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from moksori.dubbing.deliver.sheets import Cell, Sheet, save_table
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import Dubbed, Take
from moksori.dubbing.work.flags import reason
from moksori.listed import file_key
from moksori.messages import Lang, say

LOOK_AT = 0.33  # severity from which a line is listed
URGENT = 0.66

_COLUMNS = {  # key of the header: width, number format
    "severity": (10, "0%"),
    "status": (11, ""),
    "number": (8, ""),
    "place": (13, ""),
    "timecode": (14, ""),
    "timecode.end": (14, ""),
    "character": (13, ""),
    "voice": (11, ""),
    "actor": (11, ""),
    "text": (46, ""),
    "directions": (18, ""),
    "mark": (10, ""),
    "note": (34, ""),
    "reasons": (46, ""),
    "file": (24, ""),
    "confidence": (11, "0.00"),
}
_RETAKES = [key for key in _COLUMNS if key not in ("status", "voice")]
_BY_ACTOR = ["actor", *(key for key in _RETAKES if key != "actor")]
_ALL = [key for key in _COLUMNS if key != "severity"]


def severity(row: Dubbed) -> float:
    """Of the most severe flag, 0 to 1; 1 if the line failed."""
    if row.status == "failed":
        return 1.0
    return max((flag.severity for flag in row.flags), default=0.0)


def state(row: Dubbed) -> str:
    """The director's mark: ok, retake, hold; stale for an OK of what the line was before; "" for none."""
    if row.mark is None:
        return ""
    changed = row.wave is not None and row.wave.stem != row.mark.key
    return "stale" if row.mark.state == "ok" and changed else row.mark.state


def to_look_at(row: Dubbed) -> bool:
    """Whether a person should look at the line: by the director's mark, or else by its flags."""
    if row.status == "failed" or state(row) in ("retake", "hold", "stale"):
        return True
    return state(row) != "ok" and severity(row) >= LOOK_AT


def write_retakes(path: Path, rows: Sequence[Dubbed], spec: DeliverySpec) -> int:
    """Write the list, the same actor by actor, and all lines with their status: a sheet each.

    Args:
        path: of the .xlsx.
        rows: of the whole job, in the script's order.
        spec: of the delivery.

    Returns:
        How many lines are to be looked at.

    Raises:
        OutputError: the place cannot be written to.
    """
    lang = spec.lang
    cells = [_cells(number, row, spec) for number, row in enumerate(rows, 1)]
    listed = sorted(
        (i for i, row in enumerate(rows) if to_look_at(row)),
        key=lambda i: (rows[i].status != "failed", state(rows[i]) != "retake", -severity(rows[i])),
    )
    lines = [row.take.line for row in rows]
    actors = [*dict.fromkeys(line.actor for line in lines)]
    by_actor = sorted(listed, key=lambda i: (actors.index(lines[i].actor), i))
    sheets = [
        _sheet(say("retakes", lang), _RETAKES, [cells[i] for i in listed], lang),
        _sheet(say("retakes.by_actor", lang), _BY_ACTOR, [cells[i] for i in by_actor], lang),
        _sheet(say("all", lang), _ALL, cells, lang),
    ]
    save_table(path, sheets, spec.date)
    return len(listed)


def _sheet(title: str, keys: list[str], rows: list[dict[str, Cell]], lang: Lang) -> Sheet:
    return Sheet(
        title=title,
        headers=[say(key, lang) for key in keys],
        rows=[[row[key] for key in keys] for row in rows],
        widths=[_COLUMNS[key][0] for key in keys],
        formats=[_COLUMNS[key][1] for key in keys],
    )


def _cells(number: int, row: Dubbed, spec: DeliverySpec) -> dict[str, Cell]:
    take, line, lang = row.take, row.take.line, spec.lang
    return {
        "severity": severity(row),
        "status": say(row.status, lang),
        "number": _number(line.no, number),
        "place": line.place.say(lang),
        "timecode": spec.script_timecode(line.start),
        "timecode.end": spec.script_timecode(line.end),
        "character": line.character,
        "voice": "" if row.status == "passed" else take.role.voice,
        "actor": line.actor,
        "text": line.text,
        "directions": line.directions,
        "mark": say(f"mark.{state(row) or 'none'}", lang),
        "note": row.mark.note if row.mark else "",
        "reasons": "\n".join(reasons(row, lang)),
        "file": _file(take),
        "confidence": (row.metrics or {}).get("confidence"),
    }


def _file(take: Take) -> str:
    """As the script names the recording; by its own name where it does not, or another was brought."""
    written = take.line.file
    own = file_key(PurePath(written).stem) == file_key(take.audio.stem)
    return written if not take.samples or (written and (own or take.cut)) else take.audio.name


def _number(written: str, count: int) -> Cell:
    """As written, as a number where Excel shows it alike; counted if there is none."""
    if not written:
        return count
    return int(written) if re.fullmatch("[1-9][0-9]{0,8}", written) else written


def reasons(row: Dubbed, lang: Lang) -> list[str]:
    """Why a person should look at the line, the most severe first."""
    others = [reason(flag, lang) for flag in row.flags if flag.kind != "failed"]
    if row.status != "failed":
        return others
    why = say("reason.failed", lang)
    return [f"{why}: {row.error.say(lang)}" if row.error else why, *others]
