"""HiFi-GAN V1's generator (Kong et al., arXiv 2010.05646), for inference, weight norm folded."""

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn
from torch.nn import functional

from moksori.config import AudioConfig
from moksori.models.vocoder.base import Vocoder

_SLOPE = 0.1  # of the leaky ReLUs


class HiFiGANConfig(BaseModel):
    """Sizes; the defaults are V1's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: int = 512  # after the first convolution; halved at each upsampling
    upsample_rates: tuple[int, ...] = (8, 8, 2, 2)  # their product is the hop length
    upsample_kernels: tuple[int, ...] = (16, 16, 4, 4)
    residual_kernels: tuple[int, ...] = (3, 7, 11)
    residual_dilations: tuple[int, ...] = (1, 3, 5)


class _ResidualBlock(nn.Module):
    def __init__(self, dim: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Conv1d:
            padding = (kernel - 1) * dilation // 2
            return nn.Conv1d(dim, dim, kernel, dilation=dilation, padding=padding)

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv1, conv2 in zip(self.convs1, self.convs2, strict=True):
            y = conv1(functional.leaky_relu(x, _SLOPE))
            x = x + conv2(functional.leaky_relu(y, _SLOPE))
        return x


class HiFiGAN(Vocoder):
    """Transposed convolutions, each followed by the mean of residual blocks of several kernels."""

    kind = "hifigan"
    Config = HiFiGANConfig

    def __init__(self, config: HiFiGANConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.audio, self.band = audio, audio.fmax
        self.sample_rate, self.hop_length = audio.sample_rate, audio.hop_length
        dims = [config.channels // 2**i for i in range(len(config.upsample_rates) + 1)]
        self.conv_pre = nn.Conv1d(audio.n_mels, dims[0], 7, padding=3)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(before, after, kernel, rate, padding=(kernel - rate) // 2)
            for before, after, kernel, rate in zip(
                dims[:-1], dims[1:], config.upsample_kernels, config.upsample_rates, strict=True
            )
        )
        self.resblocks = nn.ModuleList(
            _ResidualBlock(dim, kernel, config.residual_dilations)
            for dim in dims[1:]
            for kernel in config.residual_kernels
        )
        self.conv_post = nn.Conv1d(dims[-1], 1, 7, padding=3)

    @classmethod
    def build(cls, config: BaseModel, audio: AudioConfig) -> "HiFiGAN":
        """As `Vocoder.build`."""
        assert isinstance(config, HiFiGANConfig)
        return cls(config, audio)

    def forward(self, mel: torch.Tensor, f0: torch.Tensor | None = None) -> torch.Tensor:
        """Log-mel [B, T, n_mels] → wave [B, T * hop_length] in [-1, 1]; it needs no F0."""
        x = self.conv_pre(mel.transpose(1, 2))
        per_stage = len(self.resblocks) // len(self.ups)
        for i, up in enumerate(self.ups):
            x = up(functional.leaky_relu(x, _SLOPE))
            blocks = self.resblocks[i * per_stage : (i + 1) * per_stage]
            x = torch.stack([block(x) for block in blocks]).mean(0)
        return torch.tanh(self.conv_post(functional.leaky_relu(x)))[:, 0]  # [B, 1, n] → [B, n]
