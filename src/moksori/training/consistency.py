"""Speaker consistency: conversions of training lines must be taken for the target's.

Reconstruction alone never hears a conversion. A small classifier learns from the real lines who says a mel,
and a part of each batch is converted to voices drawn at random; what the classifier says of those moves the
decoder and the voice table, never the classifier, so that the two cannot agree on a trick.
"""

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from moksori.models.conversion import Batch, ConversionModel
from moksori.models.layers import MaskedConv, length_mask, masked_mean

_WIDTH = 128
_SHARE = 3  # one line of so many is converted


class SpeakerClassifier(nn.Module):
    """Three dilated convolutions, mean and spread over time, a name (x-vectors, Snyder et al., 2018).

    Args:
        n_mels: bins of the mel.
        n_voices: rows of the voice table.
    """

    def __init__(self, n_mels: int, n_voices: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            MaskedConv(n_mels if i == 0 else _WIDTH, _WIDTH, 5, dilation=i + 1) for i in range(3)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(_WIDTH) for _ in range(3))
        self.out = nn.Linear(2 * _WIDTH, n_voices)

    def forward(self, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log-mel [B, T, n_mels], mask [B, T] → logits [B, n_voices]."""
        x = (mel + 5) / 2 * mask[..., None]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = functional.gelu(norm(conv(x, mask)))
        mean = masked_mean(x, mask)
        spread = (masked_mean((x - mean).square(), mask) + 1e-4).sqrt()
        result: torch.Tensor = self.out(torch.cat([mean, spread], -1)[:, 0])
        return result


class SpeakerConsistency(nn.Module):
    """The two losses.

    Args:
        classifier: of the voices.
        log_f0_means: [V] of the voices, for the F0 of conversions.
    """

    log_f0_means: torch.Tensor

    def __init__(self, classifier: SpeakerClassifier, log_f0_means: torch.Tensor) -> None:
        super().__init__()
        self.classifier = classifier
        self.register_buffer("log_f0_means", log_f0_means)

    def forward(
        self, model: ConversionModel, batch: Batch, linguistic: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Losses of a batch.

        Args:
            model: in training.
            batch: of real lines.
            linguistic: L [B, T, text_dim] of the batch.

        Returns:
            `classifier`, the cross-entropy on the real lines; `consistency`, that on conversions, which moves
            the model alone; `converted_right`, the share of conversions taken for the target's.
        """
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        real = functional.cross_entropy(self.classifier(batch.mel, mask).float(), batch.voice)
        count = -(-len(batch.voice) // _SHARE)
        voices = torch.randint(len(self.log_f0_means), (count,), device=batch.voice.device)
        shift = self.log_f0_means[voices] - self.log_f0_means[batch.voice[:count]]
        converted = Batch(
            phones=batch.phones[:count], phone_lengths=batch.phone_lengths[:count],
            mel=batch.mel[:count], mel_lengths=batch.mel_lengths[:count],
            f0=batch.f0[:count] * shift.exp()[:, None], voice=voices,
            energy=None if batch.energy is None else batch.energy[:count],
        )  # fmt: skip
        mel = model.decode(linguistic[:count], converted)
        still = {name: weight.detach() for name, weight in self.classifier.named_parameters()}
        logits = functional_call(self.classifier, still, (mel, mask[:count])).float()
        return {
            "classifier": real,
            "consistency": functional.cross_entropy(logits, voices, label_smoothing=0.1),
            "converted_right": (logits.argmax(-1) == voices).float().mean(),
        }
