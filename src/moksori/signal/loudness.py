"""Loudness and true peak after ITU-R BS.1770-4, and a limiter, of waves that come block by block."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from moksori.config import Decibels, Seconds
from moksori.signal.gating import BLOCK, STEP, gated, k_weighting
from moksori.signal.levels import decibels


@dataclass(frozen=True)
class LoudnessTarget:
    """What a delivery must measure.

    Attributes:
        name: that it is asked for by.
        level: integrated loudness in LUFS (LKFS is the same); None to leave it.
        tolerance: LU that it may be off by.
        true_peak: that no peak may exceed, dBTP.
    """

    name: str
    level: Decibels | None
    tolerance: Decibels
    true_peak: Decibels


PREMIX, PREMIX_RATE = "premix", 48000
TARGETS = {
    target.name: target
    for target in (
        LoudnessTarget("korea", -24.0, 2.0, -2.0),  # the peak is our choice, the stricter one
        # The standard gates by dialogue. A reel of nothing but dialogue is gated so by its level.
        LoudnessTarget("netflix", -27.0, 2.0, -2.0),
        LoudnessTarget("ebu", -23.0, 0.5, -1.0),  # EBU R 128
        # Netflix's premix: as recorded, with a limiter of -6 dBTP on the bus.
        LoudnessTarget(PREMIX, None, 0.0, -6.0),
        LoudnessTarget("none", None, 0.0, 0.0),  # only kept from clipping
    )
}

# Fourfold oversampling by a windowed sinc: passes 0.9 of the band, and keeps the samples themselves.
_TIMES = 4
_ROW = 32  # samples that one row of a product interpolates around
_HALF = 24  # samples that an interpolated one depends on, on either side
_PART = 16  # samples, of which rows and what they depend on are made
_CHUNK = (
    1 << 13
)  # samples looked at together; those that cannot reach the limit are not oversampled


class LoudnessMeter:
    """Integrated loudness of mono or stereo; remembers ten numbers a second.

    It measures as `gating.integrated_loudness` does with the whole wave at once.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        self._filters = np.array([np.concatenate(stage) for stage in k_weighting(sample_rate)])
        self._state = np.zeros((len(self._filters), 2, channels))
        self._rate = sample_rate
        self._samples = 0
        self._energies = [0.0]  # of each quarter of a block; the last is being filled

    def add(self, block: np.ndarray) -> None:
        """Measure the next samples, [n] or [n, channels]."""
        power = self._weighted_power(_columns(block))
        done = 0
        while done < len(power):
            edge = int(BLOCK * (len(self._energies) * STEP) * self._rate)
            part = power[done : done + edge - self._samples]
            self._energies[-1] += float(part.sum())
            done += len(part)
            self._samples += len(part)
            if self._samples == edge:
                self._energies.append(0.0)

    @property
    def loudness(self) -> Decibels:
        """Of all that was added, in LUFS; -inf if nothing passes the gate of -70 LUFS.

        Less than the standard's block of 400 ms is measured as one block.
        """
        return self.with_gain(0.0)

    def with_gain(self, gain: Decibels) -> Decibels:
        """What it would be, had all that was added been raised by `gain`."""
        seconds = self._samples / self._rate
        if self._samples == 0:
            return -np.inf
        if seconds < BLOCK:
            powers = np.array([sum(self._energies) / self._samples])
        else:
            blocks = int(np.round((seconds - BLOCK) / (BLOCK * STEP)) + 1)
            quarters = np.zeros(blocks + 3)
            quarters[: len(self._energies)] = self._energies[: blocks + 3]
            sums = np.lib.stride_tricks.sliding_window_view(quarters, 4).sum(1)
            powers = sums / (BLOCK * self._rate)
        return gated(powers * 10 ** (gain / 10))

    def _weighted_power(self, wave: np.ndarray) -> np.ndarray:
        """[n]: K-weighted, squared, summed over the channels."""
        # Silence after silence would be the slow arithmetic of denormal numbers.
        if not len(wave) or (np.abs(self._state).max() < 1e-20 and not wave.any()):
            return np.zeros(len(wave))
        from scipy.signal import sosfilt  # here, as below: only who delivers waits for its import

        wave, self._state = sosfilt(self._filters, wave, axis=0, zi=self._state)
        power = np.square(wave, out=wave)
        # Adding up rows of one number would take as long as the filters.
        result: np.ndarray = power[:, 0] if wave.shape[1] == 1 else power.sum(axis=1)
        return result


