"""What became of the consents that a delivered file names, as far as this machine holds their records."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from moksori.conversion.card import ConversionCard
from moksori.conversion.consents import (
    Consent,
    Revocation,
    packs_folder,
    revocation_of,
    revocations,
)
from moksori.conversion.voices import load_pack, pack_paths, reference_of
from moksori.errors import CheckpointError


class Revoked(NamedTuple):
    """A consent that was taken back."""

    row: Revocation
    sure: bool  # else one of a voice of this name was, perhaps another


def find_revoked(
    references: Mapping[str, str], card: ConversionCard, packs: Path
) -> dict[str, Revoked]:
    """Which consents were revoked, by the voices' names.

    Args:
        references: of consents, as delivered files name them, by the voices' names.
        card: of a model whose own voices are known.
        packs: a folder of enrolled voices; the user's own are known beside it.

    Raises:
        VoiceError: a list of revocations is damaged.
    """
    rows = revocations(packs)
    by_name = {row.voice: row for row in rows.values()}
    known = {reference: row for row in rows.values() for reference in row.references}
    holding = set[str]()
    for reference, name, consent in _records(card, packs) if rows else ():
        if row := revocation_of(packs, name, consent):
            known[reference] = row
        else:
            holding.add(reference)
    found = {}
    for name, reference in references.items():
        if row := known.get(reference):
            found[name] = Revoked(row, sure=True)
        elif reference not in holding and (row := by_name.get(name)):
            found[name] = Revoked(row, sure=False)
    return found


def _records(card: ConversionCard, packs: Path) -> list[tuple[str, str, Consent]]:
    """References, voices and consents, of those whose voices are here."""
    found = [(reference_of(card.sha256, c), name, c) for name, c in card.consents.items()]
    for path in [path for folder in {packs, packs_folder()} for path in pack_paths(folder)]:
        with suppress(CheckpointError):  # `moksori voices` tells which are damaged
            weights, pack = load_pack(path)
            reference = reference_of(pack.checksum(weights), pack.consent)
            found.append((reference, pack.voice.name, pack.consent))
    return found
