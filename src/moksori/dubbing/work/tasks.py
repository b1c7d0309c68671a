"""Takes to tasks: whose register each is measured by, and the key of all that its outcome depends on."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

from moksori.conversion.converter import Converter
from moksori.conversion.voices import find_target
from moksori.dubbing.records import Setup, Take, Task
from moksori.dubbing.store import Store
from moksori.text import read
from moksori.text.nonverbal import is_nonverbal, is_wordless

_FORMAT = 2  # raised when a take would be made otherwise than before
Progress = Callable[[str], Callable[[Iterable, int], Iterable]]


class Mapper(Protocol):
    """What of an engine is needed here."""

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator:
        """As `engines.Engine.map`."""


def actor_means(
    register: Literal["actor", "line"],
    takes: Sequence[Take],
    digests: Sequence[str],
    state: Store,
    engine: Mapper,
    progress: Progress,
) -> dict[str, float]:
    """Of each actor, the mean over all takes; of those measured before, as it was then."""
    if register == "line":
        return {}
    measured, of_actor = state.measured(), dict[str, list[str]]()
    wanted: dict[str, Task] = {}
    for take, digest in zip(takes, digests, strict=True):
        wordless = is_wordless(take.line.text) or is_nonverbal(take.line.text)
        if (name := _actor(take)) and not take.role.as_recorded and not wordless:
            of_actor.setdefault(name, []).append(digest)
            wanted[digest] = Task(take, digest, state.store, digest)
    known = {
        name: mean
        for name, (mean, seen) in state.registers().items()
        if not seen.isdisjoint(of_actor.get(name, ()))
    }
    new = {name: own for name, own in of_actor.items() if name not in known}
    todo = [d for own in new.values() for d in dict.fromkeys(own) if d not in measured]
    if todo:
        outcomes = engine.map("register", [wanted[digest] for digest in todo])
        for outcome in progress("measuring actors")(outcomes, len(todo)):
            if not outcome.error:
                measured[outcome.task.key] = outcome.value
                state.keep_measured(outcome.task.key, outcome.value)
    for name, own in new.items():
        parts = {digest: part for digest in own if (part := measured.get(digest))}
        if frames := sum(count for _, count in parts.values()):
            mean = sum(mean * count for mean, count in parts.values()) / frames
            known[name] = round(mean, 5)
            state.keep_register(name, known[name], parts)
    return known


def _actor(take: Take) -> str:
    """Whose register counts: the actor's, or the character's where no actor is named."""
    return take.line.actor or take.line.character


def tasks_of(
    setup: Setup,
    converter: Converter,
    takes: Sequence[Take],
    digests: Sequence[str],
    registers: Mapping[str, float],
    state: Store,
) -> list[Task]:
    """Takes with the names of their outcomes, which tell all that these depend on."""
    shared = [_FORMAT, converter.card.sha256, converter.vocoder_card.sha256]
    voices = {take.role.voice for take in takes if not take.role.as_recorded}
    own = {name: _own_weights(converter, name) for name in voices}
    tasks = []
    for take, digest in zip(takes, digests, strict=True):
        register = registers.get(_actor(take))
        told = [
            *shared, digest, _said(take, setup), take.role.model_dump(),
            own.get(take.role.voice, ""), register,
        ]  # fmt: skip
        key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
        tasks.append(Task(take, key, state.store.resolve(), digest, register))
    return tasks


def _said(take: Take, setup: Setup) -> list[str]:
    """How a take's text is read: a change of the lexicon concerns the lines alone that it changes."""
    if take.role.as_recorded or is_wordless(take.line.text):
        return []
    reading = read(take.line.text, setup.spell, setup.lexicon)
    return [reading.normalized, *reading.phones, "nonverbal" * is_nonverbal(take.line.text)]


def _own_weights(converter: Converter, voice: str) -> str:
    """Of an enrolled voice, which may be enrolled anew by the same name."""
    whole = hashlib.sha256()
    for name, weight in sorted(find_target(voice, converter.card, converter.packs).weights.items()):
        whole.update(name.encode() + weight.numpy().tobytes())
    return whole.hexdigest()
