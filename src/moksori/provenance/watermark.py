"""A faint watermark in conversions: Perth's, by its own weights, at any sample rate.

After Resemble AI's `resemble-perth` (MIT), whose wheel brings the weights and whose networks these are: an
encoder changes the magnitudes below 2 kHz of a 32 kHz signal, a decoder says from magnitudes alone how sure
it is that this was done. The library itself is not imported: it needs torchaudio, and resamples a signal to
32 kHz and back, which would take away what lies above 16 kHz. Here only the change is resampled and added.
"""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from moksori.config import Hertz
from moksori.errors import CheckpointError, ConfigError
from moksori.signal.audio import resample

RATE: Hertz = 32000
FOUND = 0.5  # confidence from which a watermark is there; docs/provenance.md has what was measured
STRENGTH = (
    1.0  # of the change, in dB, that Perth makes; docs/provenance.md has what less and more give
)
_FFT, _HOP, _BINS, _HIDDEN = 2048, 320, 128, 256
_FLOOR, _HEADROOM = 1e-9, 15.0  # of magnitudes; dB above full scale that the networks know
_DEEP = 20 * float(np.log10(_FLOOR))
_QUIET = 0.05  # of the loudest frame, below which a frame has no watermark
_WEIGHTS = "perth/perth_net/pretrained/implicit/perth_net_250000.pth.tar"


class _Layers(nn.Sequential):
    """Seven convolutions over frames, as Perth has them."""

    def __init__(self, outputs: int) -> None:
        sizes = [(_BINS, _HIDDEN, 1), *[(_HIDDEN, _HIDDEN, 7)] * 5, (_HIDDEN, outputs, 1)]
        super().__init__(*(_Conv(*size) for size in sizes))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[1, _BINS, T] to [1, outputs, T]."""
        *hidden, last = self
        for layer in hidden:
            frames = functional.leaky_relu(layer(frames))
        result: torch.Tensor = last(frames)
        return result


class _Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.conv(frames)
        return result


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = _Layers(_BINS)


class _Decoder(nn.Module):
    """Reads at three paces, so that a stretched signal is read too."""

    def __init__(self) -> None:
        super().__init__()
        self.slow_layers, self.normal_layers, self.fast_layers = (_Layers(2) for _ in range(3))

    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """How sure it is that magnitudes [1, bins, T] are marked, [1]."""
        loud = _loud(magnitudes)
        band, size = magnitudes[:, :_BINS], magnitudes.shape[2]
        marks, shares = [], []
        for layers, pace in (
            (self.slow_layers, 1.25),
            (self.normal_layers, 1.0),
            (self.fast_layers, 0.75),
        ):
            frames = max(1, int(size * pace))
            paced = band
            if pace != 1:
                paced = functional.interpolate(band, size=frames, mode="linear", align_corners=True)
            here = functional.interpolate(loud, size=frames, mode="nearest")
            share, mark = layers(paced).split(1, 1)
            total = here.sum(2).clamp(min=1)
            marks.append((mark * here).sum(2) / total)
            shares.append((share * here).sum(2) / total)
        weights = torch.cat(shares, 1).softmax(1)
        return (torch.cat(marks, 1) * weights).sum(1)


class _Perth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = _Encoder(), _Decoder()


def _loud(magnitudes: torch.Tensor) -> torch.Tensor:
    """The frames that are loud enough, [1, 1, T]."""
    level = magnitudes.sum(1, keepdim=True)
    return (level > _QUIET * level.amax(2, keepdim=True)).float()


def _spectrum(wave: np.ndarray) -> torch.Tensor:
    """[bins, T] of a wave [n] at `RATE`."""
    signal = torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))
    window = torch.hann_window(_FFT)
    return torch.stft(signal, _FFT, _HOP, window=window, center=True, return_complex=True)


def _magnitudes(spectrum: torch.Tensor) -> torch.Tensor:
    """As the networks know them, [1, bins, T]."""
    level = 20 * spectrum.abs().clamp(min=_FLOOR).log10()
    return ((level - _DEEP) / (_HEADROOM - _DEEP))[None]


def check_installed() -> None:
    """See that the weights are there.

    Raises:
        ConfigError: `resemble-perth` is not installed.
        CheckpointError: it is another one than this knows.
    """
    _model()


@cache
def _model() -> _Perth:
    try:
        path = Path(str(distribution("resemble-perth").locate_file(_WEIGHTS)))
    except PackageNotFoundError:
        raise ConfigError.of("watermark.not_installed") from None
    try:  # nothing of it is unpickled but tensors, numbers and names
        state = torch.load(path, map_location="cpu", weights_only=True)["model"]
        model = _Perth()
        model.load_state_dict({k: v for k, v in state.items() if not k.startswith("ap.")})
    except Exception as error:  # what a foreign file makes the reader raise is not to be foreseen
        raise CheckpointError.of("watermark.other", file=path, why=error) from None
    return model.eval()


@torch.inference_mode()
def mark(samples: np.ndarray, sample_rate: Hertz, strength: float = STRENGTH) -> np.ndarray:
    """Samples with a watermark, the same in all channels.

    Args:
        samples: [n, channels]; what is shorter than a window (64 ms) or silent stays as it is.
        sample_rate: of any height.
        strength: 1 as Perth marks; less costs less, and is sooner lost.

    Raises:
        ConfigError, CheckpointError: as `check_installed`.
    """
    model = _model()
    wave = resample(samples.mean(axis=1).astype(np.float32), sample_rate, RATE)
    if len(wave) < _FFT or not wave.any():
        return samples
    spectrum = _spectrum(wave)
    magnitudes = _magnitudes(spectrum)
    moved = strength * model.encoder.layers(magnitudes[:, :_BINS])[0] * _loud(magnitudes)[0]
    factor = 10 ** (moved * (_HEADROOM - _DEEP) / 20)  # of the magnitudes below 2 kHz
    change = torch.zeros_like(spectrum)
    change[:_BINS] = spectrum[:_BINS] * (factor - 1)
    added = torch.istft(
        change, _FFT, _HOP, window=torch.hann_window(_FFT), center=True, length=len(wave)
    )
    own = resample(added.numpy(), RATE, sample_rate)[: len(samples)]
    own = np.pad(own, (0, len(samples) - len(own)))
    marked: np.ndarray = samples + own[:, None].astype(samples.dtype)
    return marked


@torch.inference_mode()
def confidence(samples: np.ndarray, sample_rate: Hertz) -> float:
    """How sure it is that samples [n] or [n, channels] are marked, 0 to 1; nan if too short or silent.

    Raises:
        ConfigError, CheckpointError: as `check_installed`.
    """
    model = _model()
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    wave = resample(mono.astype(np.float32), sample_rate, RATE)
    if len(wave) < _FFT or not wave.any():
        return float("nan")
    return min(1.0, max(0.0, float(model.decoder(_magnitudes(_spectrum(wave)))[0])))
