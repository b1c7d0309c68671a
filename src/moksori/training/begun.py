"""What a training is begun with: the terms that it is under, and `RUN/config.json`, by which it is known."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from moksori.config import RunConfig
from moksori.conversion.card import AnyCard
from moksori.conversion.consents import packs_folder, revocation_of
from moksori.conversion.terms import Terms
from moksori.corpus.place import visible
from moksori.errors import ConfigError
from moksori.writing import atomic_write

_CHECKPOINT_FORMAT = 2  # raised when `last.ckpt` of an older run cannot be resumed


def joined_terms(parts: Iterable[Terms]) -> Terms:
    """What binds a model that is learnt from several; nothing is learnt without the voices' consents.

    Raises:
        ConfigError: a consent has ended, or was revoked.
        VoiceError: the list of revocations is damaged.
    """
    terms, own = Terms.joined(parts), packs_folder()
    if ended := [name for name, consent in terms.consents.items() if consent.expired]:
        raise ConfigError.of("train.consent_ended", names=", ".join(sorted(ended)))
    taken = [name for name, consent in terms.consents.items() if revocation_of(own, name, consent)]
    if taken:
        raise ConfigError.of("train.consent_revoked", names=", ".join(sorted(taken)))
    return terms


def keep_config(config: RunConfig, run: Path, base: str, card: AnyCard) -> None:
    """Note what a training is begun with; see that one which is resumed is the same.

    A training that ended before it kept anything is begun anew.

    Raises:
        ConfigError: it was begun otherwise, or the folder holds something else.
    """
    path = run / "config.json"
    there = visible(run)  # before the config is looked for, since another process may write it now
    if path.exists():
        known = _read(path)
        if (run / "last.ckpt").exists() or (run / "model").exists():
            _check_same(known, path, config, base, card)
            return
    elif there:
        raise ConfigError.of("train.not_empty", run=run, name=there[0])
    run.mkdir(parents=True, exist_ok=True)
    about = {
        "checkpoint_format": _CHECKPOINT_FORMAT,
        "base": base,
        "learnt_from": _of_data(card),
        **config.model_dump(mode="json"),
    }
    atomic_write(path, json.dumps(about, indent=1))  # several processes may come here at once


def _of_data(card: AnyCard) -> dict[str, Any]:
    """What of a model's data may not change under a training: whose voices, under which terms."""
    kept = card.model_dump(mode="json", include={"licence", "commercial", "consents", "trained_on"})
    return kept | {"voices": [voice.name for voice in getattr(card, "voices", ())]}


def _read(path: Path) -> dict[str, Any]:
    """A training's config; whatever else lies there is somebody's, and is left alone."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        known = None
    if not isinstance(known, dict) or {"optimizer", "checkpoint_format"}.isdisjoint(known):
        raise ConfigError.of("train.not_ours", file=path)
    return known


def _check_same(
    known: dict[str, Any], path: Path, config: RunConfig, base: str, card: AnyCard
) -> None:
    """A run resumes with the config it was begun with; keys that are newer than it take their defaults."""
    whole, learnt_from = dict(known), known.pop("learnt_from", None)
    if known.pop("checkpoint_format", 1) != _CHECKPOINT_FORMAT:
        raise ConfigError.of("train.older", run=path.parent)
    known_base = known.pop("base", "")
    try:
        before = type(config).model_validate(known).model_dump(mode="json")
    except ValidationError as error:
        if any(fault["type"] == "extra_forbidden" for fault in error.errors()):
            raise ConfigError.of("train.other_kind", run=path.parent) from None
        before = known
    if known_base != base:
        raise ConfigError.of("train.other_base", run=path.parent)
    if learnt_from not in (None, _of_data(card)):  # the model's terms are among the card's
        raise ConfigError.of("train.other_data", run=path.parent)
    if differing := _differing(before, config.model_dump(mode="json")):
        raise ConfigError.of("train.other_config", run=path.parent, keys=", ".join(differing))
    if learnt_from is None:  # begun by a Moksori that did not note it
        atomic_write(path, json.dumps(whole | {"learnt_from": _of_data(card)}, indent=1))


def _differing(one: dict[str, Any], other: dict[str, Any], within: str = "") -> list[str]:
    """The dotted keys whose values are not alike."""
    found = []
    for key in sorted(one.keys() | other.keys()):
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differing(a, b, f"{within}{key}.")
        elif a != b:
            found.append(f"{within}{key}")
    return found
