"""Takes to tasks: what is known of each actor, and the key of all that an outcome depends on."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from moksori.config import Hertz
from moksori.conversion.converter import Converter, Source
from moksori.dubbing.records import Take
from moksori.dubbing.store import Store
from moksori.dubbing.task import Heard, Setup, Task
from moksori.signal.speaker import UNKNOWN, SourceSpeaker
from moksori.text.front_end import FrontEnd

_FORMAT = 8  # raised when a take would be converted otherwise than before


def actors_of(
    by: Literal["actor", "line"],
    takes: Sequence[Take],
    heard: Mapping[str, Heard],
    before: Mapping[str, tuple[SourceSpeaker, set[str]]],
    converter: Converter,
    given: Callable[[str], Hertz | None] = lambda actor: None,
) -> dict[str, SourceSpeaker]:
    """What is known of each actor from all takes; of those whose lines were worked on, as it was then.

    Args:
        by: `line` if each line is put at the voice's mean F0 by itself; effort is by actor always.
        takes: of the episode.
        heard: what preflight measured of them, by their ids.
        before: what `keep_actors` has kept, as `Store.actors`.
        converter: of the job.
        given: mean F0 of an actor, where the cast says it.
    """
    own = sources_of(takes, heard, converter.front_end)
    known = _kept(digests_of(takes, heard), before)
    for name in own.keys() - known.keys():
        known[name] = converter.speaker(own[name].values())
    if by == "line":
        return {name: row.model_copy(update={"mean_log_f0": None}) for name, row in known.items()}
    for name in {actor_of(take) for take in takes}:
        if hertz := given(name):
            update = {"mean_log_f0": math.log(hertz)}
            known[name] = known.get(name, UNKNOWN).model_copy(update=update)
    return known


def keep_actors(
    worked_on: Sequence[Take],
    takes: Sequence[Take],
    heard: Mapping[str, Heard],
    store: Store,
    converter: Converter,
) -> None:
    """Keep what is known of the actors of takes, so that a new recording changes no other line of theirs.

    It stays while any take that it was used for is there, not only those that it was measured from.

    Args:
        worked_on: the takes that are about to be converted.
        takes: as `actors_of`.
        heard: likewise.
        store: keeps what was measured with the takes that it is used for.
        converter: of the job.
    """
    own, used = sources_of(takes, heard, converter.front_end), digests_of(takes, heard)
    known = _kept(used, before := store.actors())
    for name, speaker in known.items():
        if not used[name] <= before[name][1]:
            store.keep_actor(name, speaker, used[name] | before[name][1])
    for name in {actor_of(take) for take in worked_on} & own.keys() - known.keys():
        store.keep_actor(name, converter.speaker(own[name].values()), used[name])


def _kept(
    used: Mapping[str, set[str]], before: Mapping[str, tuple[SourceSpeaker, set[str]]]
) -> dict[str, SourceSpeaker]:
    """The actors that were measured before, some of whose takes are still there."""
    return {
        name: speaker
        for name, (speaker, digests) in before.items()
        if not digests.isdisjoint(used.get(name, ()))
    }


def digests_of(takes: Sequence[Take], heard: Mapping[str, Heard]) -> dict[str, set[str]]:
    """The takes that what is known of each actor is used for: those without words too."""
    used: dict[str, set[str]] = {}
    for take in takes:
        if not take.role.as_recorded and (name := actor_of(take)):
            used.setdefault(name, set()).add(heard[take.id].digest)
    return used


def sources_of(
    takes: Sequence[Take], heard: Mapping[str, Heard], front_end: FrontEnd
) -> dict[str, dict[str, Source]]:
    """What was measured of the takes with words, by actor, by digest: what tells how he usually speaks."""
    own: dict[str, dict[str, Source]] = {}
    for take in takes:
        source = heard[take.id].source
        name, text = actor_of(take), take.line.text
        if not name or not source or front_end.is_wordless(text) or front_end.is_nonverbal(text):
            continue
        if source.f0.any():
            own.setdefault(name, {}).setdefault(heard[take.id].digest, source)
    return own


def actor_of(take: Take) -> str:
    """Whose usual pitch and effort count: the actor's, or the character's where no actor is named."""
    return take.line.actor or take.line.character


def tasks_of(
    setup: Setup,
    converter: Converter,
    takes: Sequence[Take],
    heard: Mapping[str, Heard],
    actors: Mapping[str, SourceSpeaker],
    store: Store,
) -> list[Task]:
    """Takes with the keys of their outcomes, which tell all that these depend on.

    Args:
        setup: of the job.
        converter: of the job.
        takes: to be worked on.
        heard: what preflight measured of them, by their ids.
        actors: as `actors_of`.
        store: where outcomes are kept.
    """
    listener = converter.listener
    models = (converter.card, converter.vocoder_card, *([listener.card] if listener else []))
    shared = [_FORMAT, *(card.sha256 for card in models), setup.floor, setup.treble]
    shared += ["watermark 2"] * setup.watermark
    if setup.device != "cpu":  # its sums are in another order
        shared.append(setup.device.partition(":")[0])
    voices = {take.role.voice for take in takes if not take.role.as_recorded}
    own = {name: converter.target(name).checksum for name in voices}
    tasks = []
    for take in takes:
        speaker = actors.get(actor_of(take), UNKNOWN)
        digest, source = heard[take.id]
        voice = own.get(take.role.voice, "")
        whole = [
            *shared, digest, _said(take, setup, converter.front_end), take.role.model_dump(),
            voice, speaker.model_dump(),
        ]  # fmt: skip
        key = hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:32]
        folder = store.outcomes.resolve()
        f0 = source.f0 if source else None
        tasks.append(Task(
            take=take, key=key, store=folder, digest=digest, voice=voice, speaker=speaker, f0=f0,
        ))  # fmt: skip
    return tasks


def _said(take: Take, setup: Setup, front_end: FrontEnd) -> list[str]:
    """How a take's text is read: a change of the lexicon concerns the lines alone that it changes."""
    if take.role.as_recorded or front_end.is_wordless(take.line.text):
        return []
    reading = front_end.read(take.line.text, setup.spell, setup.lexicon)
    return [
        reading.normalized,
        *reading.phones,
        "nonverbal" * front_end.is_nonverbal(take.line.text),
    ]
