"""What a season knows of its actors, so that no new episode changes the lines of the others.

OUT/.moksori/actors.json   by actor: usual F0 and effort, and the takes that they were measured of
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from moksori.conversion.converter import Source
from moksori.dubbing.check import Checked
from moksori.dubbing.records import ACTORS, HOME
from moksori.dubbing.store import Store
from moksori.dubbing.work.tasks import sources_of
from moksori.errors import OutputError
from moksori.signal.speaker import SourceSpeaker
from moksori.writing import atomic_write


def season_actors(
    looked: Sequence[Checked], out: Path, keep: bool = True
) -> dict[str, tuple[SourceSpeaker, set[str]]]:
    """What is known of each actor from the takes of all episodes, with the digests of the takes.

    Of those measured before, as it was then, so that a new episode changes no line of the others.

    Args:
        looked: all episodes.
        out: of the season; keeps what was measured.
        keep: whether any line is about to be converted.
    """
    own: dict[str, dict[str, Source]] = {}
    for checked in looked:
        front_end = checked.converter.front_end
        for name, sources in sources_of(checked.takes, checked.heard, front_end).items():
            own.setdefault(name, {}).update(sources)
    path = out / HOME / ACTORS
    kept = _kept(path)
    for name, sources in own.items():
        if name not in kept or not set(kept[name].digests) & set(sources):
            speaker = looked[0].converter.speaker(sources.values())
            kept[name] = _Kept(speaker=speaker, digests=tuple(sorted(sources)))
    if keep:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = {name: one.model_dump() for name, one in kept.items()}
        atomic_write(path, json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True))
    return {name: (kept[name].speaker, set(sources)) for name, sources in own.items()}


class _Kept(BaseModel):
    """An actor in actors.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: SourceSpeaker
    digests: tuple[str, ...]  # of the takes that it was measured of


def _kept(path: Path) -> dict[str, _Kept]:
    """What actors.json holds, by the actors' names.

    Raises:
        OutputError: it is damaged.
    """
    if not path.exists():
        return {}
    try:
        return TypeAdapter(dict[str, _Kept]).validate_json(path.read_bytes())
    except ValidationError:
        raise OutputError.of("season.actors_damaged", path=path) from None


def give_actors(
    checked: Checked, out: Path, actors: Mapping[str, tuple[SourceSpeaker, set[str]]]
) -> None:
    """Give the job what is known of its actors; it takes it as what it has measured itself."""
    own = sources_of(checked.takes, checked.heard, checked.converter.front_end)
    store = Store(out)
    try:
        for name, sources in own.items():
            store.keep_actor(name, actors[name][0], sources)
    finally:
        store.close()