def _columns(block: np.ndarray) -> np.ndarray:
    """[n, channels] in double precision."""
    return (block[:, None] if block.ndim == 1 else block).astype(np.float64, copy=False)


class PeakMeter:
    """The true peak, by fourfold oversampling (BS.1770-4, annex 2)."""

    def __init__(self, channels: int = 1) -> None:
        self._tail = np.zeros((2 * _HALF, channels))
        self._peak = 0.0

    def add(self, block: np.ndarray) -> None:
        """Measure the next samples, [n] or [n, channels]."""
        wave = np.concatenate([self._tail, _columns(block)])
        self._tail = wave[len(wave) - 2 * _HALF :]
        self._peak = max(self._peak, self._highest(wave))

    @property
    def true_peak(self) -> Decibels:
        """Of all that was added, followed by silence, in dBTP; -200 for digital silence."""
        end = np.concatenate([self._tail, np.zeros_like(self._tail)])
        return decibels(max(self._peak, self._highest(end)))

    def _highest(self, wave: np.ndarray) -> float:
        samples = [_highest_sample(channel) for channel in wave.T]
        highest = max(self._peak, *samples)
        for channel, sample in zip(wave.T, samples, strict=True):
            if sample * _most() > highest:
                _, between = _loud_gaps(channel, highest)
                highest = max(highest, float(between.max(initial=0.0)))
        return highest


