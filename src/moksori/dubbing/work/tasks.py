"""Takes to tasks: each actor's mean F0, and the key of all that an outcome depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Literal

import torch

from moksori.conversion.converter import Converter
from moksori.conversion.voices import find_target
from moksori.dubbing.records import Heard, Setup, Take, Task
from moksori.dubbing.store import Store
from moksori.signal.pitch import mean_log_f0
from moksori.text.front_end import FrontEnd

_FORMAT = 2  # raised when a take would be converted otherwise than before


def actor_means(
    by: Literal["actor", "line"],
    takes: Sequence[Take],
    heard: Mapping[str, Heard],
    store: Store,
    front_end: FrontEnd,
) -> dict[str, float]:
    """Mean log-F0 of each actor over all takes; of those measured before, as it was then.

    Args:
        by: `line` if each line is put at the voice's mean by itself; then there are none.
        takes: of the episode.
        heard: what preflight measured of them, by their ids.
        store: keeps a mean with the takes that it came from, so that a new recording does not move all of
            the actor's lines.
        front_end: of the script's language.
    """
    if by == "line":
        return {}
    own: dict[str, dict[str, tuple[float, int]]] = {}  # by actor, by digest: mean and frames
    for take in takes:
        f0 = heard[take.id].f0
        name, text = actor_of(take), take.line.text
        if not name or f0 is None or front_end.is_wordless(text) or front_end.is_nonverbal(text):
            continue
        mean = mean_log_f0(torch.from_numpy(f0))
        parts = own.setdefault(name, {})
        if mean is not None:
            parts.setdefault(heard[take.id].digest, (mean, int((f0 > 0).sum())))
    known = {
        name: mean
        for name, (mean, digests) in store.actor_means().items()
        if not digests.isdisjoint(own.get(name, ()))
    }
    for name, parts in own.items():
        frames = sum(count for _, count in parts.values())
        if name not in known and frames:
            total = sum(mean * count for mean, count in parts.values())
            known[name] = round(total / frames, 5)
            store.keep_actor_mean(name, known[name], parts)
    return known


def actor_of(take: Take) -> str:
    """Whose mean counts: the actor's, or the character's where no actor is named."""
    return take.line.actor or take.line.character


def tasks_of(
    setup: Setup,
    converter: Converter,
    takes: Sequence[Take],
    heard: Mapping[str, Heard],
    means: Mapping[str, float],
    store: Store,
) -> list[Task]:
    """Takes with the keys of their outcomes, which tell all that these depend on.

    Args:
        setup: of the job.
        converter: of the job.
        takes: to be worked on.
        heard: what preflight measured of them, by their ids.
        means: as `actor_means`.
        store: where outcomes are kept.
    """
    shared = [
        _FORMAT,
        converter.card.sha256,
        converter.vocoder_card.sha256,
        setup.floor,
        setup.treble,
    ]
    voices = {take.role.voice for take in takes if not take.role.as_recorded}
    own = {name: _own_weights(converter, name) for name in voices}
    tasks = []
    for take in takes:
        mean = means.get(actor_of(take))
        digest, f0 = heard[take.id]
        whole = [
            *shared, digest, _said(take, setup, converter.front_end), take.role.model_dump(),
            own.get(take.role.voice, ""), mean,
        ]  # fmt: skip
        key = hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:32]
        folder = store.outcomes.resolve()
        tasks.append(Task(take=take, key=key, store=folder, digest=digest, mean_log_f0=mean, f0=f0))
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


def _own_weights(converter: Converter, voice: str) -> str:
    """Of an enrolled voice, which may be enrolled anew by the same name."""
    whole = hashlib.sha256()
    for name, weight in sorted(find_target(voice, converter.card, converter.packs).weights.items()):
        whole.update(name.encode() + weight.numpy().tobytes())
    return whole.hexdigest()
