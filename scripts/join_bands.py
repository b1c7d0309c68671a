"""Join two source-filter vocoders to a two-band one: LOW up to the crossover, HIGH above it.

python scripts/join_bands.py src/moksori/weights/fast runs/levelled src/moksori/weights/wide

Of a two-band vocoder as HIGH the upper band is taken, so that a lower band that was trained again can be
joined to the one that is there.
"""

from pathlib import Path

import typer

from moksori.config import SourceFilterConfig
from moksori.conversion.card import VocoderCard
from moksori.conversion.checkpoint import load_vocoder, save_model
from moksori.conversion.terms import Terms
from moksori.errors import ConfigError
from moksori.models.vocoder.two_band import TwoBand, TwoBandConfig


def main(low: Path, high: Path, dest: Path) -> None:
    """Write the model folder DEST."""
    (lower, low_card), (higher, high_card) = load_vocoder(low), load_vocoder(high)
    high_size = high_card.model
    if isinstance(higher, TwoBand) and isinstance(high_size, TwoBandConfig):
        higher, high_size = higher.high, high_size.high
    sizes = low_card.model, high_size
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
