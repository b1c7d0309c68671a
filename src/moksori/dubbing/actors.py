"""What a season knows of its actors, so that no new episode changes the lines of the others.

OUT/.moksori/actors.json   by actor: usual F0 and effort, and the takes and episodes that they are used for
OUT/.moksori/actors.lock   held while it is read and written
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from moksori.conversion.converter import Source
from moksori.dubbing.check import Checked
from moksori.dubbing.records import ACTORS, ACTORS_LOCK, HOME
from moksori.dubbing.store import Store
from moksori.dubbing.work.tasks import digests_of, sources_of
from moksori.errors import OutputError
from moksori.signal.speaker import SourceSpeaker
from moksori.writing import atomic_write, write_error


def season_actors(
    checked: Mapping[str, Checked], out: Path, keep: bool = True
) -> dict[str, tuple[SourceSpeaker, set[str]]]:
    """What is known of each actor from the takes of all episodes, with the digests of the takes.

    Of those measured before, as it was then, so that a new episode changes no line of the others; nor does a
    table without the others, or a check that found none of their takes.

    Args:
        checked: all episodes, by name.
        out: of the season; keeps what was measured.
        keep: whether any line is about to be converted.

    Raises:
        OutputError: actors.json is damaged, or cannot be written.
    """
    own: dict[str, dict[str, Source]] = {}
    used: dict[str, set[str]] = {}
    episodes: dict[str, set[str]] = {}
    for episode, one in checked.items():
        front_end = one.converter.front_end
        for name, sources in sources_of(one.takes, one.heard, front_end).items():
            own.setdefault(name, {}).update(sources)
        for name, digests in digests_of(one.takes, one.heard).items():
            used.setdefault(name, set()).update(digests)
            episodes.setdefault(name, set()).add(episode)
    home = out / HOME
    with _alone(home) if keep else nullcontext():
        kept = _kept(home / ACTORS)
        for name, sources in own.items():
            before = kept.get(name)
            if before is None or before.is_replaced(used[name], episodes[name]):
                speaker = next(iter(checked.values())).converter.speaker(sources.values())
                before = _Kept(speaker=speaker)
            kept[name] = before.used_for(used[name], episodes[name])
        if keep:
            rows = {name: one.model_dump() for name, one in kept.items()}
            atomic_write(
                home / ACTORS, json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True)
            )
    return {name: (kept[name].speaker, set(sources)) for name, sources in own.items()}


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """While another table of the same season measures its actors, wait."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / ACTORS_LOCK)
        lock.acquire()
    except OSError as error:
        raise write_error(home, error) from None
    try:
        yield
    finally:
        lock.release()


class _Kept(BaseModel):
    """An actor in actors.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: SourceSpeaker
    digests: tuple[str, ...] = ()  # of the takes that it is used for
    episodes: tuple[str, ...] = ()  # that they are of; none in what an older Moksori kept

    def is_replaced(self, takes: Collection[str], episodes: Collection[str]) -> bool:
        """Whether all that it is used for was recorded anew, and not just left out this time."""
        return (
            bool(self.episodes)
            and {*self.episodes} <= {*episodes}
            and {*self.digests}.isdisjoint(takes)
        )

    def used_for(self, takes: Collection[str], episodes: Collection[str]) -> "_Kept":
        """The same, also used for these takes of these episodes."""
        return self.model_copy(
            update={
                "digests": tuple(sorted({*self.digests, *takes})),
                "episodes": tuple(sorted({*self.episodes, *episodes})),
            }
        )


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
) -> list[str]:
    """Give the job what is known of its actors; it takes it as what it has measured itself.

    Returns:
        The actors whose lines it has converted by other values before.
    """
    own = sources_of(checked.takes, checked.heard, checked.converter.front_end)
    changed = []
    store = Store(out)
    try:
        before = store.actors()
        for name, sources in own.items():
            speaker, digests = before.get(name, (None, set[str]()))
            if speaker not in (None, actors[name][0]) and not digests.isdisjoint(sources):
                changed.append(name)
            store.keep_actor(name, actors[name][0], sources)
    finally:
        store.close()
    return changed