@cache
def _kernel() -> np.ndarray:
    """[2 * _HALF + 1, _TIMES]: weights of the samples, earliest first, for each place after the middle."""
    taps = 2 * _TIMES * _HALF + 1
    ideal = np.sinc((np.arange(taps) - taps // 2) / _TIMES) * np.kaiser(taps, 8.0)
    phases = np.append(ideal, np.zeros(_TIMES - 1)).reshape(-1, _TIMES)
    return np.ascontiguousarray(phases[::-1])


@cache
def _most() -> float:
    """The true peak over the highest sample, at most."""
    return float(np.abs(_kernel()).sum(0).max())


@cache
def _rows_kernel() -> np.ndarray:
    """[_ROW + 2 * _HALF, (_TIMES - 1) * _ROW]: `_kernel` after each of `_ROW` samples, at once."""
    kernel = _kernel()[:, 1:]
    rows = np.zeros((_ROW + 2 * _HALF, _TIMES - 1, _ROW))
    for i in range(_ROW):
        rows[i : i + len(kernel), :, i] = kernel
    return rows.reshape(len(rows), -1)


def _highest_sample(wave: np.ndarray) -> float:
    """Of [n], without its sign."""
    return max(float(wave.max(initial=0.0)), -float(wave.min(initial=0.0)))


def _loud_gaps(wave: np.ndarray, above: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `_ROW` gaps between samples [n] that may exceed `above`, and the highest peak in each gap.

    Products of rows of samples with one matrix: twice the arithmetic of a filter, in far less time. The first
    gap lies before the inner samples, those that have `_HALF` on either side.

    Returns:
        [rows] whether each may, and [those rows, _ROW] of them.
    """
    count = len(wave) - 2 * _HALF + 1
    padded = np.zeros(-(-count // _ROW) * _ROW + 2 * _HALF)
    padded[1 : len(wave) + 1] = wave
    windows = np.lib.stride_tricks.sliding_window_view(padded, _ROW + 2 * _HALF)[::_ROW]
    highest = np.maximum.reduceat(np.abs(padded), np.arange(0, len(padded), _PART))
    within = np.lib.stride_tricks.sliding_window_view(highest, windows.shape[1] // _PART)
    loud = within[:: _ROW // _PART].max(1) * _most() > above
    between = (windows[loud] @ _rows_kernel()).reshape(-1, _TIMES - 1, _ROW)
    gaps = np.maximum(between.max(1), -between.min(1))
    if loud[-1]:
        gaps[-1, (count - 1) % _ROW + 1 :] = 0.0  # beyond the last
    return loud, gaps


def _peaks(wave: np.ndarray, above: float) -> np.ndarray:
    """[n - 2 * _HALF]: the highest true peak from each inner sample to its neighbours.

    Gaps that cannot exceed `above` are not interpolated; their samples alone count.
    """
    loud, between = _loud_gaps(wave, above)
    gaps = np.zeros((len(loud), _ROW))
    gaps[loud] = between
    each = gaps.ravel()[: len(wave) - 2 * _HALF + 1]
    inner = np.abs(wave[_HALF : len(wave) - _HALF])
    result: np.ndarray = np.maximum(np.maximum(each[:-1], each[1:]), inner)
    return result


class Limiter:
    """Holds a mono wave's true peak under a limit, looking ahead.

    The gain that each sample needs, the least of it within `reach` on either side, smoothed by a
    window of the same length: never more than needed, and never sudden. Around a peak it stands
    still, so that what lies between the samples is lowered by as much. Samples that are further than
    twice `reach` from any peak over the limit stay bit for bit.

    Attributes:
        reduction: the most that was taken away so far, in dB; 0 if nothing was.
    """

    def __init__(self, sample_rate: int, limit: Decibels, reach: Seconds = 0.0025) -> None:
        self._limit = 10 ** (limit / 20)
        self._reach = max(
            _HALF, round(reach * sample_rate)
        )  # standing still over what is interpolated
        window = np.hanning(2 * self._reach + 3)[1:-1]
        self._window = window / window.sum()
        self._margin = 2 * self._reach + _HALF  # samples looked at on either side
        self._waiting = np.zeros(self._margin)
        self.reduction: Decibels = 0.0

    def add(self, block: np.ndarray) -> np.ndarray:
        """Take the next samples, [n]; give those that are ready, in order, [m]."""
        self._waiting = np.concatenate([self._waiting, block])
        around = 2 * self._margin
        ready = []
        # Chunks lie at the same places however long the blocks are, and so do rounding errors.
        while len(self._waiting) >= _CHUNK + around:
            ready.append(self._limited(self._waiting[: _CHUNK + around]))
            self._waiting = self._waiting[_CHUNK:]
        return np.concatenate(ready) if ready else np.zeros(0)

    def finish(self) -> np.ndarray:
        """Give the rest, [m]; as many samples come out in all as went in."""
        left = len(self._waiting) - self._margin
        ready = self.add(np.zeros(self._margin + _CHUNK))
        return ready[:left]

    def _limited(self, wave: np.ndarray) -> np.ndarray:
        """The middle of `wave`, without the margins."""
        inner = wave[self._margin : -self._margin]
        if _highest_sample(wave) * _most() <= self._limit:
            return inner
        peaks = _peaks(wave, self._limit)
        if peaks.max() <= self._limit:
            return inner
        from scipy.ndimage import minimum_filter1d

        need = self._limit / np.maximum(peaks, self._limit)
        least = minimum_filter1d(need, 2 * self._reach + 1)[self._reach : -self._reach]
        # Smoothed as what is taken away, so that nothing taken away stays exactly nothing.
        gain = 1 - np.convolve(1 - least, self._window, mode="valid")
        self.reduction = max(self.reduction, -decibels(float(gain.min())))
        result: np.ndarray = inner * gain
        return result
