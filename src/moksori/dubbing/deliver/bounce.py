"""One file of a mix: raised, limited, written and measured."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from moksori.config import Decibels
from moksori.dubbing.deliver.mix import BLOCK, Placed, mix
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.signal import bwf
from moksori.signal.loudness import Limiter, LoudnessMeter, PeakMeter

_FULL_SCALE = 2.0**23  # of 24 bits
_ATTEMPTS = 3  # at the loudness, where the limiter takes some of it away


class Bounced(NamedTuple):
    """As written."""

    loudness: Decibels
    true_peak: Decibels
    limited: Decibels  # the most that the limiter took


def bounce_at_target(
    path: Path, about: bwf.Broadcast, lines: Sequence[Placed], length: int, spec: DeliverySpec
) -> tuple[Decibels, Decibels, Bounced]:
    """Write the reel as `bounce` at the target's loudness; also the loudness before, and the gain."""
    target = spec.loudness
    meter = LoudnessMeter(spec.sample_rate)
    for block in mix(lines, length, spec.sample_rate):
        meter.add(block)
    before, gain = meter.loudness, 0.0
    if target.level is None or not np.isfinite(before):
        return before, gain, bounce(path, about, lines, length, spec, gain, meter)
    reached = before
    for _ in range(_ATTEMPTS):
        gain += target.level - reached
        track = bounce(path, about, lines, length, spec, gain, meter)
        reached = track.loudness
        if abs(target.level - reached) <= target.tolerance or not np.isfinite(reached):
            break
    return before, gain, track


def bounce(
    path: Path,
    about: bwf.Broadcast,
    lines: Sequence[Placed],
    length: int,
    spec: DeliverySpec,
    gain: Decibels,
    mixed: LoudnessMeter | None = None,
) -> Bounced:
    """Write `lines` with `gain`, limited, and measure what was written.

    Args:
        path: of the file.
        about: what it says of itself; what is measured is filled in.
        lines: by their start.
        length: samples.
        spec: of rate and target.
        gain: of all lines.
        mixed: what was measured of the lines without gain; of use where the limiter has nothing to do.
    """
    rate, factor = spec.sample_rate, 10 ** (gain / 20)
    limiter = Limiter(rate, spec.loudness.true_peak)
    loudness, peak = LoudnessMeter(rate), PeakMeter()

    def limited() -> Iterator[np.ndarray]:
        for block in mix(lines, length, rate):
            yield limiter.add(block * factor)
        yield limiter.finish()

    with bwf.Writer(path, about, rate, length) as file:
        for block in limited():
            whole = np.rint(block * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE - 1)
            file.write(whole.astype(np.int32))
            written = whole / _FULL_SCALE
            peak.add(written)
            if mixed is None:
                loudness.add(written)
    if mixed is None:
        level = loudness.loudness
    else:
        level = _loudness(path) if limiter.reduction else mixed.with_gain(gain)
    file.finish(level, peak.true_peak)
    return Bounced(level, peak.true_peak, limiter.reduction)


def _loudness(path: Path) -> Decibels:
    with soundfile.SoundFile(path) as file:
        meter = LoudnessMeter(file.samplerate)
        for block in file.blocks(BLOCK):
            meter.add(block)
    return meter.loudness
