"""Join two source-filter vocoders to a two-band one: LOW up to the crossover, HIGH above it.

python scripts/join_bands.py src/moksori/weights/fast src/moksori/weights/clean src/moksori/weights/wide
"""

from pathlib import Path

import typer

from moksori.config import SourceFilterConfig
from moksori.conversion.card import VocoderCard
from moksori.conversion.checkpoint import load_vocoder, save_model
from moksori.conversion.terms import Terms
from moksori.errors import ConfigError
from moksori.models.vocoder.two_band import TwoBandConfig


def main(low: Path, high: Path, dest: Path) -> None:
    """Write the model folder DEST."""
    (lower, low_card), (higher, high_card) = load_vocoder(low), load_vocoder(high)
    sizes = low_card.model, high_card.model
    if not (isinstance(sizes[0], SourceFilterConfig) and isinstance(sizes[1], SourceFilterConfig)):
        raise ConfigError(f"{low} and {high} must be source-filter vocoders")
    weights = {f"low.{name}": w for name, w in lower.state_dict().items()}
    weights |= {f"high.{name}": w for name, w in higher.state_dict().items()}
    card = VocoderCard(
        kind="two-band", **vars(Terms.joined([Terms.of_card(low_card), Terms.of_card(high_card)])),
        audio=low_card.audio, model=TwoBandConfig(low=sizes[0], high=sizes[1]),
        trained_on=low_card.trained_on | high_card.trained_on,
    )  # fmt: skip
    save_model(dest, weights, card)


if __name__ == "__main__":
    typer.run(main)
