"""What a job's folder tells without its lock, also while a job is at work there.

line_states       where each line stands
known_actors      how each actor usually speaks
delivered_files   which files are the job's
"""

import json
from pathlib import Path
from typing import Literal, NamedTuple

from moksori.dubbing.database import read_only
from moksori.dubbing.records import HOME
from moksori.dubbing.store import ACTORS_KEPT, KNOWS_SCRIPT, actors_in
from moksori.errors import OutputError
from moksori.messages import Message
from moksori.script.line import Place
from moksori.signal.speaker import SourceSpeaker


class LineState(NamedTuple):
    """Where a line stands."""

    id: str
    place: Place
    character: str
    text: str
    script_text: str  # the script's own, where a director has asked for another text
    status: Literal["waiting", "begun", "converted", "passed", "failed"]
    error: Message | None
    tries: int
    key: str  # of the outcome


def _place(written: str) -> Place:
    """A place that `Store.keep_lines` kept; of an older job, in its words."""
    try:
        return Place(*json.loads(written))
    except (json.JSONDecodeError, TypeError):
        return Place("line", written)


def line_states(out: Path) -> list[LineState]:
    """Where each line of a job stands, also while it is at work.

    Raises:
        OutputError: there is no job in the folder.
    """
    path = out / HOME / "job.sqlite"
    if not path.is_file():
        raise OutputError.of("output.no_job", path=out)
    script = "script_text" if read_only(path, KNOWS_SCRIPT) else "text"
    rows = read_only(
        path,
        f"SELECT id, place, character, text, {script}, coalesce(status, 'waiting'), "
        "coalesce(error, ''), coalesce(tries, 0), key FROM lines LEFT JOIN work USING (key) "
        "ORDER BY position",
    )
    return [
        LineState(
            id=id,
            place=_place(place),
            character=character,
            text=text,
            script_text=script_text or text,
            status=status,
            error=Message.load(error) if error else None,
            tries=tries,
            key=key,
        )
        for id, place, character, text, script_text, status, error, tries, key in rows
    ]


def known_actors(out: Path) -> dict[str, tuple[SourceSpeaker, set[str]]]:
    """As `Store.actors`, also while the job is at work; nothing where none has begun."""
    path = out / HOME / "job.sqlite"
    return actors_in(read_only(path, ACTORS_KEPT)) if path.is_file() else {}


def delivered_files(out: Path) -> set[str]:
    """Paths below a job's folder that the job has delivered, also while it is at work."""
    path = out / HOME / "job.sqlite"
    if not path.is_file():
        return set()
    return {str(row[0]) for row in read_only(path, "SELECT path FROM files")}
